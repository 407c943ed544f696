// What the firewall of a host in a mesh lets in and out, by its rules. That packets fare so is seen on the sandbox.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { endpointsIn, meshDoor, meshFile } from '../../../lib/model/mesh.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { containerRules } from '../../../roles/ufw/containers.ts'
import { ufw, ufwRole } from '../../../roles/ufw/index.ts'
import { isInside, isRule, parseRule } from '../../../roles/ufw/rules.ts'
import type { UfwState } from '../../../roles/ufw/state.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf } from '../../support/plan-of.ts'

const doors = [meshDoor(5432, { from: '10.214.0.2' }), meshDoor(7946, { protocol: 'udp' })]
const ways = [{ bridge: 'docker_gwbridge', to: '10.214.0.2', port: 5432 }]
const serverWay = { bridge: 'br-db-mesh', to: '10.214.0.2', port: 5432 }
const open = ['8080/tcp', ...doors].map(parseRule)

interface Packet {
  readonly in?: string
  readonly out?: string
  readonly from?: string
  readonly to?: string
  readonly protocol?: 'tcp' | 'udp'
  readonly port: number
}

/** What becomes of the first packet of a connection in a chain: the first rule that is about it decides; `none`: ufw goes on. */
function fate(script: string, chain: 'INPUT' | 'FORWARD', packet: Packet): string {
  const [ipv4 = ''] = script.split('swap ip6tables')
  const { protocol = 'tcp', port } = packet
  const of = (rule: string, option: string) => new RegExp(`(?:^| )${option} (\\S+)`).exec(rule)?.[1]
  const isName = (pattern: string | undefined, name = '') =>
    pattern === undefined || pattern === name || (pattern.endsWith('+') && name.startsWith(pattern.slice(0, -1)))
  const isAt = (network: string | undefined, address = '203.0.113.1') =>
    network === undefined || isInside(address, network)
  const isPort = (ports: string | undefined) => ports === undefined || ports.split(',').includes(`${port}`)
  const ours = chain === 'INPUT' ? 'botgarden-input' : 'botgarden-forward'
  const hooked = [...ipv4.matchAll(new RegExp(`^-A ${chain} (.*)-j ${ours}`, 'gm'))].some(([, rule = '']) =>
    isName(of(rule, '-i'), packet.in),
  )
  if (!hooked) return 'none'
  for (const [, rule = ''] of ipv4.matchAll(new RegExp(`^-A ${ours} (.*) -m comment`, 'gm'))) {
    if (/--ctstate/.test(rule)) continue
    const isAbout =
      isName(of(rule, '-i'), packet.in) &&
      isName(of(rule, '-o'), packet.out) &&
      isAt(of(rule, '-s'), packet.from) &&
      isAt(of(rule, '-d'), packet.to) &&
      [undefined, protocol].includes(of(rule, '-p') as 'tcp') &&
      isPort(of(rule, '--dport') ?? of(rule, '--dports') ?? of(rule, '--ctorigdstport'))
    if (isAbout) return of(rule, '-j') ?? ''
  }
  return 'none'
}

const { script } = containerRules([80, 443], open, [], { ways: [...ways, serverWay], shut: ['br-db-mesh'] })

