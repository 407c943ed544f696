// Which hosts are in a swarm, who manages it, what is open to whom, and what the runs of site.ts make of hosts that answer so.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { swarmGiven, thenJoin } from '../../../commands/mesh/swarm/index.ts'
import { swarmDoors, swarmFaults, swarmsOf } from '../../../commands/mesh/swarm/members.ts'
import type { Options } from '../../../lib/cli/options.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { type InventoryHost, readInventory } from '../../../lib/inventory/inventory.ts'
import type { Role } from '../../../lib/model/role.ts'
import { ConnectError } from '../../../lib/std/errors.ts'
import { allRoles, base, docker, swarm } from '../../../roles/index.ts'
import { errorOf } from '../../support/errors.ts'
import { countedConnection, facts } from '../../support/fake-host.ts'
import { idsOf } from '../../support/plan-of.ts'
import { scratchFile } from '../../support/runner.ts'

const inMesh = (names: string, bots: string, mesh = 'mesh: { network: 10.214.0.0/16 }') => `vars: { ${mesh} }
hosts: { ${names
  .split(' ')
  .map((name) => `${name}: { mesh: { address: 10.214.0.${name.charCodeAt(0) - 96} } }`)
  .join(', ')} }
bots: { ${bots} }
`
const hot = (home: string, hosts: string, name = 'hot') => `${name}: { host: ${home}, replicas: 2, hosts: [${hosts}] }`
let files = 0
const inventoryOf = async (text: string) => readInventory(scratchFile(`swarm${files++}.yaml`, text), allRoles)
const hostsOf = async (text: string) => (await inventoryOf(text)).hosts

test('no bot with replicas, no swarm', async () => {
  const hosts = await hostsOf(inMesh('a b', 'hot: { host: a }'))
  assert.equal(swarmsOf(hosts), [])
  assert.equal(
    hosts.flatMap((host) => swarmDoors(host, hosts)),
    [],
  )
})

test('with three hosts or more three manage it, the one with the bot among them; with two it alone', async () => {
  const managersOf = async (text: string) =>
    swarmsOf(await hostsOf(text))[0]?.members.flatMap(({ name, manager }) => (manager ? [name] : []))
  assert.equal(await managersOf(inMesh('a b', hot('b', 'a, b'))), ['b'])
  assert.equal(await managersOf(inMesh('a b c d e', hot('e', 'a, b, c, d, e'))), ['e', 'a', 'b'])
  assert.equal(await managersOf(inMesh('a b c', hot('c', 'a, b'))), ['c', 'a', 'b'])
  const members = swarmsOf(await hostsOf(inMesh('a b c', `${hot('a', 'a, b')}, ${hot('a', 'b, c', 'too')}`)))[0]
    ?.members
  assert.equal(
    members?.map(({ name, bots }) => [name, bots]),
    [
      ['a', ['hot']],
      ['b', ['hot', 'too']],
      ['c', ['too']],
    ],
  )
})

test('inside of the mesh its ports are open to its other hosts alone', async () => {
  const hosts = await hostsOf(inMesh('a b c', hot('a', 'a, b')))
  const doors = (name: string) => swarmDoors(hosts.find((each) => each.name === name) as InventoryHost, hosts)
  assert.equal(doors('a'), [
    '2377/tcp on mesh0 from 10.214.0.2',
    '7946/tcp on mesh0 from 10.214.0.2',
    '7946/udp on mesh0 from 10.214.0.2',
    '4789/udp on mesh0 from 10.214.0.2',
  ])
  assert.not.ok(doors('b').some((door) => door.startsWith('2377')))
  assert.equal(doors('c'), [])
})

test('hosts without a mesh, or of another one, are refused with the place of the bot', async () => {
  assert.match(
    swarmFaults(await hostsOf(`hosts: { a: , b: }\nbots: { ${hot('a', 'a, b')} }\n`)).join(),
    /swarm\d+\.yaml:2:\d+: bots\.hot\.replicas: a is in no mesh/,
  )
  const two = `hosts: { a: { mesh: { network: 10.214.0.0/16 } }, b: { mesh: { network: 10.215.0.0/16 } } }\nbots: { ${hot('a', 'a, b')} }\n`
  assert.match(swarmFaults(await hostsOf(two)).join(), /bots\.hot\.hosts: b is not in the mesh of a/)
  for (const pair of ['a: { postgres: { standby: c } }, b: , c: ', 'a: , b: , c: { postgres: { standby: a } }'])
    assert.match(
      swarmFaults(
        await hostsOf(
          `vars: { mesh: { network: 10.214.0.0/16 } }\nhosts: { ${pair} }\nbots: { ${hot('a', 'a, b')} }\n`,
        ),
      ).join(),
      /bots\.hot\.replicas: the database server of a is one of a pair/,
    )
  assert.match(
    (await errorOf(inventoryOf(inMesh('a b', hot('a', 'a, bb'))))).message,
    /bots\.hot\.hosts: unknown host "bb"/,
  )
})

const nothing = '{"state":"inactive","address":"","manages":false,"error":""}\n'
const active = (last: number, manages = true) =>
  `{"state":"active","address":"10.214.0.${last}","manages":${manages},"error":""}\nmanager 10.214.0.1:2377\n`
const tokens = `SWMTKN-1-${'m'.repeat(50)}\nSWMTKN-1-${'w'.repeat(50)}\n`

