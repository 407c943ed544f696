import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { loadBot } from '../../../commands/deploy/load-bot.ts'
import { chosen, historyText, migrationWarning, type ReleaseHistoryEntry } from '../../../commands/deploy/releases.ts'
import { refuseSharedToken } from '../../../commands/deploy/unique-tokens.ts'
import { allChanges, outputsOf, planAll } from '../../../lib/engine/plan.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { quote } from '../../../lib/shell/sh.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { bot, botRole } from '../../../roles/bot/index.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { volumesRefused } from '../../../roles/bot/release/image-volumes.ts'
import { locationText, webhookUrl } from '../../../roles/bot/release/nginx-route.ts'
import { botAbsent } from '../../../roles/bot/remove.ts'
import { allocations } from '../../../roles/bot/spec/allocations.ts'
import { contextOf } from '../../../roles/bot/spec/build-context.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { botSettings } from '../../../roles/bot/spec/schema.ts'
import { limitsOf, type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { rejects } from '../../support/errors.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf, scriptsOf, stateOf } from '../../support/plan-of.ts'
import { withPrograms } from '../../support/stubs.ts'

const folder = mkdtempSync(join(tmpdir(), 'bot-test-'))
test.after(() => rmSync(folder, { recursive: true }))

const spec: Spec = specOf('botgarden/hello-bot:abc', {}, { health: '/readyz', migrate: ['node', 'migrate.ts'] })
const delivery = (more: Partial<Spec> = {}): Deployment => ({
  ...{ spec: { ...spec, ...more }, manifest: {}, context: undefined, pull: false },
  ...{ token: new Secret('123456:a-token-of-a-bot-in-a-test'), secrets: new Map(), by: 'ops@laptop' },
})
const hello = { name: 'hello-bot', where: 'x.yaml:9:3', settings: {} }
const host = { ...entry, domain: 'bots.example.org', bots: [hello] }
const vars = v.parse(bot.vars, {})
const bare = {
  'postgres:catalog': freshCatalog,
  'allocations:bots': {},
  'routes:ipv4': [],
  'token-owners:bots': {},
  'kept-secrets:hello-bot': { token: 1 },
  'room:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  'image:botgarden/hello-bot:abc': true,
  'nginx:config': { current: true, whole: true, inForce: true },
  'webhook:hello-bot https://api.telegram.org ask': { mark: '', answer: 'not asked' },
  'webhook:hello-bot https://api.telegram.org trust': { mark: '', answer: 'not asked' },
  'releases:bots': {},
}
const plan = (given: Deployment | undefined, state: Record<string, unknown> = {}) => {
  const role = given === undefined ? bot : botRole(new Map([['hello-bot', given]]))
  return planOf(role.resources(vars, facts, host), { ...bare, ...state }).filter(
    (line) => !line.startsWith('directory:'),
  )
}

const release = { id: '20261124-120000-abc', spec, colour: 'blue', secrets: {}, by: 'ops@laptop' }
const current = 'text:/var/lib/botgarden/bots/hello-bot/current.json'

test('a first release is known to the last detail before anything of it is there', () => {
  assert.equal(plan(delivery()), [
    'allocation:hello-bot: network 10.210.1.0/24, user 20001',
    'network:botgarden-hello-bot: create, 10.210.1.0/24',
    'secret:/etc/botgarden/secrets/bots/hello-bot/webhook-secret: generate',
    'secret:/etc/botgarden/secrets/bots/hello-bot/database-password: generate',
    'command:pgpass-hello_bot: write /etc/botgarden/secrets/bots/hello-bot/pgpass',
    'token:hello-bot: put in place',
    'postgres-role:hello_bot: create',
    'postgres-database:hello_bot: create',
    'release:hello-bot: release botgarden/hello-bot:abc',
    'file:/opt/botgarden/nginx/conf/bots/hello-bot.conf: comes-with release:hello-bot',
    'webhook:hello-bot: set to https://bots.example.org/tg/hello-bot',
  ])
})

test('site.ts plans nothing for a bot that nobody has deployed', () => assert.equal(plan(undefined), []))

test('another bot, and a route of the host, keep their networks', () => {
  const taken = { 'allocations:bots': { other: 1 }, 'routes:ipv4': ['10.210.2.0/24'] }
  assert.is(plan(delivery(), taken)[0], 'allocation:hello-bot: network 10.210.3.0/24, user 20003')
  assert.throws(() => plan(delivery(), { 'routes:ipv4': ['10.210.0.0/16'] }), /no network of 10.210.0.0\/16 is free/)
})

test('what differs from the release that serves is named', () => {
  const state = {
    [current]: JSON.stringify({ ...release, spec: { ...spec, port: 8080 } }),
    'allocations:bots': { 'hello-bot': 1 },
  }
  const line = plan(delivery(), state).find((each) => each.startsWith('release:'))
  assert.is(line, 'release:hello-bot: release botgarden/hello-bot:abc: port, secret token')
})

test('lost or wrong, the number of a bot is that of its network; no bot takes one that a bridge has', () => {
  const lost = { 'network:botgarden-hello-bot': { subnet: '10.210.7.0/24', number: 7 } }
  const again = 'allocation:hello-bot: network 10.210.7.0/24, user 20007, as it has them'
  const first = (state: Record<string, unknown>) => plan(delivery(), { ...lost, ...state })
  for (const taken of [{}, { 'hello-bot': 1 }, { other: 7 }]) {
    const lines = first({ 'allocations:bots': taken })
    assert.match(lines[0] ?? '', again)
    assert.not(lines.some((line) => line.startsWith('network:')))
  }
  assert.not.match(first({ 'allocations:bots': { 'hello-bot': 7 } })[0] ?? '', 'allocation:')
  const bridged = { 'routes:ipv4': ['10.210.1.0/24'] }
  assert.match(plan(delivery(), bridged)[0] ?? '', 'allocation:hello-bot: network 10.210.2.0/24')
})

test('of a torn list of numbers what is whole and clear counts', () => {
  const parsed = (text: string) => allocations.kind.parse(text, ['bots']).get('bots')
  assert.equal(parsed('a 1\nb 2\n'), { a: 1, b: 2 })
  assert.equal(parsed('a 1\nb 2c 3\nd\ne 0\nf 255\ng x\n\0\0\nh 4'), { a: 1, h: 4 })
  assert.equal(parsed('a 1\nb 1\nc 3\nc 4\nd 5\nd 5\n'), { d: 5 })
})

test('a bot has its webhook before the next one, which may fail, is begun', () => {
  const both = { ...host, bots: [hello, { ...hello, name: 'next-bot' }] }
  const next = { ...delivery(), token: new Secret('654321:another-token-of-a-bot-in-a-test') }
  const role = botRole(
    new Map([
      ['hello-bot', delivery()],
      ['next-bot', next],
    ]),
  )
  const hook = { mark: '', answer: 'not asked' }
  const lines = planOf(role.resources(vars, facts, both), {
    ...bare,
    'webhook:next-bot https://api.telegram.org ask': hook,
  })
  const at = (id: string) => lines.findIndex((line) => line.startsWith(id))
  assert.ok(at('release:hello-bot') < at('webhook:hello-bot'))
  assert.ok(at('webhook:hello-bot') < at('release:next-bot'), lines.join('\n'))
  assert.ok(at('webhook:next-bot') > at('release:next-bot'))
})

test('an image with a volume is refused, unless a scratch folder is just there', () => {
  const image = (...volumes: string[]) => ({ 'image:botgarden/hello-bot:abc': { volumes } })
  const at = (given: Partial<Spec>, ...volumes: string[]) => plan(delivery(given), image(...volumes))
  assert.throws(() => at({}, '/data', '/tmp'), /the image of hello-bot has volumes.*"scratch:".*: \/data$/)
  // Docker puts the volume over a folder above it.
  assert.throws(() => at({ scratch: ['/var'] }, '/var/cache/'), /: \/var\/cache$/)
  assert.throws(() => at({ database: false }, '/run/postgresql'), /: \/run\/postgresql$/)
  for (const fine of [at({ scratch: ['/data'] }, '/data/'), at({}), at({}, '/run/secrets', '/run/postgresql')])
    assert.ok(fine.includes('release:hello-bot: release botgarden/hello-bot:abc'))
})

test('the host refuses a volume of an image that it has only just got', async () => {
  const refused = (scratch: string[], ...volumes: string[]) =>
    withPrograms(
      { docker: `printf '%s\n' ${volumes.map((path) => quote(JSON.stringify(path))).join(' ')}` },
      `${volumesRefused('hello-bot', { ...spec, scratch }).text}\necho went on`,
    )
  assert.equal(await refused([]), { code: 0, said: 'went on\n' })
  assert.equal(await refused(['/data'], '/data/', '/tmp'), { code: 0, said: 'went on\n' })
  const { code, said } = await refused(['/data'], '/data/deep', '/a b', '/x\n/tmp')
  assert.is(code, 1)
  assert.match(said, /: \/data\/deep, \/a b, \/x\\n\/tmp\n$/)
  const silent = await withPrograms({ docker: 'exit 1' }, `${volumesRefused('hello-bot', spec).text}\necho went on`)
  assert.equal(silent, { code: 1, said: '' })
})

test('scratch folders are memory, and a bot without any is what it was before there were any', () => {
  const seat = { bot: 'hello-bot', number: 1, base: '10.210', telegram: 'x' }
  const file = (given: Spec) => serviceFile(seat, 'blue', given, { memoryMB: 160, cpus: 0.5 })
  assert.not('scratch' in specOf('x:1', {}, {}))
  assert.is(file(specOf('x:1', {}, {})).checksum, file(specOf('x:1', { scratch: [] }, {})).checksum)
  const { text } = file(specOf('x:1', {}, { scratch: ['/data', '/cache', '/data'] }))
  assert.match(text, '- /tmp:size=32m,mode=1777\n      - /cache:size=32m,mode=1777\n      - /data:size=32m,mode=1777\n')
})

const tokenFile = 'file:/etc/botgarden/secrets/bots/hello-bot/token'

test('what serves is started again where it does not run, and what a cut release left is removed', () => {
  const state = {
    [current]: JSON.stringify(release),
    'allocations:bots': { 'hello-bot': 1 },
    [tokenFile]: { type: 'file' },
  }
  assert.ok(plan(undefined, state).includes('release:hello-bot: start again, since it is gone'))
  const exited = { status: 'exited', health: '', config: '', memoryMB: 160, cpus: 0.5 }
  const line = plan(undefined, { ...state, 'container:botgarden-hello-bot-blue': exited }).find((each) =>
    each.startsWith('release:'),
  )
  assert.is(line, 'release:hello-bot: start again, since it is exited')
})

const serving = { status: 'running', health: '', config: '', restart: 'always', memoryMB: 160, cpus: 0.5, startedAt: 5 }
const served = {
  [current]: JSON.stringify(release),
  'allocations:bots': { 'hello-bot': 1 },
  [tokenFile]: { type: 'file' },
}
const reasonOf = (more: Record<string, unknown>) =>
  plan(undefined, { ...served, ...more }).find((line) => line.startsWith('release:'))

test('what serves is started again where a folder that it has mounted is gone, or a secret of the host is newer than it', () => {
  const secrets = '/etc/botgarden/secrets/bots/hello-bot'
  const blue = 'container:botgarden-hello-bot-blue'
  const made = (mode: string) => ({ type: 'file', mode, owner: '20001', group: '20001', sha256: 'x' })
  const files = Object.fromEntries(
    ['webhook-secret', 'database-password'].map((name) => [`file:${secrets}/${name}`, made('0400')]),
  )
  const kept = { token: 9, 'webhook-secret': 1, 'database-password': 2 }
  const again = 'release:hello-bot: start again, since'
  const there = { ...files, [blue]: serving, 'kept-secrets:hello-bot': kept }
  assert.is(
    reasonOf({ ...there, [blue]: { ...serving, stale: [secrets] } }),
    `${again} ${secrets} is not the folder that it has mounted`,
  )
  const newer = { ...kept, 'webhook-secret': 6 }
  assert.is(reasonOf({ ...there, 'kept-secrets:hello-bot': newer }), `${again} webhook-secret is newer than it`)
  assert.is(
    reasonOf({ ...there, [`file:${secrets}/database-password`]: 'absent' }),
    `${again} database-password is newer than it`,
  )
  const empty = { ...made('0400'), sha256: createHash('sha256').digest('hex') }
  assert.is(
    reasonOf({ ...there, [`file:${secrets}/webhook-secret`]: empty }),
    `${again} webhook-secret is newer than it`,
  )
  // It is not as its release says here: that a token is newer is none of site.ts's business.
  assert.is(reasonOf(there), `${again} it is not as its release says`)
})

test('a bot whose token is lost is left as it runs by site.ts, which says who brings it back', () => {
  const state = { ...bare, ...served, [tokenFile]: 'absent', 'kept-secrets:hello-bot': {} }
  const resources = bot.resources(vars, facts, host)
  assert.equal(
    planOf(resources, state).filter((line) => !line.startsWith('directory:')),
    [],
  )
  const told = outputsOf(resources, stateOf(resources, state))
  assert.is(told['hello-bot has lost'], 'token: npx zx playbooks/bot.ts --name hello-bot brings them back')
})

test('what runs is bound to every boot, even where somebody has stopped it by hand', () => {
  const role = bot.resources(vars, facts, host)
  const gone = {
    [current]: JSON.stringify(release),
    'allocations:bots': { 'hello-bot': 1 },
    [tokenFile]: { type: 'file' },
  }
  // What the role itself predicts of the container that it starts again.
  const planned = planAll(role, stateOf(role, { ...bare, ...gone }))
  const again = allChanges(planned).find(({ id }) => id === 'release:hello-bot')
  const predicted = again?.change.predicts?.find(({ key }) => key === 'container:botgarden-hello-bot-blue')
  assert.ok(predicted && 'after' in predicted)
  const nothing = <S>() => undefined as S
  const running = predicted.after('absent', nothing) as Record<string, unknown>
  const lineFor = (restart: string) =>
    plan(undefined, { ...gone, 'container:botgarden-hello-bot-blue': { ...running, restart } }).find((line) =>
      line.startsWith('release:'),
    )
  assert.is(lineFor('unless-stopped'), 'release:hello-bot: have every boot start it')
  assert.is(lineFor('always'), undefined)
})

test('two of a bot that do not fit beside each other are refused before anything is touched', () => {
  const running = { status: 'running', health: '', config: '', memoryMB: 160, cpus: 0.5 }
  const state = {
    [current]: JSON.stringify(release),
    'allocations:bots': { 'hello-bot': 1 },
    'container:botgarden-hello-bot-blue': running,
  }
  const cramped = { ...state, 'room:host': { totalMB: 2000, memoryMB: 70, diskMB: 9000 } }
  assert.throws(
    () => plan(delivery({ port: 1 }), cramped),
    /may take 160 MB, and 70 MB are free beside the version that serves/,
  )
  assert.ok(plan(delivery({ port: 1, mode: 'polling' }), cramped).some((line) => line.startsWith('release:')))
  assert.throws(
    () => plan(delivery({ port: 1 }), { ...state, 'room:host': { totalMB: 2000, memoryMB: 999, diskMB: 100 } }),
    /100 MB of disk/,
  )
})

test('a token is never shown, and two bots on a host never share one', () => {
  const all = botRole(new Map([['hello-bot', delivery()]])).resources(vars, facts, host)
  const shown = scriptsOf(all, bare).join('\n')
  assert.not.match(shown, 'a-token-of-a-bot')
  assert.throws(
    () => plan(delivery(), { 'token-owners:bots': { other: '123456' } }),
    /hello-bot and other, .* have the token of one bot \(123456\)/,
  )
  assert.throws(() => plan({ ...delivery(), token: undefined }), /hello-bot has no token: set HELLO_BOT_TOKEN/)
})

test('a webhook that somebody took away is set again, and Telegram out of reach breaks no run', () => {
  const state = {
    [current]: JSON.stringify(release),
    'allocations:bots': { 'hello-bot': 1 },
    [tokenFile]: { type: 'file' },
  }
  const ask = 'webhook:hello-bot https://api.telegram.org ask'
  const hook = (answer: unknown, mark = 'x') =>
    plan({ ...delivery(), token: undefined }, { ...state, [ask]: { mark, answer } }).filter((line) =>
      line.startsWith('webhook:'),
    )
  assert.equal(hook({ url: '' }), ['webhook:hello-bot: set to https://bots.example.org/tg/hello-bot'])
  assert.equal(hook('unreachable', 'unreachable'), [])
  assert.throws(() => hook('refused'), /Telegram refuses the token of hello-bot/)
})

test('a webhook that anybody has set is taken from a bot that asks for its updates itself', () => {
  const state = {
    [current]: JSON.stringify({ ...release, spec: { ...spec, mode: 'polling' }, secrets: { token: 'x' } }),
    'allocations:bots': { 'hello-bot': 1 },
    [tokenFile]: { type: 'file', sha256: 'x' },
  }
  const hook = (mark: string, answer: unknown) =>
    plan(
      { ...delivery({ mode: 'polling' }), token: undefined },
      { ...state, 'webhook:hello-bot https://api.telegram.org ask': { mark, answer } },
    ).filter((line) => line.startsWith('webhook:'))
  const forget = ['webhook:hello-bot: forget it, since the bot asks for its updates itself']
  assert.equal(hook('', { url: 'https://elsewhere.example.org/' }), forget)
  assert.equal(hook('unreachable', { url: '' }), forget)
  for (const [mark, answer] of [
    ['', { url: '' }],
    ['', 'unreachable'],
    ['unreachable', 'unreachable'],
    ['', 'refused'],
  ] as const)
    assert.equal(hook(mark, answer), [])
})

test('where Telegram cannot deliver to nothing is released', () => {
  const at = (name: string | undefined, more: Partial<Spec> = {}, telegram = 'https://api.telegram.org') => {
    const { domain: _, ...nameless } = host
    const role = botRole(new Map([['hello-bot', delivery(more)]]))
    const where = { ...facts, address: name ?? '' }
    return () => role.resources(v.parse(bot.vars, { telegram }), where, nameless)
  }
  for (const address of ['10.1.2.3', '172.31.0.1', '192.168.0.9', '100.64.0.1', '169.254.0.1', '127.0.0.1', undefined])
    assert.throws(at(address), /Telegram cannot deliver to hello-bot: this host has .* as "domain:" of the host/)
  for (const address of ['192.0.2.1', '172.32.0.1', '100.128.0.1']) assert.not.throws(at(address))
  assert.not.throws(at('10.1.2.3', { mode: 'polling' }))
  assert.not.throws(at('10.1.2.3', {}, 'http://telegram.sandbox:8081'))
  const named = botRole(new Map([['hello-bot', delivery()]]))
  assert.not.throws(() => named.resources(vars, { ...facts, address: '10.1.2.3' }, host))
})

test('a token that was revoked can be rotated, though Telegram refuses the old one', () => {
  const ask = 'webhook:hello-bot https://api.telegram.org ask'
  const state = {
    [current]: JSON.stringify(release),
    'allocations:bots': { 'hello-bot': 1 },
    [tokenFile]: { type: 'file', sha256: 'old' },
  }
  const lines = plan(delivery(), { ...state, [ask]: { mark: 'x', answer: 'refused' } })
  assert.ok(lines.includes('token:hello-bot: rotate'))
  assert.ok(lines.includes('webhook:hello-bot: set to https://bots.example.org/tg/hello-bot'))
})

test('the inventory wins over the manifest', () => {
  const said = specOf(
    'x:1',
    { port: 1, environment: { A: 2 } },
    { port: 9, mode: 'polling', environment: { A: 1, B: true } },
  )
  assert.equal([said.port, said.mode, said.environment], [1, 'polling', { A: '2', B: 'true' }])
  assert.equal(limitsOf({ memory: '1g' }, { memory: '64m', cpus: 2 }), { memoryMB: 1024, cpus: 2 })
})

for (const bad of [
  { memory: '1t' },
  { image: 'nginx' },
  { image: 'a/b:latest' },
  { environment: { lower: 1 } },
  { token: 'abc' },
  { hots: 1 },
  ...[
    'data',
    '/',
    '/tmp',
    '/run',
    '/dev/shm',
    '/proc',
    '/run/secrets/x',
    '/a/../b',
    '/a:b',
    '/a,b',
    '/a//b',
    '/a/',
  ].map((path) => ({ scratch: [path] })),
])
  test(`refuses ${JSON.stringify(bad)}`, () => assert.not(v.is(botSettings, bad)))

test('an image without a version of its own is refused with what to say instead', () => {
  const { issues } = v.safeParse(botSettings, { image: 'registry.example.org:5000/shop:latest' })
  assert.match(issues?.[0]?.message ?? '', /names a version or a digest/)
  for (const image of ['a:1', 'r:5000/a/b:1.2.3', `a@sha256:${'0'.repeat(64)}`]) assert.ok(v.is(botSettings, { image }))
})

test('nginx hands on one path, and Telegram is told the port', () => {
  assert.match(
    locationText('a', '10.210.1.2', 3000, '/hook'),
    /location = \/tg\/a \{[^}]*POST[^}]*\}\n {4}proxy_pass http:\/\/10.210.1.2:3000\/hook;/,
  )
  assert.is(webhookUrl('a', 'b.example.org', 8443), 'https://b.example.org:8443/tg/a')
})

