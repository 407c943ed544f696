import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { guestVerdict } from '../../../commands/doctor/bot-promises.ts'
import { parseContainers } from '../../../commands/doctor/container-reading.ts'
import { containerVerdicts } from '../../../commands/doctor/host-promises.ts'
import { type PairSeen, pairVerdicts } from '../../../commands/doctor/pair-promises.ts'
import { guestsOf, knownBots, meshPortOf } from '../../../commands/doctor/with-others.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { parseGateState } from '../../../roles/standby/gate.ts'
import { recordText } from '../../../roles/standby/primary-record.ts'
import { answerWith, commands } from '../../support/doctor/recorded.ts'
import { statusHost } from '../../support/status/host.ts'

const now = 1_800_000_000_000
const record = recordText({ epoch: 1, primary: 'vps1', standby: 'vps2' })
const server = {
  ...{ timeline: 1, maxConnections: 100, bytes: 1, position: '0/1', received: null, replayed: null },
  ...{ isReceiving: false, secondsBehind: null, synchronous: false, inRecovery: false },
  slot: { status: 'reserved', active: true } as const,
  standby: { state: 'streaming', sync: 'async', bytesBehind: 0, secondsBehind: null },
}
const primary: PairSeen = {
  ...{ wanted: { is: 'primary', other: 'vps2', synchronous: false }, server, record, timer: runningUnit },
  gate: { open: true, verdict: 'open primary of epoch 1, as vps2 knows', at: now - 15_000 },
}
const standby: PairSeen = {
  ...primary,
  wanted: { is: 'standby', other: 'vps1', synchronous: false },
  server: { ...server, inRecovery: true, isReceiving: true, secondsBehind: 0, standby: null, slot: null },
  gate: { open: false, verdict: 'shut vps1 is the primary since epoch 1', at: now - 15_000 },
}
const folder = (what: string) => [{ Type: 'bind', Source: `/run/botgarden/gate/${what}`, RW: false }]
const postgres = { name: '/botgarden-postgres', labels: { 'botgarden.config': 'c' }, mounts: folder('postgres') }
const bot = { name: '/botgarden-shop-blue', labels: { 'botgarden.bot': 'shop', 'botgarden.config': 'c' } }
const gated = { ...bot, mounts: folder('bots'), restart: 'always' }
/** Of these alone: what else is recorded there is of a host without a gate. */
const containersWith = (...more: object[]) => (parseContainers(answerWith(...more)) ?? []).slice(3)
const other = { ...commands, playbook: (name: string) => `OTHER ${name}` }

/** `ID: WHAT → MEND` of all that is broken. */
function broken(seen: PairSeen, ...more: object[]): string[] {
  const host = seen.wanted.is === 'primary' ? 'vps1' : 'vps2'
  return pairVerdicts(host, seen, containersWith(postgres, ...more), now, { ...commands, other }).flatMap((each) =>
    each.result === 'broken' ? each.faults.map(({ what, mend }) => `${each.id}: ${what} → ${mend}`) : [],
  )
}
const site = 'npx zx playbooks/site.ts'

test('a good pair keeps its promises, on both hosts', () => {
  assert.equal(broken(primary, gated), [])
  assert.equal(broken(standby), [])
  // Kept, stopped, for a way back; and what the swarm runs for another host.
  assert.equal(broken(primary, { ...bot, running: false, restart: 'no', mounts: [] }), [])
  const replica = { ...bot, labels: { ...bot.labels, 'com.docker.swarm.service.name': 'botgarden-shop_bot' } }
  assert.equal(broken(standby, { ...replica, mounts: [] }), [])
})

test('a gate that does not judge', () => {
  const stopped = { ...runningUnit, active: 'inactive' }
  assert.equal(broken({ ...primary, timer: stopped }), [`gate: botgarden-gate.timer does not run → ${site}`])
  assert.match(
    broken({ ...primary, timer: { ...runningUnit, enabled: 'disabled' } })[0] ?? '',
    /^gate: .* does not come with a boot/,
  )
  const [late = ''] = broken({ ...primary, gate: { open: true, verdict: 'open', at: now - 300_000 } })
  assert.match(late, /^gate: it has not judged for 5 min → npx zx playbooks\/site.ts or, .*journalctl/)
  assert.match(broken({ ...primary, gate: { open: true, verdict: '' } })[0] ?? '', /it has not judged since the boot/)
})

test('a gate of the primary that is shut, by whose word, and what opens it', () => {
  const shut = (verdict: string) => broken({ ...primary, gate: { open: false, verdict, at: now } })
  assert.equal(shut('shut it was stopped for a failover to vps2 that has not ended'), [
    `gate-open: it is shut it was stopped for a failover to vps2 that has not ended → npx zx playbooks/failover.ts --from vps2 --to vps1`,
  ])
  assert.equal(shut('open primary of epoch 1, as vps2 knows'), [
    `gate-open: /run/botgarden/gate/bots is gone → ${site}`,
  ])
  assert.match(
    shut('shut vps2 does not answer, and no webhook tells which host serves')[0] ?? '',
    /→ OTHER status; .*failover.ts --from vps2 --to vps1 --old-host-is-gone$/,
  )
  assert.match(shut('')[0] ?? '', /was not judged since the boot/)
})

test('a record that is another one than the inventory, torn or gone', () => {
  const as = (text: string | undefined) => broken({ ...primary, record: text })
  assert.equal(as(recordText({ epoch: 2, primary: 'vps2', standby: 'vps1' })), [
    `gate-record: by /etc/botgarden/primary.json vps2 is the primary since epoch 2, and vps1 its standby → ${site}`,
  ])
  assert.match(as('{')[0] ?? '', /cannot be read/)
  assert.match(as(undefined)[0] ?? '', /is gone/)
  assert.equal(broken({ ...standby, record: undefined }).length, 1)
})

