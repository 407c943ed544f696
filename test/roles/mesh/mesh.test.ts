import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { Facts } from '../../../lib/model/facts.ts'
import { addressIn } from '../../../roles/mesh/address.ts'
import { configText, peersIn } from '../../../roles/mesh/config.ts'
import { type GivenMesh, mesh, meshRole } from '../../../roles/mesh/index.ts'
import { isPublicKey, type Peer } from '../../../roles/mesh/peer.ts'
import { type MeshState, parseMesh } from '../../../roles/mesh/reading.ts'
import { faultsOf, vars as schema } from '../../../roles/mesh/schema.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { contentOf, idsOf, planOf, scriptsOf, stateAfter } from '../../support/plan-of.ts'

const network = '10.214.0.0/16'
const keys = {
  vps2: `${'A'.repeat(42)}A=`,
  vps3: `${'B'.repeat(42)}A=`,
  own: `${'C'.repeat(42)}A=`,
  other: `${'D'.repeat(42)}A=`,
}
const peer = (name: 'vps2' | 'vps3', address: string): Peer => ({
  ...{ name, address, endpoint: '192.0.2.2:51820', key: keys[name] },
})
const given = (more: Partial<GivenMesh['mesh']> = {}, missing: string[] = []): GivenMesh => ({
  mesh: {
    ...{ network, address: '10.214.0.1', port: 51_820, mtu: 1420, keepalive: undefined },
    peers: [peer('vps2', '10.214.0.2'), peer('vps3', '10.214.0.3')],
    ...more,
  },
  missing,
})
const resourcesOf = (told?: GivenMesh, vars: object = { network }, more: Partial<Facts> = {}) =>
  meshRole(told).resources(v.parse(mesh.vars, vars), { ...facts, ...more }, entry)
const bare: MeshState = {
  ...{ kernel: true, tun: false, routes: [], ownKey: undefined, link: undefined },
  unit: { load: 'not-found', active: 'inactive', enabled: '' },
}
const state = (more: Partial<MeshState> = {}) => ({ 'mesh:state': { ...bare, ...more } })
const settled = () => stateAfter(resourcesOf(given()), state())
/** The settled host, with this of its interface spoilt. */
function spoilt(change: (link: NonNullable<MeshState['link']>) => object, more: Partial<MeshState> = {}) {
  const all = settled()
  const now = all['mesh:state'] as MeshState
  return { ...all, 'mesh:state': { ...now, link: now.link && { ...now.link, ...change(now.link) }, ...more } }
}

test('without a word in the inventory nothing is read of a host that was never in a mesh', () => {
  assert.equal(resourcesOf(undefined, {}), [])
})

test('a host that was in one leaves it, and then has nothing to leave', () => {
  const former = resourcesOf(undefined, {}, { mesh: true })
  const there = { 'file:/etc/wireguard/mesh0.conf': { type: 'file', mode: '0600', owner: 'root', group: 'root' } }
  assert.equal(planOf(former, there), ['mesh:absent: leave the mesh'])
  assert.equal(planOf(former, stateAfter(former, there)), [])
  assert.match(
    scriptsOf(former, there).join('\n'),
    /rm -f \/etc\/wireguard\/mesh0\.key\s+rm -f \/etc\/wireguard\/mesh0\.conf$/,
  )
})

test('sets everything up on a bare host, and what a run leaves is what the next one wants', () => {
  assert.equal(planOf(resourcesOf(given()), state()), [
    'package:wireguard-tools: install',
    'secret:/etc/wireguard/mesh0.key: generate',
    'file:/etc/wireguard/mesh0.conf: create',
    'mesh:interface: start',
  ])
  assert.equal(planOf(resourcesOf(given()), settled()), [])
})

test('alone the role makes the key and no more', () => {
  assert.equal(idsOf(resourcesOf()), [
    'package:wireguard-tools',
    'package:wireguard-go',
    'secret:/etc/wireguard/mesh0.key',
  ])
})

test('a kernel without WireGuard takes the program, and one without TUN as well is told', () => {
  assert.ok(planOf(resourcesOf(given()), state({ kernel: false, tun: true })).includes('package:wireguard-go: install'))
  assert.throws(
    () => planOf(resourcesOf(given()), state({ kernel: false })),
    /no WireGuard, and there is no \/dev\/net\/tun/,
  )
})

