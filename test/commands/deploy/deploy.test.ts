// What bot.ts does with its options.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { deploy } from '../../../commands/deploy/index.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { checkHost } from '../../../lib/engine/converge.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import type { Role } from '../../../lib/model/role.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { bot, certbot, nginx } from '../../../roles/index.ts'
import { rejects } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { printed } from '../../support/printed.ts'
import { connectionTo, framedConnectionTo, type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const token = (id: string) => ({ command: `echo ${id}:abcdefghijklmnopqrstuvwxyz` })
const botEntry = (name: string, id: string) => ({
  name,
  where: 'x.yaml:1:1',
  settings: { image: `${name}:1`, token: token(id) },
})
const vars = Object.fromEntries([bot, certbot, nginx].map((role) => [role.name, v.parse(role.vars, {})]))
const hostOf = (name: string, bots: InventoryHost['bots']): InventoryHost => ({
  ...{ name, ssh: name, domain: `${name}.example.org`, httpsPort: 443, groups: [], bots, vars },
})
const silent = { begin: () => {}, output: () => {}, waiting: () => {}, end: () => {} }
const two = [hostOf('vps1', [botEntry('one', '1'), botEntry('two', '2')]), hostOf('vps2', [botEntry('three', '3')])]

interface Given {
  readonly own: Record<string, string[]>
  readonly hosts?: readonly InventoryHost[]
  readonly all?: readonly InventoryHost[]
  readonly host?: ScratchHost
  readonly limit?: readonly string[]
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
  limit = [],
  check = false,
  backups = false,
  code = 0,
}: Given) {
  const said: string[] = []
  const converged: string[] = []
  const plans: string[][] = []
  const used: Role[] = []
  const connection = connectionTo(host)
  const session = {
    ...{ hosts, inventory: { file: 'x.yaml', hosts: all, sandbox: false, sshConfig: undefined } },
    options: { own: new Map(Object.entries(own)), check, limit },
    report: { line: (line: string) => said.push(line) },
    hold: async () => {},
    converge: async (some: readonly InventoryHost[], given: unknown) => {
      for (const each of some) {
        const roles = (typeof given === 'function' ? await given(each, connection) : given) as Role[]
        used.push(...roles)
        converged.push(each.name)
        for (const role of roles) plans.push(role.resources(each.vars[role.name], facts, each).map(({ id }) => id))
      }
      return code
    },
    connected: (_: InventoryHost, use: (c: typeof connection) => Promise<unknown>) => use(connection),
  } as unknown as Session
  const { value, stdout } = await printed(() => deploy(session, () => backups))
  return { code: value, said, out: stdout, converged, plans, host, roles: used }
}
const releasesIn = (plans: string[][]) => plans.flat().filter((id) => id.startsWith('release:'))

for (const [own, pattern] of [
  [{}, /^which bot: --name BOT, or --all; the inventory has one, two, three$/],
  [{ all: [], name: ['one'] }, /^which bot: /],
  [{ name: ['tow'] }, /^unknown bot "tow" \(did you mean "two"\?\): x.yaml has one, two, three$/],
  [{ name: ['x', 'yyyyyy'] }, /^unknown bot "x".*\nunknown bot "yyyyyy".*$/],
  [{ name: ['one'], rollback: [], logs: [] }, /^--rollback and --logs cannot be combined$/],
  [{ name: ['one'], purge: [] }, /^--purge needs --remove$/],
  [{ name: ['one'], lines: ['3'], releases: [] }, /^--lines needs --logs$/],
  [{ name: ['one'], process: ['x'], psql: [] }, /^--process needs --logs or --exec$/],
  [{ name: ['one'], exec: ['ls'], psql: [] }, /^--exec and --psql cannot be combined$/],
  [{ name: ['one'], build: ['elsewhere'] }, /^--build elsewhere: should be host or local$/],
  [{ all: [], remove: [] }, /^--remove takes exactly one bot: --name BOT$/],
  [
    { name: ['one'], 'drop-pending': [], releases: [] },
    /^--drop-pending goes with a release or a rollback, not with --releases$/,
  ],
] as const)
  test(`refuses ${Object.keys(own).join(' ') || 'to guess'}`, () => rejects(ran({ own: own as Given['own'] }), pattern))

for (const action of ['logs', 'exec', 'psql', 'remove', 'rollback', 'releases', 'rollback-to'])
  test(`--${action} is for one bot, and does not take the first of several`, async () => {
    for (const name of [['one,two'], ['one', 'three']])
      await rejects(ran({ own: { name, [action]: ['1'], yes: [] } }), `--${action} takes exactly one bot: --name BOT`)
  })

