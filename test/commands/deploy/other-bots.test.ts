// What bot.ts --name X asks of the other bots, here and on hosts.
import { subscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { deploymentsOf, release } from '../../../commands/deploy/deployment.ts'
import { deploy } from '../../../commands/deploy/index.ts'
import type { PrepareHost, Roles } from '../../../lib/cli/run-host.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { PlannedChange } from '../../../lib/engine/plan.ts'
import { read } from '../../../lib/engine/run-steps.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { ConnectError, HostError, InventoryError } from '../../../lib/std/errors.ts'
import { bot } from '../../../roles/bot/index.ts'
import { rejects } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { connectionTo, framedConnectionTo, type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'other-bots-test-'))
const marks = join(folder, 'marks')
test.before.each(() => writeFileSync(marks, ''))
test.after(() => rmSync(folder, { recursive: true }))
const marked = () => readFileSync(marks, 'utf8').split('\n').filter(Boolean)

const registries = { 'r.example.org': { username: 'me', password: { command: `echo registry >>${marks}; echo pass` } } }
const vars = { bot: v.parse(bot.vars, { registries }) }
const tokenFor = (id: string) => `${id}:abcdefghijklmnopqrstuvwxyz`
/** A bot whose secrets come from commands, which leave a mark. */
const entry = (name: string, id: string, more: object = {}) => ({
  name,
  where: 'x.yaml:1:1',
  settings: {
    image: `r.example.org/${name}:1`,
    token: { command: `echo token of ${name} >>${marks}; echo ${tokenFor(id)}` },
    secrets: { KEY: { command: `echo secret of ${name} >>${marks}; echo value` } },
    ...more,
  },
})
const hostOf = (name: string, bots: InventoryHost['bots']): InventoryHost => ({
  ...{ name, ssh: name, domain: `${name}.example.org`, httpsPort: 443, groups: [], bots, vars },
})

interface Given {
  readonly hosts: readonly InventoryHost[]
  readonly connections?: Readonly<Record<string, Connection>>
  readonly own?: Record<string, string[]>
  readonly check?: boolean
  readonly converge: (host: InventoryHost, roles: Roles, prepare: PrepareHost) => Promise<number>
}

function sessionOf({ hosts, connections = {}, own = {}, check = false, converge }: Given) {
  const said: string[] = []
  const asked: string[] = []
  const session = {
    ...{ hosts, inventory: { file: 'x.yaml', hosts, sandbox: false, sshConfig: undefined } },
    options: { own: new Map(Object.entries(own)), check, forks: 5 },
    report: { line: (line: string) => said.push(line) },
    hold: async () => void asked.push('hold'),
    converge: async (some: readonly InventoryHost[], roles: Roles, prepare: PrepareHost) => {
      const codes = []
      for (const host of some) codes.push(await converge(host, roles, prepare))
      return Math.max(...codes)
    },
    connected: async (host: InventoryHost, use: (c: Connection) => Promise<unknown>) => {
      asked.push(host.name)
      const connection = connections[host.name]
      if (connection === undefined) throw new ConnectError(`${host.name}: no route to host`)
      return use(connection)
    },
  } as unknown as Session
  return { session, said, asked }
}

/** Each program of the host leaves its name among the calls, and does what it does. */
const counted = Object.fromEntries(
  'awk base64 basename cat cut date df dirname find grep head ip ls readlink sed sha256sum sort stat tail tr wc xargs'
    .split(' ')
    .map((name) => [name, `PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec ${name} "$@"`]),
)
let processes = 0
subscribe('child_process', () => void processes++)

/** `bot.ts --name one` with nothing to change, beside so many other bots: what it runs here and there. */
async function besides(others: number) {
  const names = Array.from({ length: others }, (_, i) => `other-${i}`)
  const hosts = [
    hostOf('vps1', [entry('one', '1'), ...names.map((name, i) => entry(name, String(i + 2)))]),
    hostOf('vps2', [entry('elsewhere', '9999')]),
  ]
  const there = scratchHost(counted)
  there.write('/var/lib/botgarden/allocations', '')
  for (const [i, name] of ['one', ...names].entries()) {
    there.write(`/etc/botgarden/secrets/bots/${name}/token`, tokenFor(String(i + 1)))
    there.write(`/var/lib/botgarden/bots/${name}/current.json`, '{}')
  }
  const connection = framedConnectionTo(there)
  let calls: string[] = []
  const converge = async (host: InventoryHost, roles: Roles, prepare: PrepareHost) => {
    const role = (await (roles as (host: InventoryHost, c: Connection) => Promise<(typeof bot)[]>)(host, connection))[0]
    const resources = role?.resources(host.vars.bot, facts, host) ?? []
    await read(
      connection,
      resources.flatMap(({ reads }) => reads),
    )
    await prepare(host, connection, [], [])
    calls = there.noted('calls').split('\n')
    return 0
  }
  const { session, asked } = sessionOf({ hosts, own: { name: ['one'] }, converge })
  const before = processes
  await deploy(session, () => true)
  const programs = calls.flatMap((call) => call.split(' ')[0] || []).sort()
  return { processes: processes - before, asked, roundTrips: connection.roundTrips, programs }
}

test('bot.ts --name X runs the secret commands of X, each once, and of no other bot', async () => {
  await besides(50)
  assert.equal(marked(), ['token of one', 'secret of one', 'registry'])
})