/** A session with hosts that answer this, one answer after the other; who has none is down. */
async function sessionOf(
  text: string,
  answers: Record<string, string[]>,
  { check = false, limit = ['a', 'b', 'c'] } = {},
) {
  const inventory = await inventoryOf(text)
  const stages: string[] = []
  const session = {
    ...{
      inventory,
      hosts: inventory.hosts.filter(({ name }) => limit.includes(name)),
      options: { check, forks: 5 } as Options,
    },
    report: { line: () => {} } as unknown as Session['report'],
    hold: async () => {},
    converge: async (some: readonly InventoryHost[], roles: unknown) => {
      for (const host of some) {
        const given = (await (roles as (host: InventoryHost) => Promise<Role[]>)(host)) as Role[]
        stages.push(
          `${host.name}: ${given.map((role) => idsOf(role.resources({ network: '10.216.0.0/16' }, facts, host))).join()}`,
        )
      }
      return 0
    },
    connected: async <T>(
      host: InventoryHost,
      use: (connection: ReturnType<typeof countedConnection>) => Promise<T>,
    ) => {
      const all = answers[host.name]
      if (all === undefined) throw new ConnectError(`${host.name}: cannot be reached`)
      const answer = (all.length > 1 ? all.shift() : all[0]) ?? ''
      return use(
        countedConnection(async (_, { text: say }) => {
          say?.(Buffer.from(answer))
          return 0
        }),
      )
    },
  } satisfies Session
  return { session, stages }
}

const three = inMesh('a b c', hot('a', 'a, b, c'))
const idsFor = async (...given: Parameters<typeof sessionOf>) => {
  const { session } = await sessionOf(...given)
  const give = await swarmGiven(session, [docker, swarm])
  return session.hosts.map((host) => {
    const role = give?.(host, swarm) ?? swarm
    const planned = role.resources({ network: '10.216.0.0/16' }, facts, host)
    return `${host.name} ${planned.map(({ id, wants }) => `${id} ${(wants as { entry?: string }).entry ?? ''}`.trim()).join(', ')}`
  })
}

test('where nobody asks for replicas no host is asked, and no role is another one', async () => {
  const { session } = await sessionOf(inMesh('a b', 'hot: { host: a }'), {})
  assert.is(await swarmGiven(session, [base, docker, swarm]), undefined)
  assert.is(await thenJoin(async () => 0)(session, [swarm]), 0)
})

test('one host begins; a check says that the others join; a swarm that is there is begun by nobody', async () => {
  const fresh = { a: [nothing], b: [nothing], c: [nothing] }
  assert.equal(await idsFor(three, fresh), ['a swarm:node begin', 'b swarm:node', 'c swarm:node'])
  assert.equal(await idsFor(three, fresh, { check: true }), [
    'a swarm:node begin, swarm:nodes',
    'b swarm:node join',
    'c swarm:node join',
  ])
  assert.equal(await idsFor(three, { a: [nothing], b: [active(2)], c: [active(3)] }), [
    'a swarm:node',
    'b swarm:node',
    'c swarm:node',
  ])
  // It may be in one that the others would not be in.
  assert.equal(await idsFor(three, { a: [nothing], b: [nothing] }), ['a swarm:node', 'b swarm:node', 'c swarm:node'])
  assert.equal(await idsFor(three, { a: [active(1)], b: [active(2)], c: [active(3)] }), [
    'a swarm:node, swarm:nodes',
    'b swarm:node',
    'c swarm:node',
  ])
})

const bare = '{"id":"n1","role":"manager","state":"ready","address":"10.214.0.1","labels":null}'

test('the others join when all are ready, and then a manager is told of all nodes', async () => {
  const { session, stages } = await sessionOf(three, {
    ...{ a: [active(1), tokens, `${active(1)}${bare}\n`], b: [nothing, active(2)], c: [nothing, active(3)] },
  })
  assert.is(await thenJoin(async () => 0)(session, [swarm]), 0)
  assert.equal(stages, ['b: swarm:node', 'c: swarm:node', 'a: swarm:node,swarm:nodes'])
  // What it knows already it is not told again.
  const told = (last: number) =>
    `{"id":"n${last}","role":"manager","state":"ready","address":"10.214.0.${last}","labels":{"botgarden.hot":"on"}}`
  const whole = `${active(1)}${[1, 2, 3].map(told).join('\n')}\n`
  const settled = await sessionOf(three, { a: [whole], b: [active(2)], c: [active(3)] })
  assert.is(await thenJoin(async () => 0)(settled.session, [swarm]), 0)
  assert.equal(settled.stages, [])
})

test('nobody joins after a failure, in a check, or where no manager answers', async () => {
  const answers = () => ({ a: [active(1), tokens, active(1)], b: [nothing], c: [nothing] })
  const failed = await sessionOf(three, answers())
  assert.is(await thenJoin(async () => 3)(failed.session, [swarm]), 3)
  const checked = await sessionOf(three, answers(), { check: true })
  assert.is(await thenJoin(async () => 2)(checked.session, [swarm]), 2)
  assert.equal([...failed.stages, ...checked.stages], [])
  const { session } = await sessionOf(three, { b: [nothing], c: [nothing] })
  assert.match(
    (await errorOf(thenJoin(async () => 0)(session, [swarm]))).message,
    /no manager of the swarm answers \(a, b, c\)/,
  )
  const odd = await sessionOf(three, { a: [active(1), 'rm -rf /\n'], b: [nothing], c: [nothing] })
  assert.match((await errorOf(thenJoin(async () => 0)(odd.session, [swarm]))).message, /does not tell/)
})

test.run()
