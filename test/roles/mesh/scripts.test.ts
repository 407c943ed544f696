// What is read of a mesh and done to it: our scripts in a real sh, with stand-ins for the programs of WireGuard.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { answerOf, question } from '../../../commands/mesh/ask.ts'
import { configText } from '../../../roles/mesh/config.ts'
import { mesh, meshRole } from '../../../roles/mesh/index.ts'
import { type MeshState, meshState } from '../../../roles/mesh/reading.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const key = (letter: string) => `${letter.repeat(42)}A=`
const secret = key('S')
const wanted = {
  ...{ network: '10.214.0.0/16', address: '10.214.0.1', port: 51_820, mtu: 1420, keepalive: undefined },
  peers: [{ name: 'vps2', address: '10.214.0.2', endpoint: '192.0.2.2:51820', key: key('B') }],
}

/** A host in a mesh whose `wg` has this of each peer: further secret, endpoint, allowed, heard so many seconds ago, keepalive. */
function hostIn(...peers: readonly (readonly [string, string, string, number, string])[]): ScratchHost {
  const dump = peers.map(([shared, endpoint, allowed, ago, keepalive], i) => {
    const heard = `$(($(date +%s) - ${ago}))`
    return `printf '%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' ${key('BCD'[i] ?? '')} '${shared}' '${endpoint}' '${allowed}' "${heard}" 1 1 '${keepalive}'`
  })
  const host = scratchHost({
    wg: `case $1 in
      pubkey) [ "$(cat)" != ${secret} ] || echo ${key('A')} ;;
      genkey) echo ${secret} ;;
      show) printf '%s\\t%s\\t%s\\t%s\\n' ${secret} ${key('A')} 51820 off
        ${dump.join('\n        ')} ;;
      syncconf) cat >"$STATE/given" ;;
    esac`,
    'wg-quick': `[ "$1" != strip ] || sed -n -E '/^(Address|MTU|PostUp) /!p' /etc/wireguard/mesh0.conf`,
    ip: `case $* in
      *route*) printf '%s\\n' 'default via 192.0.2.254 dev eth0' '192.0.2.0/24 dev eth0 proto kernel scope link' '10.214.0.0/16 dev mesh0 proto kernel' ;;
      *address*) echo '5: mesh0    inet 10.214.0.1/16 scope global mesh0\\       valid_lft forever' ;;
    esac`,
    systemctl: '[ "$1" != show ] || printf "%s\\n" LoadState=loaded ActiveState=active UnitFileState=enabled',
  })
  host.write('/etc/wireguard/mesh0.key', `${secret}\n`, 0o400)
  host.write('/etc/wireguard/mesh0.conf', configText(wanted))
  host.write('/sys/class/net/mesh0/mtu', '1420\n')
  return host
}

test('what is read is what runs; of secrets only that there is one leaves the host', async () => {
  const host = hostIn(
    ['(none)', '192.0.2.2:51820', '10.214.0.2/32', 20, 'off'],
    ['a-secret-of-two', '203.0.113.9:1', '10.214.0.3/32', 9000, '25'],
  )
  const { kernel, tun, routes, ownKey, unit, link } = await host.reads(meshState)
  assert.equal([kernel, typeof tun, ownKey, unit.active], [false, 'boolean', key('A'), 'active'])
  assert.equal(routes, [{ network: '192.0.2.0/24', by: 'eth0' }])
  assert.equal(link, {
    ...{ addresses: ['10.214.0.1/16'], mtu: 1420, key: key('A'), port: 51_820 },
    peers: [
      { key: key('B'), allowed: '10.214.0.2/32', keepalive: 'off', shared: false, endpoint: undefined },
      { key: key('C'), allowed: '10.214.0.3/32', keepalive: '25', shared: true, endpoint: '203.0.113.9:1' },
    ],
  })
  const { output } = await host.run(meshState.kind.script(['state']), { args: [] })
  assert.not.match(output, /SSSS|a-secret/)
})

test('a module on the disk or in the kernel counts, and a host without anything has no mesh', async () => {
  const bare = scratchHost({ ip: '', systemctl: '' })
  assert.equal([(await bare.reads(meshState)).kernel, (await bare.reads(meshState)).link], [false, undefined])
  bare.folder('/sys/module/wireguard')
  assert.ok((await bare.reads(meshState)).kernel)
})