test('beside fifty bots it starts no more programs than beside one, here and on the host, and asks no more often', async () => {
  const [one, fifty] = [await besides(1), await besides(50)]
  assert.ok(one.programs.length > 5)
  assert.equal(fifty, one)
  assert.equal([one.asked, one.roundTrips], [[], 1])
})

test('a command that several bots name is run once', async () => {
  const same = { token: undefined, secrets: { KEY: { command: `echo shared >>${marks}; echo value` } } }
  await deploymentsOf([hostOf('vps1', [entry('one', '1', same), entry('two', '2', same)])])
  assert.equal(marked(), ['shared', 'registry'])
})

test('bots of hosts that --limit leaves out are not loaded', async () => {
  const hosts = [hostOf('vps1', [entry('one', '1')]), hostOf('vps2', [entry('two', '2')])]
  const { session } = sessionOf({ hosts, own: { all: [] }, converge: async () => 0 })
  await deploy({ ...session, hosts: hosts.slice(0, 1) }, () => false)
  assert.equal(marked(), ['token of one', 'secret of one', 'registry'])
})

/** The preparation for these changes on vps1, with one of its bots deployed, and another bot on vps2. */
async function prepared({
  changes,
  here = scratchHost(),
  there,
  other = entry('two', '2'),
  check = false,
}: {
  changes: readonly string[]
  here?: ScratchHost
  there?: ScratchHost
  other?: InventoryHost['bots'][number]
  check?: boolean
}) {
  const [first, second] = [hostOf('vps1', [entry('one', '1')]), hostOf('vps2', [other])]
  const converge = async (host: InventoryHost, _: Roles, prepare: PrepareHost) => {
    const planned = changes.map((id) => ({ id, change: {} })) as unknown as PlannedChange[]
    await prepare(host, connectionTo(here), planned, [])
    return 0
  }
  const connections = there && { vps2: connectionTo(there) }
  const { session, said, asked } = sessionOf({
    hosts: [first, second],
    check,
    converge,
    ...(connections && { connections }),
  })
  await release(session, [first], await deploymentsOf([first]))
  return { said, asked }
}
function keeping(tokens: Readonly<Record<string, string>>): ScratchHost {
  const host = scratchHost()
  for (const [name, id] of Object.entries(tokens)) host.write(`/etc/botgarden/secrets/bots/${name}/token`, tokenFor(id))
  return host
}

test('a token that is new to its host is compared with those that the other hosts keep', async () => {
  const changes = ['token:one']
  for (const check of [false, true])
    await rejects(
      prepared({ changes, there: keeping({ two: '1' }), check }),
      /^one and two, which is on vps2, use the same token of bot 1: get a separate token for each from BotFather$/,
      HostError,
    )
  assert.equal(await prepared({ changes, there: keeping({ two: '2', three: '11' }) }), { said: [], asked: ['vps2'] })
  // It moves from there.
  await prepared({ changes, there: keeping({ one: '1' }) })
  assert.equal(
    marked().filter((line) => line.endsWith('two')),
    [],
  )
})

test('a host that cannot be asked for its tokens is named, and keeps nobody from a release', async () => {
  const { said } = await prepared({ changes: ['token:one'] })
  assert.equal(said, ['vps2  warning: not asked whether one of its bots has the same token: vps2: no route to host'])
})

test('where no token is written nobody is asked', async () => {
  const here = scratchHost()
  here.write('/var/lib/botgarden/bots/one/current.json', '{}')
  assert.equal(await prepared({ changes: ['release:one', 'token:two'], here }), { said: [], asked: [] })
})

test('a token in the environment of this machine is compared before its bot was ever deployed', async () => {
  process.env.TWIN_OF_ONE = tokenFor('1')
  const other = entry('two', '2', { token: { env: 'TWIN_OF_ONE' } })
  try {
    await rejects(
      prepared({ changes: ['token:one'], there: keeping({}), other }),
      /^one and two use the same token of bot 1/,
      InventoryError,
    )
  } finally {
    delete process.env.TWIN_OF_ONE
  }
})

test('a large context is uploaded where its image is planned, and not for a check', async () => {
  const host = hostOf('vps1', [entry('one', '1')])
  const deployments = await deploymentsOf([host])
  const context = { archive: 'A'.repeat(4_000_004), files: 1, checksum: 'x', migrations: undefined, options: [] }
  const large = new Map([...deployments].map(([name, each]) => [name, { ...each, context }]))
  const uploaded = async (changes: readonly string[], check = false) => {
    const there = scratchHost()
    const converge = async (each: InventoryHost, _: Roles, prepare: PrepareHost) => {
      await prepare(
        each,
        connectionTo(there),
        changes.map((id) => ({ id, change: {} })) as unknown as PlannedChange[],
        [],
      )
      return 0
    }
    const { session, asked } = sessionOf({ hosts: [host], check, converge })
    await release(session, [host], large)
    return [there.there('/var/lib/botgarden/incoming/x.context.tar.gz'), asked.length]
  }
  const image = 'image:r.example.org/one:1'
  assert.equal(
    [await uploaded([image]), await uploaded([image], true), await uploaded(['release:one'])],
    [
      [true, 1],
      [false, 0],
      [false, 0],
    ],
  )
})

test.run()