test('an image is of what git would keep: content and whether it can be run, without secrets of this machine', async () => {
  const source = join(folder, 'source')
  mkdirSync(join(source, 'node_modules/x'), { recursive: true })
  for (const [path, text] of [
    ['Dockerfile', 'FROM x'],
    ['.env', 'BOT_TOKEN=1'],
    ['node_modules/x/y', '1'],
    ['a.txt', 'a'],
    ['b.md', 'b'],
    ['.dockerignore', '*.md'],
  ] as const)
    writeFileSync(join(source, path), text)
  const first = await contextOf(source, 'bots.x')
  assert.is(first.files, 3)
  writeFileSync(join(source, 'b.md'), 'changed')
  writeFileSync(join(source, '.env'), 'changed')
  assert.is((await contextOf(source, 'bots.x')).checksum, first.checksum)
  writeFileSync(join(source, 'a.txt'), 'A')
  assert.is.not((await contextOf(source, 'bots.x')).checksum, first.checksum)
  rmSync(join(source, 'Dockerfile'))
  await rejects(contextOf(source, 'bots.x'), /has no Dockerfile/)
})

test('the archive of an image holds these files, what can be run and where links lead, the same at any time', async () => {
  const [source, target] = [join(folder, 'packed'), join(folder, 'unpacked')]
  for (const path of [join(source, 'src'), target]) mkdirSync(path, { recursive: true })
  for (const [path, mode] of [
    ['Dockerfile', 0o600],
    ['src/run.sh', 0o700],
    [`src/${'n'.repeat(120)}`, 0o664],
  ] as const)
    writeFileSync(join(source, path), path, { mode })
  symlinkSync('src/run.sh', join(source, 'run'))
  const { archive } = await contextOf(source, 'bots.x')
  utimesSync(join(source, 'Dockerfile'), 1, 1)
  assert.is((await contextOf(source, 'bots.x')).archive, archive)
  execFileSync('tar', ['-xzp', '-C', target], { input: Buffer.from(archive, 'base64') })
  assert.is(readlinkSync(join(target, 'run')), 'src/run.sh')
  const mode = (path: string) => (statSync(join(target, path)).mode & 0o777).toString(8)
  assert.equal(['Dockerfile', 'src/run.sh', `src/${'n'.repeat(120)}`].map(mode), ['644', '755', '644'])
  assert.is(readFileSync(join(target, 'src/run.sh'), 'utf8'), 'src/run.sh')
})