/** The one change of the interface of a host that is like this. */
async function applied(host: ScratchHost, spoil: (state: MeshState) => MeshState) {
  const resources = meshRole({ mesh: wanted, missing: [] }).resources(
    v.parse(mesh.vars, { network: wanted.network }),
    facts,
    entry,
  )
  const interfaces = resources.filter(({ id }) => id === 'mesh:interface')
  const [change] = changesOf(interfaces, { 'mesh:state': spoil(await host.reads(meshState)) })
  return host.run(change?.script ?? 'exit 9')
}

test('peers are set without a restart, and the key is given to wg by a pipe alone', async () => {
  const host = hostIn()
  const { code, calls, output } = await applied(host, (state) => state)
  assert.is(code, 0, output)
  const given = host.noted('given')
  assert.match(
    given,
    new RegExp(`^\\[Interface\\]\\nPrivateKey = ${secret}\\n#.*\\n\\[Interface\\]\\nListenPort = 51820\\n`),
  )
  assert.match(
    given,
    new RegExp(`^PublicKey = ${key('B')}\\nAllowedIPs = 10\\.214\\.0\\.2/32\\nEndpoint = 192\\.0\\.2\\.2:51820$`, 'm'),
  )
  assert.ok(calls.includes('wg syncconf mesh0 /dev/stdin'), calls.join('\n'))
  assert.not.match(calls.join('\n') + output, /SSSS|systemctl (stop|start)/)
})

test('a secret that two peers share, and a keepalive, which wg would leave, are taken off the peer that has them', async () => {
  const host = hostIn(['a-secret', '192.0.2.2:51820', '10.214.0.2/32', 20, 'off'], ['(none)', 'x', 'y', 20, '25'])
  const { code, calls } = await applied(host, (state) => state)
  assert.is(code, 0)
  for (const letter of ['B', 'C'])
    assert.ok(calls.includes(`wg set mesh0 peer ${key(letter)} preshared-key /dev/null persistent-keepalive off`))
  assert.ok(calls.includes('wg syncconf mesh0 /dev/stdin'))
  const { calls: others } = await applied(hostIn(), (state) => state)
  assert.not.match(others.join('\n'), /preshared-key/)
})

test('an interface that is gone is started anew, whatever is left of it', async () => {
  const host = hostIn()
  host.program('ip', 'exit 1')
  const { code, calls } = await applied(host, (state) => ({ ...state, link: undefined }))
  assert.is(code, 0)
  assert.equal(calls.filter((call) => /^(systemctl|ip)/.test(call)).slice(-5), [
    'systemctl enable --quiet wg-quick@mesh0.service',
    'systemctl stop wg-quick@mesh0.service',
    'ip link delete mesh0',
    'systemctl reset-failed wg-quick@mesh0.service',
    'systemctl start wg-quick@mesh0.service',
  ])
})

test('a host answers with its public key and what it knows of its peers, and nothing secret', async () => {
  const host = hostIn()
  const { output } = await host.run(question, { args: [] })
  assert.not.match(output, /SSSS/)
  const { key: own, peers } = answerOf(output, '192.0.2.1')
  assert.is(own, key('A'))
  assert.equal([...peers], [['10.214.0.2', { key: key('B'), endpoint: '192.0.2.2:51820' }]])
  const bare = await scratchHost({ wg: 'exit 127' }).run(question, { args: [] })
  assert.equal(answerOf(bare.output, '192.0.2.1'), { key: undefined, address: '192.0.2.1', peers: new Map() })
})

test('the key is made once, for root alone', async () => {
  const host = hostIn()
  const [change] = changesOf(
    mesh.resources({ network: wanted.network }, facts, entry).filter(({ id }) => id.startsWith('secret:')),
    {},
  )
  const { code, output } = await host.run(change?.script ?? 'exit 9')
  assert.is(code, 0, output)
  assert.equal([host.mode('/etc/wireguard/mesh0.key'), host.read('/etc/wireguard/mesh0.key')], ['400', `${secret}\n`])
  assert.not.match(output, /SSSS/)
})

test.run()