test('refuses a network that the host reaches otherwise, or that ssh comes from, and a file of somebody else', () => {
  const routes = [{ network: '10.214.8.0/24', by: 'eth1' }]
  assert.throws(() => planOf(resourcesOf(given()), state({ routes })), /overlaps 10\.214\.8\.0\/24, .* by eth1/)
  assert.equal(planOf(resourcesOf(given()), { ...settled() }), [])
  const within = resourcesOf(given(), { network }, { clientAddress: '10.214.9.9' })
  assert.throws(() => planOf(within, state()), /ssh comes from 10\.214\.9\.9/)
  assert.equal(planOf(within, settled()), [], 'who comes through the mesh itself')
  const foreign = { ...state(), 'text:/etc/wireguard/mesh0.conf': '[Interface]\nPrivateKey = x\n' }
  assert.throws(() => planOf(resourcesOf(given()), foreign), /mesh0\.conf is not ours/)
})

for (const [how, now, summary] of [
  ['another key runs', () => spoilt(() => ({ key: keys.other })), 'set its key'],
  ['the file of its key is another', () => spoilt(() => ({}), { ownKey: keys.other }), 'set its key'],
  ['it listens elsewhere', () => spoilt(() => ({ port: 1 })), 'set its port'],
  ['a peer is gone', () => spoilt(({ peers }) => ({ peers: peers.slice(1) })), 'set vps2'],
  [
    'a stranger is there',
    () => spoilt(({ peers }) => ({ peers: [...peers, { ...peers[0], key: keys.other, allowed: '(none)' }] })),
    'set 1 peer less',
  ],
  [
    'a peer may be anybody',
    () => spoilt(({ peers }) => ({ peers: peers.map((each) => ({ ...each, allowed: '0.0.0.0/0' })) })),
    'set vps2, vps3',
  ],
  [
    'a peer shares a secret',
    () => spoilt(({ peers }) => ({ peers: peers.map((each) => ({ ...each, shared: true })) })),
    'set vps2, vps3',
  ],
  [
    'a peer is elsewhere',
    () => spoilt(({ peers }) => ({ peers: peers.map((each) => ({ ...each, endpoint: '203.0.113.9:1' })) })),
    'set vps2, vps3',
  ],
  [
    'it has a further address',
    () => spoilt(({ addresses }) => ({ addresses: [...addresses, '10.0.0.1/8'] })),
    'start it again with its address',
  ],
  ['its mtu is another', () => spoilt(() => ({ mtu: 1500 })), 'start it again with its address'],
  ['it is gone', () => spoilt(() => ({}), { link: undefined }), 'start'],
  [
    'its unit is stopped',
    () => spoilt(() => ({}), { unit: { load: 'loaded', active: 'inactive', enabled: 'enabled' } }),
    'start',
  ],
  [
    'it does not come with a boot',
    () => spoilt(() => ({}), { unit: { load: 'loaded', active: 'active', enabled: 'disabled' } }),
    'enable',
  ],
] as const)
  test(`mends what was set by hand and nothing else: ${how}`, () => {
    assert.equal(planOf(resourcesOf(given()), now()), [`mesh:interface: ${summary}`])
    assert.equal(planOf(resourcesOf(given()), stateAfter(resourcesOf(given()), now())), [])
  })

test('a peer that was heard from is where it was heard, and what was masked is said', () => {
  const heard = spoilt(({ peers }) => ({ peers: peers.map((each) => ({ ...each, endpoint: undefined })) }))
  assert.equal(planOf(resourcesOf(given()), heard), [])
  const masked = spoilt(() => ({}), { unit: { load: 'masked', active: 'active', enabled: 'masked' } })
  assert.throws(() => planOf(resourcesOf(given()), masked), /systemctl unmask wg-quick@mesh0\.service/)
})

test('a peer that comes or goes changes the file and the peers, without a restart', () => {
  const alone = resourcesOf(given({ peers: [peer('vps2', '10.214.0.2')] }))
  assert.equal(planOf(alone, settled()), ['file:/etc/wireguard/mesh0.conf: content', 'mesh:interface: set 1 peer less'])
  assert.match(scriptsOf(alone, settled()).join('\n'), /wg-quick strip mesh0; \} \| wg syncconf mesh0 \/dev\/stdin/)
})

test('in a check a peer whose key is made by the run is one change of the file, and one of the interface', () => {
  const unmade = given({ peers: [{ ...peer('vps2', '10.214.0.2'), key: undefined }] })
  assert.equal(planOf(resourcesOf(unmade), settled()), [
    'file:/etc/wireguard/mesh0.conf: content',
    'mesh:interface: set vps2, 2 peers less',
  ])
})

test('the private key is in no file but its own, in no argument, and in nothing that is read', () => {
  const text = contentOf(resourcesOf(given({ keepalive: 25 })), 'mesh0.conf')
  assert.match(text, /^PostUp = wg set %i private-key \/etc\/wireguard\/mesh0\.key$/m)
  assert.not.match(text, /^PrivateKey/m)
  assert.match(text, /^PersistentKeepalive = 25$/m)
  assert.not.match(contentOf(resourcesOf(given()), 'mesh0.conf'), /PersistentKeepalive/)
  for (const { credential } of resourcesOf(given())) assert.is(credential, undefined)
})

