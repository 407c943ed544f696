import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hostByHost, type Verify } from '../../../commands/update/host-by-host.ts'
import { withStandbys } from '../../../commands/update/order.ts'
import { watchGiven } from '../../../commands/watch/index.ts'
import { convergeWith } from '../../../lib/cli/given.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { allRoles, watch } from '../../../roles/index.ts'

const host = (name: string, watched: object = {}) =>
  ({
    name,
    bots: [],
    vars: { watch: watched, bot: { telegram: 'http://telegram.sandbox' } },
  }) as unknown as InventoryHost

/** As update.ts has it. */
const verify: Verify = (session) => convergeWith(watchGiven)(session, allRoles)

/** What happens to hosts, in order, where an update or a verification of these ends with another code than 0. */
async function happens(
  hosts: readonly InventoryHost[],
  codes: Readonly<Record<string, number>> = {},
  options: { check?: boolean } = {},
) {
  const done: string[] = []
  const roles: unknown[] = []
  const session = {
    hosts,
    inventory: { hosts },
    options,
    converge: async ([each]: readonly InventoryHost[], rolesOf: unknown) => {
      const what = `verify ${each?.name}`
      done.push(what)
      roles.push(typeof rolesOf === 'function' ? await rolesOf(each) : rolesOf)
      return codes[what] ?? 0
    },
    connected: async (each: InventoryHost, use: (connection: unknown) => Promise<unknown>) => {
      done.push(`ask the bots of ${each.name}`)
      return use(undefined)
    },
  } as unknown as Session
  const code = await hostByHost(session, verify, async ({ name }) => {
    done.push(`update ${name}`)
    return codes[`update ${name}`] ?? 0
  })
  return { code, done, roles }
}

const [one, two] = [host('one'), host('two')]
const whole = (name: string) => [`update ${name}`, `verify ${name}`, `ask the bots of ${name}`]

test('a host is updated and verified before the next one begins', async () => {
  const { code, done } = await happens([one, two])
  assert.is(code, 0)
  assert.equal(done, [...whole('one'), ...whole('two')])
})

for (const [what, codes, last] of [
  ['an update', { 'update one': 3 }, ['update one']],
  ['a verification', { 'verify one': 3 }, ['update one', 'verify one']],
] as const)
  test(`after ${what} that fails no other host begins`, async () => {
    const { code, done } = await happens([one, two], codes)
    assert.is(code, 3)
    assert.equal(done, last)
  })

test('a check looks at every host, and verifies none', async () => {
  const { code, done } = await happens([one, two], { 'update one': 3, 'update two': 2 }, { check: true })
  assert.is(code, 3)
  assert.equal(done, ['update one', 'update two'])
})

test('every role is verified, and what watches a host by its own Bot API', async () => {
  const { roles } = await happens([host('watched', { url: 'https://example.org' })])
  const [verified] = roles as [(typeof watch)[]]
  assert.equal(
    verified.map(({ name }) => name),
    allRoles.map(({ name }) => name),
  )
  assert.is.not(
    verified.find(({ name }) => name === 'watch'),
    watch,
    'it would be the one of api.telegram.org',
  )
})

test('of a pair the standby comes first, or last; the others stay in their order', () => {
  const mesh = (address: string) => ({ network: '10.214.0.0/16', address, port: 51820 })
  const inMesh = (name: string, address: string, postgres: object = {}) =>
    ({ name, bots: [], vars: { mesh: mesh(address), postgres } }) as unknown as InventoryHost
  const hosts = [host('a'), inMesh('b', '10.214.0.1', { standby: 'd' }), host('c'), inMesh('d', '10.214.0.2')]
  const session = { hosts, inventory: { hosts } } as unknown as Session
  const order = (where: 'first' | 'last') => withStandbys(session, where).hosts.map(({ name }) => name)
  assert.equal(
    [order('first'), order('last')],
    [
      ['d', 'a', 'b', 'c'],
      ['a', 'b', 'c', 'd'],
    ],
  )
})

test.run()
