// What site.ts finds out for the hosts of a mesh, with hosts that answer as they are told to.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answerOf } from '../../../commands/mesh/ask.ts'
import { meshGiven } from '../../../commands/mesh/index.ts'
import { convergeWith } from '../../../lib/cli/given.ts'
import type { Options } from '../../../lib/cli/options.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { type InventoryHost, readInventory } from '../../../lib/inventory/inventory.ts'
import { ConnectError } from '../../../lib/std/errors.ts'
import { allRoles, base, mesh, ufw } from '../../../roles/index.ts'
import { errorOf } from '../../support/errors.ts'
import { countedConnection, facts } from '../../support/fake-host.ts'
import { contentOf, wantsOf } from '../../support/plan-of.ts'
import { scratchFile } from '../../support/runner.ts'

const key = (letter: string) => `${letter.repeat(42)}A=`
const block = (address: string, letter: string, endpoint: string) =>
  `[Peer]\nPublicKey = ${key(letter)}\nAllowedIPs = ${address}/32\nEndpoint = ${endpoint}\n`
const own = (letter: string) => `own ${key(letter)}\n`
const three = `vars: { mesh: { network: 10.214.0.0/16 } }
hosts:
  a: { mesh: { address: 10.214.0.1 } }
  b: { mesh: { address: 10.214.0.2 } }
  c: { mesh: { address: 10.214.0.3, endpoint: 203.0.113.3, port: 51821 } }
`
let files = 0

/** A session with hosts that answer this; who does not answer is down. What the key stage was asked to do is noted. */
async function sessionOf(
  text: string,
  answers: Record<string, string>,
  { check = false, limit = ['a', 'b', 'c'] } = {},
) {
  const inventory = await readInventory(scratchFile(`mesh${files++}.yaml`, text), allRoles)
  const hosts = inventory.hosts.filter(({ name }) => limit.includes(name))
  const noted = { asked: [] as string[], lines: [] as string[], stages: [] as string[][] }
  const session = {
    ...{ inventory, hosts, options: { check, forks: 5 } as Options },
    report: { line: (line: string) => noted.lines.push(line) } as unknown as Session['report'],
    hold: async () => {},
    converge: async (some: readonly InventoryHost[], roles: unknown) => {
      noted.stages.push([...some.map(({ name }) => name), typeof roles])
      if (Array.isArray(roles))
        for (const { name } of some) answers[name] = own(name.toUpperCase()) + (answers[name] ?? '')
      return 0
    },
    connected: async <T>(
      host: InventoryHost,
      use: (connection: ReturnType<typeof countedConnection>) => Promise<T>,
    ) => {
      noted.asked.push(host.name)
      const answer = answers[host.name]
      if (answer === undefined) throw new ConnectError(`${host.name}: cannot be reached`)
      const connection = countedConnection(async (_, { text: say }) => {
        say?.(Buffer.from(answer))
        return 0
      })
      return use({ ...connection, facts: { ...facts, address: `192.0.2.${host.name.charCodeAt(0)}` } })
    },
  } satisfies Session
  return { session, noted }
}

/** The file of a host's mesh, as the run would write it. */
async function fileOf(name: string, ...[text, answers, how]: Parameters<typeof sessionOf>) {
  const { session, noted } = await sessionOf(text, answers, how)
  const given = await meshGiven(session, [mesh, ufw])
  const host = session.hosts.find((each) => each.name === name)
  if (host === undefined) throw new Error(name)
  const resources = given?.(host, mesh).resources(host.vars.mesh, facts, host) ?? []
  const { missing } = wantsOf(resources, 'mesh:address') as { missing: string[] }
  return { text: contentOf(resources, 'mesh0.conf'), missing, noted }
}

test('where no host is in a mesh nobody is asked, and the roles are as they are', async () => {
  const { session, noted } = await sessionOf('hosts: { a: , b: }\n', {})
  assert.is(await meshGiven(session, [base, mesh, ufw]), undefined)
  assert.is(await convergeWith(meshGiven)(session, [base]), 0)
  assert.equal(noted, { asked: [], lines: [], stages: [['a', 'b', 'object']] })
})

test('each host is told the keys of the others, for one question to each', async () => {
  const answers = { a: own('A'), b: own('B'), c: own('C') }
  const { text, missing, noted } = await fileOf('a', three, answers)
  assert.equal(noted, { asked: ['a', 'b', 'c'], lines: [], stages: [] })
  assert.equal(missing, [])
  assert.match(text, /^Address = 10\.214\.0\.1\/16$/m)
  assert.match(text, block('10.214.0.2', 'B', '192.0.2.98:51820'))
  assert.match(text, block('10.214.0.3', 'C', '203.0.113.3:51821'))
  assert.not.match(text, key('A'))
})

test('the hosts outside of --limit are asked as well, and stay peers', async () => {
  const { text, noted } = await fileOf('a', three, { a: own('A'), b: own('B'), c: own('C') }, { limit: ['a'] })
  assert.equal(noted.asked, ['a', 'b', 'c'])
  assert.ok(text.includes(key('B')) && text.includes(key('C')))
})