for (const [what, chain, packet, decision] of [
  ['a peer to a door for it', 'INPUT', { in: 'mesh0', from: '10.214.0.2', port: 5432 }, 'RETURN'],
  ['another peer to that door', 'INPUT', { in: 'mesh0', from: '10.214.0.3', port: 5432 }, 'DROP'],
  ['a peer to a door for all', 'INPUT', { in: 'mesh0', from: '10.214.0.3', protocol: 'udp', port: 7946 }, 'RETURN'],
  ['a peer to ssh', 'INPUT', { in: 'mesh0', from: '10.214.0.2', port: 22 }, 'DROP'],
  ['a peer to what is open to the world', 'INPUT', { in: 'mesh0', from: '10.214.0.2', port: 443 }, 'DROP'],
  ['the world to ssh, which is for ufw to say', 'INPUT', { in: 'eth0', port: 22 }, 'none'],
  ['a container to a door', 'INPUT', { in: 'br-1', from: '10.214.0.2', port: 5432 }, 'DROP'],
  ['a container of Swarm to ssh', 'INPUT', { in: 'docker_gwbridge', port: 22 }, 'DROP'],
  ['a container to a peer', 'FORWARD', { in: 'br-1', out: 'mesh0', to: '10.214.0.2', port: 5432 }, 'DROP'],
  [
    'a container of the default network to a peer',
    'FORWARD',
    { in: 'docker0', out: 'mesh0', to: '10.214.0.2', port: 22 },
    'DROP',
  ],
  [
    'a container of Swarm by its way',
    'FORWARD',
    { in: 'docker_gwbridge', out: 'mesh0', to: '10.214.0.2', port: 5432 },
    'RETURN',
  ],
  [
    'a container of Swarm to another port',
    'FORWARD',
    { in: 'docker_gwbridge', out: 'mesh0', to: '10.214.0.2', port: 2377 },
    'DROP',
  ],
  [
    'a container of Swarm to another peer',
    'FORWARD',
    { in: 'docker_gwbridge', out: 'mesh0', to: '10.214.0.3', port: 5432 },
    'DROP',
  ],
  ['a container to the world', 'FORWARD', { in: 'br-1', out: 'eth0', port: 443 }, 'RETURN'],
  ['a container of Swarm to the world', 'FORWARD', { in: 'docker_gwbridge', out: 'eth0', port: 443 }, 'RETURN'],
  [
    'a peer to what is published for it',
    'FORWARD',
    { in: 'mesh0', out: 'br-1', from: '10.214.0.2', port: 5432 },
    'RETURN',
  ],
  [
    'a peer to what is published for the world',
    'FORWARD',
    { in: 'mesh0', out: 'br-1', from: '10.214.0.2', port: 8080 },
    'DROP',
  ],
  ['a peer through this host', 'FORWARD', { in: 'mesh0', out: 'eth0', from: '10.214.0.2', port: 443 }, 'DROP'],
  ['the world to what is published for it', 'FORWARD', { in: 'eth0', out: 'br-1', port: 8080 }, 'RETURN'],
  [
    'the world to what is published for a peer',
    'FORWARD',
    { in: 'eth0', out: 'br-1', from: '10.214.0.2', port: 5432 },
    'DROP',
  ],
  ['a shut bridge by its way', 'FORWARD', { in: 'br-db-mesh', out: 'mesh0', to: '10.214.0.2', port: 5432 }, 'RETURN'],
  ['a shut bridge to the world', 'FORWARD', { in: 'br-db-mesh', out: 'eth0', port: 443 }, 'DROP'],
  ['a shut bridge to the web of its host', 'INPUT', { in: 'br-db-mesh', port: 443 }, 'DROP'],
  [
    'a peer by its door to a shut bridge',
    'FORWARD',
    { in: 'mesh0', out: 'br-db-mesh', from: '10.214.0.2', port: 5432 },
    'RETURN',
  ],
  [
    'another peer to a shut bridge',
    'FORWARD',
    { in: 'mesh0', out: 'br-db-mesh', from: '10.214.0.3', port: 5432 },
    'DROP',
  ],
  ['a container to a shut bridge', 'FORWARD', { in: 'br-1', out: 'br-db-mesh', port: 5432 }, 'DROP'],
  ['the world to a shut bridge', 'FORWARD', { in: 'eth0', out: 'br-db-mesh', port: 5432 }, 'DROP'],
  ['the world into the mesh', 'FORWARD', { in: 'eth0', out: 'mesh0', to: '10.214.0.2', port: 5432 }, 'DROP'],
] as const)
  test(`${what}: ${decision}`, () => assert.is(fate(script, chain, packet), decision))

test('on a host without a mesh the rules do not know of any', () => {
  const plain = containerRules([80, 443], open, []).script
  assert.not.match(plain, /-[io] mesh0|docker_gwbridge/)
  assert.is(fate(plain, 'FORWARD', { in: 'br-1', out: 'mesh0', to: '10.214.0.2', port: 5432 }), 'RETURN')
})

const settings = { ENABLED: 'yes' }
const state: UfwState = { settings, rules: [], differences: [], containers: { ipv4: [], ipv6: [] }, obstacles: [] }
const rulesOf = (text: string | undefined) =>
  planOf(ufwRole({ port: 51_820, doors, ways }).resources(v.parse(ufw.vars, {}), facts, entry), {
    'ufw:state': state,
    [`text:${meshFile}`]: text,
    'unit:ufw.service': runningUnit,
  }).find((line) => line.startsWith('ufw:rules'))

test('the port is open to those alone that the file of the mesh has as peers', () => {
  const text =
    'Endpoint = 192.0.2.2:51820\nEndpoint = 192.0.2.3:51821\nEndpoint = 192.0.2.2:9\nEndpoint = x.example.org:1\n'
  assert.equal(endpointsIn(text), ['192.0.2.2', '192.0.2.3'])
  assert.match(rulesOf(text) ?? '', /, allow 51820\/udp from 192\.0\.2\.2, allow 51820\/udp from 192\.0\.2\.3$/)
  assert.not.match(rulesOf(undefined) ?? '', /51820/)
})

test('a door is a rule of the firewall, in the mesh alone', () => {
  assert.ok(doors.every(isRule))
  assert.match(
    rulesOf('') ?? '',
    /allow in on mesh0 proto tcp from 10\.214\.0\.2 to any port 5432, allow in on mesh0 proto udp to any port 7946/,
  )
})

test.run()
