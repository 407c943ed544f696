// What bot.ts does with its options, and what the role plans for the bots of a host.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { deploymentsOf, deployRoles } from '../../../commands/deploy/deployment.ts'
import { deploy } from '../../../commands/deploy/index.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { bot, botRole } from '../../../roles/bot/index.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import type { ReleasePolicy } from '../../../roles/bot/release/policy.ts'
import { release as releasing } from '../../../roles/bot/release/resource.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf, planOf } from '../../support/plan-of.ts'
import { connectionTo, type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const token = (id: string) => ({ command: `echo ${id}:abcdefghijklmnopqrstuvwxyz` })
const botEntry = (name: string, id: string) => ({
  name,
  where: 'x.yaml:1:1',
  settings: { image: `${name}:1`, token: token(id) },
})
const vars = { bot: v.parse(bot.vars, {}) }
const hostOf = (name: string, bots: InventoryHost['bots']): InventoryHost => ({
  ...{ name, ssh: name, domain: `${name}.example.org`, httpsPort: 443, groups: [], bots, vars },
})
const two = [hostOf('vps1', [botEntry('one', '1'), botEntry('two', '2')]), hostOf('vps2', [botEntry('three', '3')])]

interface Given {
  readonly own: Record<string, string[]>
  readonly hosts?: readonly InventoryHost[]
  readonly all?: readonly InventoryHost[]
  readonly host?: ScratchHost
  readonly check?: boolean
  readonly backups?: boolean
  readonly code?: number
}

/** bot.ts with these options: its exit code, what it said, and the bots that each host's role was to bring. */
async function ran({
  own,
  hosts = two,
  all = two,
  host = scratchHost(),
  check = false,
  backups = false,
  code = 0,
}: Given) {
  const said: string[] = []
  const converged: string[] = []
  const plans: string[][] = []
  const connection = connectionTo(host)
  const session = {
    ...{ hosts, inventory: { file: 'x.yaml', hosts: all, sandbox: false, sshConfig: undefined } },
    options: { own: new Map(Object.entries(own)), check },
    report: { line: (line: string) => said.push(line) },
    hold: async () => {},
    converge: async (some: readonly InventoryHost[], given: unknown) => {
      for (const each of some) {
        const roles = (typeof given === 'function' ? await given(each, connection) : given) as (typeof bot)[]
        converged.push(each.name)
        for (const role of roles) plans.push(role.resources(each.vars.bot, facts, each).map(({ id }) => id))
      }
      return code
    },
    connected: (_: InventoryHost, use: (c: typeof connection) => Promise<unknown>) => use(connection),
  } as unknown as Session
  const out: string[] = []
  const write = process.stdout.write
  process.stdout.write = ((text: string) => out.push(text) > 0) as typeof write
  try {
    const ended = await deploy(session, () => backups)
    return { code: ended, said, out: out.join(''), converged, plans, host }
  } finally {
    process.stdout.write = write
  }
}
const releasesIn = (plans: string[][]) => plans.flat().filter((id) => id.startsWith('release:'))

async function refused(given: Given, pattern: RegExp): Promise<void> {
  await ran(given).then(
    () => assert.unreachable('nothing was refused'),
    (error: Error) => assert.match(error.message, pattern),
  )
}

for (const [own, pattern] of [
  [{}, /^which bot: --name BOT, or --all; the inventory has one, two, three$/],
  [{ all: [], name: ['one'] }, /^which bot: /],
  [{ name: ['tow'] }, /^unknown bot "tow" \(did you mean "two"\?\): x.yaml has one, two, three$/],
  [{ name: ['x', 'yyyyyy'] }, /^unknown bot "x".*\nunknown bot "yyyyyy".*$/],
  [{ name: ['one'], rollback: [], logs: [] }, /^--rollback and --logs cannot be combined$/],
  [{ name: ['one'], purge: [] }, /^--purge needs --remove$/],
  [{ name: ['one'], build: ['elsewhere'] }, /^--build elsewhere: should be host or local$/],
  [{ all: [], remove: [] }, /^--remove takes exactly one bot: --name BOT$/],
  [
    { name: ['one'], 'drop-pending': [], releases: [] },
    /^--drop-pending goes with a release or a rollback, not with --releases$/,
  ],
] as const)
  test(`refuses ${Object.keys(own).join(' ') || 'to guess'}`, () => refused({ own: own as Given['own'] }, pattern))

test('an inventory without bots, and a limit that leaves none, are said', async () => {
  await refused({ own: { all: [] }, all: [], hosts: [] }, /^x.yaml has no bots: add them under "bots:"$/)
  await refused({ own: {}, all: [], hosts: [] }, /^which bot: --name BOT, or --all$/)
  await refused(
    { own: { name: ['three'] }, hosts: two.slice(0, 1) },
    /^none of the hosts selected by --limit has three$/,
  )
})

test('brings the bots that are named, each to its host, and no other', async () => {
  const some = await ran({ own: { name: ['two, three'] } })
  assert.equal(some.converged, ['vps1', 'vps2'])
  assert.equal(releasesIn(some.plans), ['release:two', 'release:three'])
  assert.equal(releasesIn((await ran({ own: { name: ['one', 'one'] } })).plans), ['release:one'])
  assert.equal(releasesIn((await ran({ own: { all: [] } })).plans), ['release:one', 'release:two', 'release:three'])
  assert.is((await ran({ own: { name: ['one'] }, code: 3 })).code, 3)
})

test('a host that holds nothing, of which there are backups, is not begun anew by mistake', async () => {
  await refused(
    { own: { name: ['one'] }, backups: true },
    /^vps1 has no bots, but there are backups of it: restore.ts --host vps1 restores all of them; --new starts with empty databases$/,
  )
  assert.is((await ran({ own: { name: ['one'], new: [] }, backups: true })).code, 0)
  const known = scratchHost()
  known.write('/var/lib/botgarden/allocations', '')
  assert.is((await ran({ own: { name: ['one'] }, backups: true, host: known })).code, 0)
})

test('what waits is dropped after a release, not after a check or a failure, and only of the bots that were released', async () => {
  const host = scratchHost()
  host.write('/etc/botgarden/secrets/bots/one/token', '1:x')
  host.write('/etc/botgarden/secrets/bots/one/webhook-secret', 'x')
  const own = { name: ['one'], 'drop-pending': [] }
  const done = await ran({ own, host })
  assert.equal([done.code, done.said], [0, ['vps1  one: pending updates dropped']])
  host.note('telegram/setWebhook', '{"ok":false}')
  const not = await ran({ own, host })
  assert.equal([not.code, not.said], [3, ['vps1  one: pending updates not dropped: {"ok":false}']])
  for (const more of [{ check: true }, { code: 3 }]) assert.equal((await ran({ own, host, ...more })).said, [])
})

const past = (id: string, image: string, more: Partial<Release> = {}, spec: Partial<Spec> = {}): Release => ({
  ...{ id, spec: { ...specOf(image, {}, {}), ...spec }, colour: 'blue', secrets: {}, by: 'me' },
  ...more,
})
function withPast(...all: Release[]): ScratchHost {
  const host = scratchHost()
  host.write('/var/lib/botgarden/bots/one/releases', all.map((each) => `${JSON.stringify(each)}\n`).join(''))
  host.write('/var/lib/botgarden/bots/one/current.json', `${JSON.stringify(all.at(-1))}\n`)
  for (const { spec } of all) host.note(`images/${spec.image}`, '')
  return host
}

test('the releases and the last lines of a bot are printed', async () => {
  const host = withPast(past('1', 'one:1'), past('2', 'one:2'))
  const list = await ran({ own: { name: ['one'], releases: [] }, host })
  assert.equal([list.code, list.out], [0, '* 2  webhook  one:2  by me\n  1  webhook  one:1  by me\n'])
  host.container('botgarden-one-blue')
  assert.is(
    (await ran({ own: { name: ['one'], logs: [] }, host })).out,
    '== botgarden-one-blue\nthe log of botgarden-one-blue\n',
  )
})

test('back is a deployment of the past: its version, limits and secrets, without a token, and warned of where migrations are between', async () => {
  const limits = { memoryMB: 99, cpus: 0.25 }
  const host = withPast(
    past('1', 'one:1', { limits }, { migrations: 'a', secrets: ['KEY'] }),
    past('2', 'one:2', { dump: '/d' }, { migrations: 'b' }),
  )
  const back = await ran({ own: { name: ['one'], rollback: [] }, host })
  assert.is(back.code, 0)
  assert.equal(back.said, [
    'vps1  warning: the migrations have changed since 1, and the database is not rolled back; a dump from before them is on the host in /d',
  ])
  assert.ok(back.plans.flat().includes('secret:one/KEY'))
  assert.not.ok(back.plans.flat().some((id) => id.startsWith('image:')))
  await refused({ own: { name: ['one'], 'rollback-to': ['7'] }, host }, /one has no release "7"/)
  const to = await ran({ own: { name: ['one'], 'rollback-to': ['1'] }, host })
  assert.equal(releasesIn(to.plans), ['release:one'])
})

test('a removal is asked about, unless it was agreed to or is only a check', async () => {
  await refused(
    { own: { name: ['one'], remove: [] } },
    /^remove one from vps1 \(x.yaml\): there is no terminal to ask on; --yes says yes$/,
  )
  await refused(
    { own: { name: ['one'], remove: [], purge: [] } },
    /^remove one from vps1 \(x.yaml\), with its database and without a dump: /,
  )
  for (const more of [
    { own: { name: ['one'], remove: [], yes: [] } },
    { own: { name: ['one'], remove: [] }, check: true },
  ])
    assert.equal((await ran(more)).plans, [['bot:one']])
})

test('a large context is laid on the host beforehand, but not for a check', async () => {
  const deployments = await deploymentsOf([botEntry('one', '1')])
  const context = { archive: 'A'.repeat(4_000_004), files: 1, checksum: 'x', migrations: undefined }
  const large = new Map([...deployments].map(([name, each]) => [name, { ...each, context }]))
  const lay = async (check: boolean) => {
    const host = scratchHost()
    const report = { line: () => {} }
    const session = { options: { check, own: new Map() }, report, hold: async () => {} } as unknown as Session
    await deployRoles(session, large, { buildsHere: false })(two[0] as InventoryHost, connectionTo(host))
    return host.there('/var/lib/botgarden/incoming/one.context.tar.gz')
  }
  assert.equal([await lay(true), await lay(false)], [false, true])
})

// --- the role ---

const spec = specOf('botgarden/hello:abc', {}, { health: '/readyz', migrate: ['m'] })
const deployment = (more: Partial<Spec> = {}, other: Partial<Deployment> = {}): Deployment => ({
  ...{
    spec: { ...spec, ...more },
    manifest: {},
    context: undefined,
    pull: false,
    token: new Secret('1:a-token-of-a-bot'),
  },
  ...{ secrets: new Map(), by: 'me', ...other },
})
const instance = { bot: 'hello', number: 3, base: '10.210', telegram: 'https://api.telegram.org' }
const limits = { memoryMB: 160, cpus: 0.5 }
const served: Release = { id: '1', spec, colour: 'blue', secrets: { token: 'sum' }, by: 'me' }
const serving = (more: object = {}) => {
  const { checksum } = serviceFile(instance, 'blue', spec, limits)
  return {
    'container:botgarden-hello-blue': {
      status: 'running',
      health: '',
      config: checksum,
      restart: 'always',
      ...limits,
      ...more,
    },
  }
}
const base = {
  'allocations:bots': { hello: 3 },
  'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  'image:botgarden/hello:abc': { volumes: [] },
  'kept-secrets:hello': { token: 0 },
  'file:/etc/botgarden/secrets/bots/hello/token': { type: 'file', sha256: 'sum' },
}
const current = (release: Release | undefined) => ({
  'text:/var/lib/botgarden/bots/hello/current.json': release && JSON.stringify(release),
})
const policy: ReleasePolicy = {
  ...{ limits: () => limits, settle: 2, drain: 3, keep: 1, by: 'me', migrates: true },
  hook: {
    bot: 'hello',
    url: 'https://b.example.org/tg/hello',
    name: 'b.example.org',
    telegram: instance.telegram,
    ask: true,
  },
}
const plan = (target: Spec | undefined, state: Record<string, unknown>, more: Partial<ReleasePolicy> = {}) =>
  planOf([releasing(instance, target, { ...policy, ...more })], { ...base, ...state })

for (const [what, target, release, state, line] of [
  ['nothing where nothing was ever released', undefined, undefined, {}, undefined],
  ['a first release', spec, undefined, {}, 'release botgarden/hello:abc'],
  ['nothing for the same', spec, served, serving(), undefined],
  [
    'another port and mode',
    { ...spec, port: 9, mode: 'polling' as const },
    served,
    serving(),
    'release botgarden/hello:abc: mode, port',
  ],
  [
    'a rotated secret',
    spec,
    { ...served, secrets: { token: 'old' } },
    serving(),
    'release botgarden/hello:abc: secret token',
  ],
  ['nothing of that without a target', undefined, { ...served, secrets: { token: 'old' } }, serving(), undefined],
  ['one that is gone', undefined, served, {}, 'restart, since its container is gone'],
  ['one that is exited', undefined, served, serving({ status: 'exited' }), 'restart, since its container is exited'],
  [
    'another one in its place',
    spec,
    served,
    serving({ config: 'x' }),
    'restart, since its container differs from its release',
  ],
  ['one that no boot starts', spec, served, serving({ restart: 'unless-stopped' }), 'set the restart policy to always'],
  [
    'a leftover',
    undefined,
    served,
    { ...serving(), 'container:botgarden-hello-green': { status: 'exited' } },
    'clean up after an interrupted release',
  ],
] as const)
  test(`plans ${what}`, () =>
    assert.equal(plan(target, { ...state, ...current(release) }), line === undefined ? [] : [`release:hello: ${line}`]))

for (const [what, state, target, pattern] of [
  ['no number', { 'allocations:bots': {} }, spec, /^bot hello has no allocation on this host$/],
  ['no image', { 'image:botgarden/hello:abc': 'absent' }, spec, /^the image botgarden\/hello:abc is not on this host$/],
  [
    'a host that is too small',
    { 'free-capacity:host': { totalMB: 159, memoryMB: 159, diskMB: 9000 } },
    spec,
    /^bot hello may use 160 MiB of memory, and this host has 159 MiB in total: lower its "memory:"$/,
  ],
  [
    'too little memory',
    { 'free-capacity:host': { totalMB: 2000, memoryMB: 79, diskMB: 9000 } },
    spec,
    /^bot hello may use 160 MiB of memory, and only 79 MiB are free: lower its "memory:", or add memory to the host$/,
  ],
  [
    'too little disk',
    { 'free-capacity:host': { totalMB: 2000, memoryMB: 80, diskMB: 299 } },
    spec,
    /^only 299 MiB of disk are free on this host: a release needs 300 MiB$/,
  ],
] as const)
  test(`refuses a release with ${what}`, () => assert.throws(() => plan(target, state), pattern))

test('just enough is enough, and of two that poll only one needs room', () => {
  const room = (totalMB: number, memoryMB: number, diskMB: number) => ({
    'free-capacity:host': { totalMB, memoryMB, diskMB },
  })
  assert.is(plan(spec, room(160, 80, 300)).length, 1)
  const polling = { ...spec, mode: 'polling' as const, port: 9 }
  assert.is(plan(polling, { ...room(2000, 0, 300), ...current(served), ...serving() }).length, 1)
  assert.throws(() => plan(polling, { ...room(2000, 0, 300), ...current(served) }), /only 0 MiB are free: lower/)
  assert.throws(
    () => plan({ ...spec, port: 9 }, { ...room(2000, 0, 300), ...current(served), ...serving() }),
    /are free beside the current version: lower/,
  )
})

test('what a release leaves is what the next run wants to find', () => {
  const resources = [releasing(instance, spec, policy)]
  const [change] = changesOf(resources, base)
  assert.is(change?.long, true)
  assert.is(change?.diff?.(), 'nothing → botgarden/hello:abc')
  const after = Object.fromEntries(
    (change?.predicts ?? []).map((each) => [
      each.key,
      'after' in each ? each.after(undefined, () => undefined as never) : undefined,
    ]),
  )
  assert.equal(plan(spec, { ...base, ...after }), [])
  const next = { ...spec, port: 9 }
  const [second] = changesOf([releasing(instance, next, policy)], { ...base, ...after })
  assert.is(second?.diff?.(), 'botgarden/hello:abc → botgarden/hello:abc')
  assert.equal((second?.predicts ?? []).map(({ key }) => key).sort(), [
    'container:botgarden-hello-blue',
    'container:botgarden-hello-green',
    'file:/opt/botgarden/nginx/conf/bots/hello.conf',
    'text:/opt/botgarden/nginx/conf/bots/hello.conf',
    'text:/var/lib/botgarden/bots/hello/current.json',
  ])
  const [polling] = changesOf([releasing(instance, { ...spec, mode: 'polling' }, policy)], base)
  const gone = polling?.predicts?.find(({ key }) => key === 'file:/opt/botgarden/nginx/conf/bots/hello.conf')
  assert.is(gone && 'after' in gone && gone.after('x', () => undefined as never), 'absent')
  assert.ok(polling?.predicts?.some(({ key }) => key.startsWith('webhook:hello ')))
})

const host = { ...entry, domain: 'b.example.org', bots: [{ name: 'hello', where: 'x:1:1', settings: {} }] }
const roleOf = (given: Deployment | undefined, more: object = {}, place: object = host) =>
  (given === undefined ? bot : botRole(new Map([['hello', given]]))).resources(v.parse(bot.vars, more), facts, {
    ...entry,
    ...place,
  })
const ids = (given: Deployment | undefined, more: object = {}, place: object = host) =>
  roleOf(given, more, place).map(({ id }) => id)

test('a host without bots has nothing of them', () => assert.equal(ids(undefined, {}, { bots: [] }), ['bots:told']))

test('a bot’s resources, each after what it needs', () => {
  const wanted = [
    ...['/opt/botgarden', '/opt/botgarden/bots', '/var/lib/botgarden/bots', '/etc/botgarden/secrets/bots'].map(
      (each) => `directory:${each}`,
    ),
    ...['allocation:hello', 'network:botgarden-hello', 'directory:/etc/botgarden/secrets/bots/hello'],
    ...['webhook-secret', 'database-password'].map((each) => `secret:/etc/botgarden/secrets/bots/hello/${each}`),
    ...['command:pgpass-hello', 'token:hello', 'postgres-role:hello', 'postgres-database:hello', 'release:hello'],
    ...['file:/opt/botgarden/nginx/conf/bots/hello.conf', 'limits:hello', 'webhook:hello', 'nginx:config', 'bots:told'],
  ]
  assert.equal(
    ids(deployment()).filter((id) => wanted.includes(id)),
    wanted,
  )
  const secret = deployment({}, { secrets: new Map([['KEY', undefined]]) })
  assert.ok(ids(secret).includes('secret:hello/KEY'))
  const none = ids(deployment({ database: false }))
  for (const id of [
    'postgres-role:hello',
    'postgres-database:hello',
    'command:pgpass-hello',
    'secret:/etc/botgarden/secrets/bots/hello/database-password',
  ])
    assert.not.ok(none.includes(id), id)
})

test('folders and the role of a bot are its own, and no more', () => {
  const wants = Object.fromEntries(roleOf(deployment()).map(({ id, wants: each }) => [id, each]))
  assert.equal(wants['directory:/var/lib/botgarden/bots'], { mode: '0700', owner: 'root', group: 'root' })
  assert.equal(wants['directory:/etc/botgarden/secrets/bots'], { mode: '0700', owner: 'root', group: 'root' })
  assert.equal(wants['directory:/etc/botgarden/secrets/bots/hello'], { mode: '0500', owner: '20001', group: '20001' })
  assert.equal(wants['postgres-role:hello'], {
    ...{ passwordFile: '/etc/botgarden/secrets/bots/hello/database-password', connectionLimit: 8 },
    settings: { statement_timeout: '30s', lock_timeout: '10s', idle_in_transaction_session_timeout: '30s' },
  })
  assert.equal(wants['postgres-database:hello'], { owner: 'hello' })
  assert.is(wants['webhook:hello'], 'https://b.example.org/tg/hello')
})

test('what belongs to a bot is its user’s, by its number', () => {
  const state = {
    ...base,
    ...{ 'postgres:catalog': freshCatalog, 'routes:ipv4': [], 'token-owners:bots': {}, 'releases:bots': {} },
    ...{
      'nginx:config': { current: true, whole: true, inForce: true },
      'network:botgarden-hello': { subnet: '10.210.3.0/24', number: 3 },
    },
    'webhook:hello https://api.telegram.org ask': { mark: '', answer: 'not asked' },
  }
  const scripts = changesOf(roleOf(deployment()), state).map(({ script }) => script.text)
  assert.ok(scripts.some((text) => text.includes('20003:20003 /etc/botgarden/secrets/bots/hello')))
  assert.is(scripts.filter((text) => text.includes('20003:20003')).length >= 4, true)
})

test('without a deployment a bot is looked after only where it was released, and its database only where it has one', () => {
  const state = (release: Release | undefined) => ({
    ...base,
    ...{ 'postgres:catalog': freshCatalog, 'routes:ipv4': [], 'token-owners:bots': {}, 'releases:bots': {} },
    ...{ 'nginx:config': { current: true, whole: true, inForce: true } },
    'webhook:hello https://api.telegram.org trust': { mark: '', answer: 'not asked' },
    ...current(release),
  })
  const lines = (release: Release | undefined) =>
    planOf(roleOf(undefined), state(release)).filter(
      (line) =>
        !line.startsWith('directory:/opt') &&
        !line.startsWith('directory:/var') &&
        !line.startsWith('directory:/etc/botgarden/secrets/bots:'),
    )
  assert.equal(lines(undefined), [])
  assert.ok(lines(served).some((line) => line.startsWith('postgres-role:hello')))
  const without = lines({ ...served, spec: { ...spec, database: false } })
  assert.not.ok(without.some((line) => /postgres|database-password|pgpass/.test(line)))
  assert.ok(without.some((line) => line.includes('webhook-secret')))
})

for (const [more, fine] of [
  [{}, true],
  [{ network: '10.9' }, true],
  [{ network: '10.1000' }, false],
  [{ network: '192.168' }, false],
  [{ telegram: 'http://t:8081' }, true],
  [{ telegram: 'https://t/x' }, false],
  [{ telegram: 't' }, false],
  [{ settle: 0, drain: 600 }, true],
  [{ settle: -1 }, false],
  [{ drain: 601 }, false],
  [{ drain: 1.5 }, false],
  [{ keep: 1 }, true],
  [{ keep: 0 }, false],
  [{ keep: 51 }, false],
  [{ registries: { r: { username: 'a', password: { env: 'A' } } } }, true],
  [{ registries: { r: { username: '', password: { env: 'A' } } } }, false],
  [{ registries: { r: { username: 'a', password: 'plain' } } }, false],
  [{ nonsense: 1 }, false],
] as const)
  test(`${fine ? 'takes' : 'refuses'} bot: ${JSON.stringify(more)}`, () => assert.is(v.is(bot.vars, more), fine))

test('what is usual: twenty seconds to settle, thirty to drain, three images', () =>
  assert.equal(v.parse(bot.vars, {}), {
    ...{ network: '10.210', telegram: 'https://api.telegram.org', settle: 20, drain: 30, registries: {}, keep: 3 },
  }))

test.run()