test('a host that is down stays what it was to the others; one that nothing is known of is named', async () => {
  const former = own('A') + block('10.214.0.2', 'X', '192.0.2.77:51820') + block('10.214.9.9', 'Y', '192.0.2.9:1')
  const { text, missing, noted } = await fileOf('a', three, { a: former }, { limit: ['a'] })
  assert.ok(text.includes(block('10.214.0.2', 'X', '192.0.2.77:51820')))
  assert.not.match(text, key('Y'), 'who is not in the inventory is gone')
  assert.equal(missing, ['c'])
  assert.equal(noted.lines.length, 2)
  assert.match(noted.lines[0] ?? '', /^b {2}warning: not asked for its key/)
})

test('keys are made in a stage of their own, by those that have none; a check says what comes without it', async () => {
  const { text, noted } = await fileOf('a', three, { a: own('A'), b: '', c: own('C') })
  assert.equal(noted.stages, [['b', 'object']])
  assert.equal(noted.asked, ['a', 'b', 'c', 'b'])
  assert.ok(text.includes(key('B')))
  const checked = await fileOf('a', three, { a: '', b: '', c: own('C') }, { check: true })
  assert.equal(checked.noted.stages, [])
  assert.match(checked.text, /^PublicKey = \(made by this run\)$/m)
  const limited = await fileOf('a', three, { a: own('A'), b: '', c: own('C') }, { limit: ['a'] })
  assert.equal([limited.noted.stages, limited.missing], [[], ['b']])
})

test('two hosts with one key are refused, whoever has copied it', async () => {
  const { session } = await sessionOf(three, { a: own('A'), b: own('C'), c: own('C') })
  assert.match((await errorOf(meshGiven(session, [mesh]))).message, /mesh: b and c have the same key/)
})

test('with the firewall alone nobody is asked, and it knows of the mesh', async () => {
  const { session, noted } = await sessionOf(three, {})
  const given = await meshGiven(session, [ufw])
  const [host] = session.hosts
  if (host === undefined || given === undefined) throw new Error('no host')
  assert.match(contentOf(given(host, ufw).resources(host.vars.ufw, facts, host), 'after.init'), /-o mesh0 /)
  assert.equal(noted.asked, [])
})

test('hosts of two meshes do not meet, and one outside of any is left as it is', async () => {
  const two = 'hosts: { a: { mesh: { network: 10.214.0.0/24 } }, b: { mesh: { network: 10.215.0.0/24 } }, c: }\n'
  const { text, noted } = await fileOf('a', two, { a: own('A'), b: own('B') }, { limit: ['a'] })
  assert.not.match(text, /\[Peer\]/)
  assert.equal(noted.asked, ['a'])
  const { session } = await sessionOf(two, { a: own('A'), b: own('B') })
  const given = await meshGiven(session, [mesh, ufw])
  const c = session.hosts.find(({ name }) => name === 'c')
  assert.ok(c && given?.(c, mesh) === mesh && given(c, ufw) === ufw)
})

for (const [what, text, said] of [
  [
    'one address for two',
    'vars: { mesh: { network: 10.214.0.0/16, address: 10.214.0.1 } }\nhosts: { a: , b: }\n',
    /hosts\.a and hosts\.b: mesh\.address: 10\.214\.0\.1/,
  ],
  [
    'networks that overlap',
    'hosts: { a: { mesh: { network: 10.214.0.0/16 } }, b: { mesh: { network: 10.214.8.0/24 } } }\n',
    /hosts\.a and hosts\.b: mesh\.network: .* overlap/,
  ],
  [
    'one endpoint for two',
    'vars: { mesh: { network: 10.214.0.0/16, endpoint: 192.0.2.1 } }\nhosts: { a: , b: }\n',
    /both are reached at 192\.0\.2\.1:51820: give one another mesh\.port/,
  ],
  [
    'one address of ssh for two',
    'vars: { mesh: { network: 10.214.0.0/16 } }\nhosts: { a: { ssh: "192.0.2.1:22" }, b: { ssh: "192.0.2.1:23" } }\n',
    /both are reached at/,
  ],
  [
    'the network of bots',
    'vars: { mesh: { network: 10.77.1.0/24 }, bot: { network: "10.77" } }\nhosts: { a: }\n',
    /hosts\.a: mesh\.network: .*overlaps bot\.network/,
  ],
  [
    'an endpoint inside of the mesh',
    'hosts: { a: { mesh: { network: 10.214.0.0/16, endpoint: 10.214.0.9 } } }\n',
    /hosts\.a: mesh\.endpoint: .*is inside of/,
  ],
] as const)
  test(`refuses before anybody is asked: ${what}`, async () => {
    const { session, noted } = await sessionOf(text, {})
    const error = await errorOf(meshGiven(session, [mesh]))
    assert.match(error.message, said)
    assert.is((error as unknown as { exitCode: number }).exitCode, 1)
    assert.equal(noted.asked, [])
  })

test('what a host claims is taken for what it looks like, or not at all', () => {
  assert.equal(answerOf('own x; reboot\n', 'nowhere'), { key: undefined, address: undefined, peers: new Map() })
  const { peers } = answerOf(
    `[Peer]\nPublicKey = ${key('B')}\nAllowedIPs = 10.214.0.2/32\nEndpoint = \\"x:1\n`,
    '192.0.2.1',
  )
  assert.equal([...peers], [])
})

test.run()