test('a bot that runs on the standby, and what a boot would start past the gate', () => {
  const stop = "→ ssh vps1 'sudo docker stop botgarden-shop-blue'"
  assert.equal(broken(standby, gated), [`standby-idle: botgarden-shop-blue runs ${stop}`])
  assert.match(
    broken({ ...standby, gate: { open: true, verdict: 'shut', at: now } })[0] ?? '',
    /^standby-idle: its gate is open/,
  )
  const mounted = /^gate-mounts: botgarden-shop-blue does not have \/run\/botgarden\/gate\/bots mounted/
  assert.match(broken(primary, { ...bot, mounts: folder('postgres') })[0] ?? '', mounted)
  const [stray = ''] = broken(standby, { ...gated, running: false, mounts: [] })
  assert.match(stray, mounted)
  assert.match(stray, /docker rm -f botgarden-shop-blue'$/)
  const bare = pairVerdicts('vps1', primary, containersWith({ ...postgres, mounts: [] }), now, { ...commands, other })
  assert.is(bare.find(({ id }) => id === 'gate-mounts')?.result, 'broken')
})

test('a standby that is not connected is mended where it is; a server that is silent leaves nothing proved', () => {
  assert.equal(broken({ ...primary, server: { ...server, standby: null } }), [
    'standby: the standby vps2 is not connected → OTHER site',
  ])
  const behind = { ...server, standby: { ...server.standby, bytesBehind: 65e6 } }
  assert.match(broken({ ...primary, server: behind })[0] ?? '', /^standby: the standby vps2 is 65 MB behind/)
  assert.match(broken({ ...standby, server: undefined })[0] ?? '', /^standby: it could not be tried/)
  const silent = pairVerdicts('vps2', standby, undefined, now, { ...commands, other })
  assert.equal(
    silent.filter(({ result }) => result === 'broken').map(({ id }) => id),
    ['standby-idle', 'gate-mounts'],
  )
})

test('when a gate has judged is read with what it has judged', () => {
  assert.equal(parseGateState('open\nat 1800000000\nverdict open x\n'), { open: true, verdict: 'open x', at: now })
  assert.equal(parseGateState(''), { open: false, verdict: '' })
})

const mesh = (address: string) => ({ network: '10.214.0.0/16', address, port: 51820 })
const vars = (address: string, postgresVars: object = {}) => ({ mesh: mesh(address), postgres: postgresVars })
const settings = { replicas: 2, hosts: ['vps1', 'vps2'] }
const hosts = [
  statusHost([], { name: 'vps1', vars: vars('10.214.0.1', { standby: 'vps2' }) }),
  statusHost([], { name: 'vps2', vars: vars('10.214.0.2') }),
  statusHost([], { name: 'vps3', vars: vars('10.214.0.3'), bots: [{ name: 'hot', where: 'x', settings }] }),
] as const

test('the one port in the mesh is no published one, but for the server, and where another host needs it', () => {
  assert.equal(
    hosts.map((host) => meshPortOf(host, hosts)),
    ['10.214.0.1:5432', '10.214.0.2:5432', undefined],
  )
  const published = (name: string, HostIp: string, port?: string) => {
    const publishing = { ...postgres, name, ports: { '5432/tcp': [{ HostIp, HostPort: '5432' }] } }
    const [verdict] = containerVerdicts(containersWith(publishing), [], commands, port)
    return verdict?.result === 'broken' ? verdict.faults.map(({ what }) => what) : []
  }
  const allowed = '10.214.0.1:5432'
  assert.equal(published('/botgarden-postgres', '10.214.0.1', allowed), [])
  assert.equal(published('/botgarden-postgres', '10.214.0.1'), ['botgarden-postgres publishes 10.214.0.1:5432'])
  assert.equal(published('/botgarden-postgres', '0.0.0.0', allowed), ['botgarden-postgres publishes 5432'])
  assert.equal(published('/botgarden-x', '10.214.0.1', allowed), ['botgarden-x publishes 10.214.0.1:5432'])
  assert.is(containerVerdicts([], [], commands)[0]?.promise, 'no container publishes a port')
})

test("the server's own network in the mesh is its own, and nobody else's", () => {
  const on = (name: string) => {
    const networks = { 'botgarden-postgres': { IPAddress: '172.18.0.2' } }
    const verdicts = containerVerdicts(containersWith({ ...postgres, name, networks }), [], commands)
    return verdicts.find(({ id }) => id === 'networks')?.result
  }
  assert.equal([on('/botgarden-postgres'), on('/botgarden-nginx')], ['kept', 'broken'])
})

test('replicas of a bot of another host are known where they may run, and shut in as any', () => {
  assert.equal(
    hosts.map((host) => guestsOf(host, hosts)),
    [['hot'], ['hot'], []],
  )
  const replica = { ...bot, name: '/botgarden-hot_bot.1.x', labels: { 'botgarden.bot': 'hot' }, user: '20007:20007' }
  assert.equal(knownBots(hosts[0], hosts), ['hot'])
  assert.equal(guestsOf(statusHost([], { name: 'vps4' }), hosts), [])
  const primary = { ...hosts[0], bots: [{ name: 'shop', where: 'x', settings: {} }] }
  assert.equal(knownBots(hosts[1], [primary, ...hosts.slice(1)]), ['shop', 'hot'])
  assert.is(guestVerdict('hot', containersWith(replica), commands).result, 'kept')
  assert.is(guestVerdict('hot', [], commands).result, 'skipped')
  for (const user of ['0:0', '', '20000', '1000'])
    assert.is(guestVerdict('hot', containersWith({ ...replica, user }), commands).result, 'broken', user)
})

test.run()