test('an inventory without bots, and a limit that leaves none, are said', async () => {
  await rejects(ran({ own: { all: [] }, all: [], hosts: [] }), /^x.yaml has no bots: add them under "bots:"$/)
  await rejects(ran({ own: {}, all: [], hosts: [] }), /^which bot: --name BOT, or --all$/)
  await rejects(
    ran({ own: { name: ['three'] }, hosts: two.slice(0, 1) }),
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

test('a bot with domains brings what they need of nginx and certbot before itself, and a bot without brings neither', async () => {
  const domains = { ...botEntry('one', '1').settings, domains: ['shop.example.org'] }
  const host = hostOf('vps1', [{ ...botEntry('one', '1'), settings: domains }, botEntry('two', '2')])
  const named = async (name: string) =>
    (await ran({ own: { name: [name] }, hosts: [host], all: [host] })).roles.map((role) => role.name)
  assert.equal(await named('one'), ['nginx', 'certbot', 'bot'])
  assert.equal(await named('two'), ['bot'])
})

for (const [what, put, message] of [
  [
    'holds nothing',
    () => {},
    /^vps1 has no bots, but there are backups of it: restore.ts --host vps1 restores all of them; --new starts with empty databases$/,
  ],
  [
    'has lost the numbers of its bots',
    (host: ScratchHost) => host.write('/var/lib/botgarden/bots/one/current.json', '{}'),
    /^vps1 has bots, but their allocations are lost .*: recover them .* npx zx playbooks\/site.ts --limit vps1$/,
  ],
  ['knows its bots', (host: ScratchHost) => host.write('/var/lib/botgarden/allocations', ''), undefined],
] as const)
  test(`a host of which there are backups, and that ${what}, is told from a new one in the round trip that reads it`, async () => {
    const host = scratchHost()
    put(host)
    const { roles } = await ran({ own: { name: ['one'] }, backups: true, host })
    const connection = framedConnectionTo(host)
    const resources = roles.flatMap((role) => role.resources(vars.bot, facts, two[0] as InventoryHost))
    const checked = checkHost(connection, resources.slice(0, 1), silent)
    if (message === undefined) assert.is((await checked).error, undefined)
    else await rejects(checked, message)
    assert.is(connection.roundTrips, 1)
  })

test('with --new, or without backups, a host may hold nothing', async () => {
  for (const given of [{ own: { name: ['one'], new: [] }, backups: true }, { own: { name: ['one'] } }]) {
    const { roles } = await ran(given)
    const [first] = roles.flatMap((role) => role.resources(vars.bot, facts, two[0] as InventoryHost))
    assert.not.ok(first?.reads.some(({ key }) => key === 'known-bots:host'))
  }
})

/** Has what Telegram is asked of a bot be asked with a token and a secret of its own. */
function withToken(host: ScratchHost, id = '1'): ScratchHost {
  host.write('/etc/botgarden/secrets/bots/one/token', `${id}:x`)
  host.write('/etc/botgarden/secrets/bots/one/webhook-secret', 'x')
  return host
}
const dropped = (method: string) =>
  new RegExp(`^curl https://api\\.telegram\\.org/bot1:x/${method} .*"drop_pending_updates=true"`)

test('what waits is dropped after a release, not after a check or a failure, and only of the bots that were released', async () => {
  const host = withToken(scratchHost())
  const own = { name: ['one'], 'drop-pending': [] }
  const done = await ran({ own, host })
  assert.equal([done.code, done.said], [0, ['vps1  one: pending updates dropped']])
  assert.match(host.noted('calls'), dropped('setWebhook'))
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
    '2026-11-26T08:00:00.000Z  bot  the log of botgarden-one-blue\n',
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
  await rejects(ran({ own: { name: ['one'], 'rollback-to': ['7'] }, host }), /one has no release "7"/)
  const to = await ran({ own: { name: ['one'], 'rollback-to': ['1'] }, host })
  assert.equal(releasesIn(to.plans), ['release:one'])
})

test('after a rollback what waits is dropped by the call that the version it went back to is set by', async () => {
  for (const [mode, method] of [
    ['polling', 'deleteWebhook'],
    ['webhook', 'setWebhook'],
  ] as const) {
    const host = withToken(withPast(past('1', 'one:1', {}, { mode }), past('2', 'one:2')))
    const own = { name: ['one'], rollback: [], 'drop-pending': [] }
    assert.is((await ran({ own, host })).code, 0)
    assert.match(host.noted('calls'), dropped(method))
    host.note(`telegram/${method}`, '{"ok":false}')
    assert.is((await ran({ own, host })).code, 3)
    await ran({ own: { name: ['one'], rollback: [] }, host })
    assert.not.match(host.noted('calls'), 'curl')
  }
})

test('a removal is asked about, unless it was agreed to or is only a check', async () => {
  await rejects(
    ran({ own: { name: ['one'], remove: [] } }),
    /^remove one from vps1 \(x.yaml\): there is no terminal to ask on; --yes says yes$/,
  )
  await rejects(
    ran({ own: { name: ['one'], remove: [], purge: [] } }),
    /^remove one from vps1 \(x.yaml\), with its database and without a dump: /,
  )
  for (const more of [
    { own: { name: ['one'], remove: [], yes: [] } },
    { own: { name: ['one'], remove: [] }, check: true },
  ])
    assert.equal((await ran(more)).plans, [['bot:one']])
})

test('a bot that the inventory has no longer is removed from the one host that --limit names', async () => {
  const own = { name: ['old'], remove: [], yes: [] }
  const [first = hostOf('vps1', [])] = two
  const { converged, plans } = await ran({ own, hosts: [first], limit: ['vps1'] })
  assert.equal([converged, plans], [['vps1'], [['bot:old']]])
  const none = hostOf('vps1', [])
  assert.equal((await ran({ own, hosts: [none], all: [none], limit: ['vps1'] })).converged, ['vps1'])
  await rejects(ran({ own, hosts: [first] }), /^unknown bot "old"/)
  await rejects(ran({ own, limit: ['all'] }), /^unknown bot "old"/)
  await rejects(ran({ own: { ...own, name: ['../x'] }, hosts: [first], limit: ['vps1'] }), /^unknown bot "..\/x"/)
  await rejects(ran({ own: { name: ['old'], logs: [] }, hosts: [first], limit: ['vps1'] }), /^unknown bot "old"/)
  const elsewhere = ran({ own: { ...own, name: ['three'] }, hosts: [first], limit: ['vps1'] })
  await rejects(elsewhere, /^none of the hosts selected by --limit has three$/)
})

test.run()