test('what is missing on this machine is said before any host is touched', async () => {
  await rejects(
    loadBot({ ...hello, name: 'no-bot' }),
    /no folder bots\/no-bot: make it: npx zx playbooks\/new-bot.ts --name no-bot/,
  )
  await rejects(loadBot({ ...hello, settings: { image: 'a:1', source: 'b' } }), /both image and source/)
  await rejects(
    loadBot({ ...hello, settings: { image: 'a:1', token: { command: 'echo nonsense' } } }),
    /is no token of a bot/,
  )
  await rejects(
    loadBot({ ...hello, settings: { image: 'a:1', token: { command: 'echo why >&2; exit 3' } } }),
    /exit code 3[\s\S]*why/,
  )
  const { token, pull } = await loadBot({
    ...hello,
    settings: { image: 'a:1', token: { command: 'echo 123456:abcdefghijklmnopqrstuv' } },
  })
  assert.ok(pull)
  assert.is(String(token), '***')
  const twin = delivery()
  await rejects(
    refuseSharedToken(
      new Map([
        ['a', twin],
        ['b', twin],
      ]),
    ),
    /a and b have the token of one bot/,
  )
})

test('going back over migrations is warned of, with the dump from before them', () => {
  const past = (id: string, migrations: string, more: Partial<ReleaseHistoryEntry> = {}): ReleaseHistoryEntry => ({
    ...release,
    colour: 'blue',
    id,
    spec: { ...spec, migrations },
    serving: false,
    there: true,
    ...more,
  })
  const all = [past('3', 'b', { serving: true }), past('2', 'b', { dump: '/d/2.dump' }), past('1', 'a')]
  assert.match(migrationWarning(all, all[2] as ReleaseHistoryEntry) ?? '', /changed since 1, .*in \/d\/2.dump/)
  assert.is(migrationWarning(all, all[1] as ReleaseHistoryEntry), undefined)
})