test('the file can be read back, and what is torn in it is left out', () => {
  const text = configText(given().mesh)
  assert.equal(
    [...peersIn(text)],
    [
      ['10.214.0.2', { key: keys.vps2, endpoint: '192.0.2.2:51820' }],
      ['10.214.0.3', { key: keys.vps3, endpoint: '192.0.2.2:51820' }],
    ],
  )
  assert.equal([...peersIn(text.replace(keys.vps2, 'x; rm -rf /'))].length, 1)
  assert.equal([...peersIn(text.slice(0, -30))].length, 1)
  assert.equal(peersIn(''), new Map())
})

test('the address of a host is its own for as long as it is called so', () => {
  const at = (name: string, address?: string) => addressIn(network, { name, address })
  assert.is(at('vps1'), at('vps1'))
  assert.is.not(at('vps1'), at('vps2'))
  assert.is(at('vps1', '10.214.7.7'), '10.214.7.7')
  for (let i = 0; i < 3000; i++) assert.not.match(addressIn('10.214.0.0/29', { name: `h${i}` }), /\.[07]$/)
  for (let i = 0; i < 100; i++) assert.match(at(`h${i}`), /^10\.214\.\d+\.\d+$/)
})

for (const [vars, said] of [
  [{}, undefined],
  [{ network }, undefined],
  [{ network, address: '10.214.0.1' }, undefined],
  [{ address: '10.214.0.1' }, /^mesh\.network: missing: .*mesh\.address/],
  [{ keepalive: 25 }, /^mesh\.network: missing/],
  [{ network, address: '10.215.0.1' }, /not one for a host of 10\.214/],
  [{ network, address: '10.214.0.0' }, /not one for a host/],
  [{ network, address: '10.214.255.255' }, /not one for a host/],
  [{ network: '10.210.0.0/16' }, /of bots/],
  [{ network: '10.211.4.0/24' }, /Docker's networks/],
  [{ network: '10.213.0.0/16' }, /bots and their database/],
  [{ network: '172.16.0.0/16' }, undefined],
  [{ network: '172.17.0.0/16' }, /Docker's default network/],
] as const)
  test(`${said === undefined ? 'takes' : 'refuses'} ${JSON.stringify(vars)}`, () => {
    const [fault = ''] = faultsOf(v.parse(schema, vars), 'vps1')
    if (said === undefined) assert.is(fault, '')
    else assert.match(fault, said)
  })

for (const vars of [
  { network: '10.214.0.0' },
  { network: '10.214.0.1/16' },
  { network: '10.0.0.0/8' },
  { network: '10.214.0.0/30' },
  { network: '8.8.0.0/16' },
  { network: '169.254.0.0/16' },
  { network: 'fd00::/64' },
  { network, address: 'vps1' },
  { network, endpoint: 'vps1.example.org' },
  { network, port: 0 },
  { network, port: '51820' },
  { network, mtu: 500 },
  { network, keepalive: true },
  { network, adress: '10.214.0.1' },
])
  test(`does not take ${JSON.stringify(vars)}`, () => assert.not(v.safeParse(mesh.vars, vars).success))

test('reads what a host says, and of secrets only that there is one', () => {
  const said = `tun
route 10.212.4.0/24 eth0
route 10.214.0.0/16 mesh0
own ${keys.own}
LoadState=loaded
ActiveState=active
UnitFileState=enabled
mtu 1420
address 10.214.0.1/16
interface ${keys.own} 51820
peer ${keys.vps2} 10.214.0.2/32 off plain heard
peer ${keys.vps3} 10.214.0.3/32 25 shared (none)
`
  assert.equal(parseMesh(said), {
    ...{ kernel: false, tun: true, routes: [{ network: '10.212.4.0/24', by: 'eth0' }], ownKey: keys.own },
    unit: { load: 'loaded', active: 'active', enabled: 'enabled' },
    link: {
      ...{ addresses: ['10.214.0.1/16'], mtu: 1420, key: keys.own, port: 51_820 },
      peers: [
        { key: keys.vps2, allowed: '10.214.0.2/32', keepalive: 'off', shared: false, endpoint: undefined },
        { key: keys.vps3, allowed: '10.214.0.3/32', keepalive: '25', shared: true, endpoint: '(none)' },
      ],
    },
  })
  assert.is(parseMesh('kernel\n').link, undefined)
})

test('knows a public key', () => {
  assert.ok(isPublicKey(keys.own))
  for (const text of ['', 'x', `${keys.own}\n`, `${keys.own} `, `${'A'.repeat(43)}=`.replace('A=', 'B=')])
    assert.not(isPublicKey(text))
})

test.run()
