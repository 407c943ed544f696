// The order in which the hosts of a pair come, and what each is told, with hosts that answer as they are told to.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { standbyGiven } from '../../../commands/standby/index.ts'
import { convergeWith } from '../../../lib/cli/given.ts'
import type { Options } from '../../../lib/cli/options.ts'
import type { PrepareHost } from '../../../lib/cli/run-host.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { type InventoryHost, readInventory } from '../../../lib/inventory/inventory.ts'
import type { Role } from '../../../lib/model/role.ts'
import { ConnectError } from '../../../lib/std/errors.ts'
import { allRoles, base, postgres } from '../../../roles/index.ts'
import { errorOf } from '../../support/errors.ts'
import { countedConnection, facts } from '../../support/fake-host.ts'
import { idsOf, wantsOf } from '../../support/plan-of.ts'
import { scratchFile } from '../../support/runner.ts'

const inventoryText = (ofA: string) => `vars: { mesh: { network: 10.214.0.0/16 } }\nhosts: { a: { ${ofA} }, b: , c: }\n`
const data = 'data 7000 leads 2 \n'
const state = (more: object = {}) =>
  `${JSON.stringify({ inRecovery: false, slot: null, standby: null, synchronous: false, maxConnections: 60, bytes: 1, ...more }).replace('"inRecovery":', '"inRecovery" : ')}\n`
const streams = { standby: { state: 'streaming', sync: 'async', bytesBehind: 0, secondsBehind: null } }
let files = 0

async function converged(
  ofA: string,
  answers: Record<string, string>,
  { check = false, limit = ['a', 'b', 'c'] } = {},
) {
  const inventory = await readInventory(scratchFile(`pair${files++}.yaml`, inventoryText(ofA)), allRoles)
  const stages: string[][] = []
  const told = new Map<string, Role>()
  const asked: string[] = []
  const session = {
    ...{ inventory, hosts: inventory.hosts.filter(({ name }) => limit.includes(name)) },
    options: { check, forks: 5 } as Options,
    report: { line: () => {} } as unknown as Session['report'],
    hold: async () => {},
    converge: async (some: readonly InventoryHost[], roles: unknown, prepare?: PrepareHost) => {
      const names = some.map(({ name }) => name)
      stages.push([...names, ...(prepare === undefined ? [] : ['prepared'])])
      for (const host of some)
        for (const role of typeof roles === 'function' ? await roles(host) : roles)
          told.set(`${host.name} ${role.name}`, role)
      return check ? 2 : 0
    },
    connected: async <T>(
      host: InventoryHost,
      use: (connection: ReturnType<typeof countedConnection>) => Promise<T>,
    ) => {
      asked.push(host.name)
      const answer = answers[host.name]
      if (answer === undefined) throw new ConnectError(`${host.name}: cannot be reached`)
      const connection = countedConnection(async (_, { text }) => {
        text?.(Buffer.from(answer))
        return 0
      })
      return use({ ...connection, facts: { ...facts, memoryMiB: host.name === 'b' ? 2048 : 1024 } })
    },
  } satisfies Session
  const code = await convergeWith(standbyGiven)(session, [base, postgres])
  const resources = (name: string) => {
    const host = inventory.hosts.find((each) => each.name === name) as InventoryHost
    return told.get(`${name} postgres`)?.resources(host.vars.postgres, facts, host) ?? []
  }
  return { code, stages, asked, resources }
}

test('without a standby in the inventory nobody is asked, and all hosts are one stage', async () => {
  const { stages, asked, resources } = await converged('', {})
  assert.equal([stages, asked], [[['a', 'b', 'c']], []])
  assert.equal(
    idsOf(resources('a')),
    idsOf(postgres.resources({ settings: {}, image: 'postgres:18.6' }, facts, { name: 'a', httpsPort: 443, bots: [] })),
  )
})

test('a standby comes after all others, when its primary was asked once more, and is brought its passwords', async () => {
  const { stages, asked, resources } = await converged('postgres: { standby: b }', { a: data + state(), b: '' })
  assert.equal(stages, [
    ['a', 'c'],
    ['b', 'prepared'],
  ])
  assert.equal(asked, ['a', 'b', 'a'])
  assert.ok(idsOf(resources('a')).includes('postgres-role:botgarden-standby'))
  assert.equal((wantsOf(resources('b'), 'standby:data') as { cluster: string }).cluster, '7000')
  assert.equal(
    wantsOf(resources('a'), 'file:/etc/botgarden/primary.json'),
    wantsOf(resources('b'), 'file:/etc/botgarden/primary.json'),
  )
  const conf = (name: string) =>
    (wantsOf(resources(name), 'file:/opt/botgarden/postgres/conf/postgresql.conf') as { content: string }).content
  for (const name of ['a', 'b']) assert.match(conf(name), 'max_connections = 100\n')
})

test('commits begin to wait when the standby is there, in a stage of their own; a check says it at once', async () => {
  const file = 'file:/opt/botgarden/postgres/conf/synchronous.conf'
  const vars = 'postgres: { standby: b, synchronous: true }'
  const first = await converged(vars, { a: data + state(), b: '' })
  assert.equal(first.stages, [['a', 'c'], ['b', 'prepared'], ['a']])
  assert.not.ok(idsOf(first.resources('a')).includes(file), 'nobody is there yet')
  const there = await converged(vars, { a: data + state(streams), b: '' })
  assert.ok(idsOf(there.resources('a')).includes(file))
  const checked = await converged(vars, { a: data + state(), b: '' }, { check: true })
  assert.equal(
    [checked.code, checked.stages],
    [
      2,
      [
        ['a', 'c'],
        ['b', 'prepared'],
      ],
    ],
  )
  assert.ok(idsOf(checked.resources('a')).includes(file))
  const steady = await converged(vars, { a: data + state({ ...streams, synchronous: true }), b: '' })
  assert.equal(steady.stages, [
    ['a', 'c'],
    ['b', 'prepared'],
  ])
})

test('one host of the two is run alone, and goes on while the other one is down', async () => {
  const a = await converged('postgres: { standby: b }', { a: data + state() }, { limit: ['a'] })
  assert.equal(a.stages, [['a']])
  const b = await converged('postgres: { standby: b }', { b: 'data 7000 follows 0 \n' }, { limit: ['b'] })
  assert.equal(b.stages, [['b', 'prepared']])
  assert.equal((wantsOf(b.resources('b'), 'standby:data') as { cluster: string }).cluster, 'unknown')
  const c = await converged('postgres: { standby: b }', {}, { limit: ['c'] })
  assert.equal([c.stages, c.asked], [[['c']], []])
})

test('where the hosts have another primary, nothing is touched', async () => {
  const record = 'record {"epoch":2,"primary":"b","standby":"a"}\n'
  const { message } = await errorOf(converged('postgres: { standby: b }', { a: data + state(), b: record + data }))
  assert.match(message, 'b is the primary (epoch 2)')
})

test('faults of the inventory come before anybody is asked', async () => {
  const { message } = await errorOf(converged('postgres: { standby: nobody }', {}))
  assert.match(message, 'unknown host "nobody"')
})

test.run()