test('back means the last release of another version whose image is still there', () => {
  const past = (id: string, image: string, more: Partial<ReleaseHistoryEntry> = {}): ReleaseHistoryEntry => ({
    ...release,
    colour: 'blue',
    id,
    spec: { ...spec, image },
    serving: false,
    there: true,
    ...more,
  })
  const all = [past('3', 'x:b', { serving: true }), past('2', 'x:b'), past('1', 'x:a')]
  assert.is(chosen('a', all, undefined).id, '1')
  assert.is(chosen('a', all, '2').id, '2')
  assert.throws(() => chosen('a', all, '9'), /no release "9"/)
  assert.throws(() => chosen('a', [past('1', 'x:a', { serving: true })], undefined), /no earlier version/)
  assert.throws(
    () => chosen('a', [past('2', 'x:b', { serving: true }), past('1', 'x:a', { there: false })], undefined),
    /no longer on the host/,
  )
  assert.throws(() => chosen('a', [], undefined), /never released/)
  assert.match(historyText(all), /^\* 3 /)
})

test('what others have tied to a bot is named before it is removed, with what takes it out of the way', () => {
  const removal = [botAbsent('hello-bot', 'https://api.telegram.org', { purge: false })]
  const network = { 'network:botgarden-hello-bot': '10.210.1.0/24', 'allocations:bots': { 'hello-bot': 1 } }
  const tied = (guests: string[], databases: string[]) =>
    planOf(removal, { ...network, 'in-the-way:hello-bot': { guests, databases } })
  assert.equal(tied([], []), ['bot:hello-bot: remove, after a last dump'])
  assert.throws(() => tied(['stranger'], []), /stranger, .*: docker network disconnect botgarden-hello-bot stranger/)
  assert.throws(() => tied([], ['reports']), /role "hello_bot" .*: docker exec .*drop owned by "hello_bot"' reports/)
})

test.run()
