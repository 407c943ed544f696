// What this machine makes of a bot, how that comes to a host, and what the host does with it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { loadBot } from '../../../commands/deploy/load-bot.ts'
import { loginsOf } from '../../../commands/deploy/secret-sources.ts'
import { ship } from '../../../commands/deploy/ship-image.ts'
import { refuseSharedToken } from '../../../commands/deploy/unique-tokens.ts'
import { secretReader } from '../../../lib/cli/secret-reader.ts'
import type { BotEntry } from '../../../lib/model/role.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { botImage } from '../../../roles/bot/image.ts'
import { freeCapacity } from '../../../roles/bot/release/free-capacity.ts'
import { type BuildContext, contextOf, isLarge } from '../../../roles/bot/spec/build-context.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { contextArchivePath, imageArchivePath } from '../../../roles/bot/spec/layout.ts'
import { limitsOf } from '../../../roles/bot/spec/limits.ts'
import { botManifestSchema, botSettings } from '../../../roles/bot/spec/schema.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { bot } from '../../../roles/index.ts'
import { rejects } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { changesOf, planOf } from '../../support/plan-of.ts'
import { connectionTo, scratchHost, withPrograms } from '../../support/scratch-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'deployment-test-'))
test.after(() => rmSync(folder, { recursive: true }))
const token = '123456:abcdefghijklmnopqrstuvwxyz'
let sources = 0
/** A folder with these files. */
function source(files: Record<string, string>): string {
  const path = join(folder, `source-${sources++}`)
  for (const [name, text] of Object.entries({ Dockerfile: 'FROM x\n', ...files })) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return path
}
const entryOf = (settings: object, name = 'a-bot'): BotEntry => ({ name, where: 'x.yaml:9:3', settings })

test('a version: what the inventory says, else its manifest, else what is usual', () => {
  assert.equal(specOf('x:1', {}, {}), {
    ...{ image: 'x:1', mode: 'webhook', port: 3000, health: undefined, migrate: undefined, migrations: undefined },
    ...{
      webhookPath: '/webhook',
      allowedUpdates: undefined,
      maxConnections: 10,
      database: true,
      environment: {},
      secrets: [],
    },
  })
  const manifest = {
    ...{ port: 1, health: '/h', migrate: ['m'], webhookPath: '/w', allowedUpdates: ['message'], maxConnections: 2 },
    ...{ database: false, mode: 'polling' as const, environment: { A: 1, B: 'x' }, secrets: ['S', 'R'] },
  }
  assert.equal(specOf('x:1', {}, manifest, 'sum'), {
    ...{ image: 'x:1', mode: 'polling', port: 1, health: '/h', migrate: ['m'], migrations: 'sum', webhookPath: '/w' },
    ...{
      allowedUpdates: ['message'],
      maxConnections: 2,
      database: false,
      environment: { A: '1', B: 'x' },
      secrets: ['R', 'S'],
    },
  })
  const said = specOf(
    'x:1',
    { ...{ port: 9, database: true, environment: { A: true }, secrets: { T: { env: 'T' }, S: { env: 'S' } } } },
    manifest,
  )
  assert.equal(
    [said.port, said.database, said.environment, said.secrets],
    [9, true, { A: 'true', B: 'x' }, ['R', 'S', 'T']],
  )
  assert.is(specOf('x:1', {}, {}, 'sum').migrations, undefined, 'of a bot that has nothing that migrates')
})

test('what a bot may take: the inventory, its manifest, its release, or the usual', () => {
  assert.equal(limitsOf({}, {}), { memoryMB: 160, cpus: 0.5 })
  assert.equal(limitsOf({}, {}, { memoryMB: 99, cpus: 2 }), { memoryMB: 99, cpus: 2 })
  assert.equal(limitsOf({}, { memory: '2g', cpus: 1 }, { memoryMB: 99, cpus: 2 }), { memoryMB: 2048, cpus: 1 })
  assert.equal(limitsOf({ memory: '64m', cpus: 3 }, { memory: '2g', cpus: 1 }), { memoryMB: 64, cpus: 3 })
})

const image = 'a:1'
for (const [settings, fine] of [
  [{ port: 65_535 }, true],
  [{ port: 65_536 }, false],
  [{ port: 0 }, false],
  [{ port: 1.5 }, false],
  [{ health: '/readyz' }, true],
  [{ health: 'readyz' }, false],
  [{ health: '/a b' }, false],
  [{ migrate: ['node', 'm.ts'] }, true],
  [{ migrate: [] }, false],
  [{ migrate: [''] }, false],
  [{ migrations: 'db/migrations' }, true],
  [{ migrations: '/db' }, false],
  [{ migrations: 'db/' }, false],
  [{ mode: 'polling' }, true],
  [{ mode: 'push' }, false],
  [{ allowedUpdates: ['callback_query'] }, true],
  [{ allowedUpdates: ['Message'] }, false],
  [{ maxConnections: 100 }, true],
  [{ maxConnections: 101 }, false],
  [{ maxConnections: 0 }, false],
  [{ database: false }, true],
  [{ database: 'no' }, false],
  [{ memory: '1g' }, true],
  [{ memory: '0m' }, false],
  [{ memory: '160' }, false],
  [{ memory: '160mb' }, false],
  [{ cpus: 0.05 }, true],
  [{ cpus: 0.04 }, false],
  [{ environment: { A_1: 'x', B: 1, C: true } }, true],
  [{ environment: { '1A': 'x' } }, false],
  [{ environment: { A: null } }, false],
] as const)
  test(`${fine ? 'takes' : 'refuses'} ${JSON.stringify(settings)} of a manifest and of the inventory`, () => {
    assert.is(v.is(botManifestSchema, settings), fine)
    assert.is(v.is(botSettings, { image, ...settings }), fine)
  })

for (const [settings, fine] of [
  [{ image: 'r.example.org:5000/a/b:1.2' }, true],
  [{ image: `a@sha256:${'0'.repeat(64)}` }, true],
  [{ image: `a@sha256:${'0'.repeat(63)}` }, false],
  [{ image: 'a' }, false],
  [{ image: 'a:latest' }, false],
  [{ image: 'a b:1' }, false],
  [{ source: 'bots/a' }, true],
  [{ source: '' }, false],
  [{ token: { env: 'A_TOKEN' } }, true],
  [{ token: { env: 'a token' } }, false],
  [{ token: { command: 'pass x' } }, true],
  [{ token: { command: '' } }, false],
  [{ token: { env: 'A', command: 'x' } }, false],
  [{ secrets: { KEY: { env: 'X' } } }, true],
  [{ secrets: { key: { env: 'X' } } }, false],
  [{ secrets: ['KEY'] }, false],
  [{ token: 'abc' }, false],
  [{ hots: 1 }, false],
] as const)
  test(`${fine ? 'takes' : 'refuses'} ${JSON.stringify(settings)} of the inventory`, () =>
    assert.is(v.is(botSettings, settings), fine))

test('an image without a version of its own is refused with what to say instead', () => {
  const { issues } = v.safeParse(botSettings, { image: 'registry.example.org:5000/shop:latest' })
  assert.match(issues?.[0]?.message ?? '', /an image with a version or a digest/)
})

test('a manifest names its secrets, and has none of what is the inventory’s to say', () => {
  assert.ok(v.is(botManifestSchema, { secrets: ['KEY'] }))
  for (const bad of [
    { secrets: { KEY: { env: 'X' } } },
    { secrets: ['key'] },
    { image: 'a:1' },
    { token: { env: 'A' } },
    { x: 1 },
  ])
    assert.not.ok(v.is(botManifestSchema, bad), JSON.stringify(bad))
})

test('a bot of a folder: its image is named by all that goes into it, its token by its .env', async () => {
  const path = source({
    'bot.yaml': 'port: 8080\nmigrate: [m]\nmigrations: db\n',
    'db/1.sql': 'x',
    '.env': `BOT_TOKEN=${token}\n`,
  })
  const { spec, pull, context, token: found, by, secrets, manifest } = await loadBot(entryOf({ source: path }))
  assert.is(spec.image, `botgarden/a-bot:${context?.checksum.slice(0, 12)}`)
  assert.equal(
    [spec.port, spec.migrations, pull, found?.reveal(), secrets.size],
    [8080, context?.migrations, false, token, 0],
  )
  assert.match(context?.migrations ?? '', /^[0-9a-f]{16}$/)
  assert.is(by, `${userInfo().username}@${hostname()}`)
  assert.equal(manifest, { port: 8080, migrate: ['m'], migrations: 'db' })
})

test('a token comes from the inventory’s source, else from the environment, else from .env', async () => {
  const path = source({ 'bot.yaml': 'port: 1\n', '.env': `BOT_TOKEN=${token}\n` })
  const of = async (settings: object) => (await loadBot(entryOf({ source: path, ...settings }))).token?.reveal()
  process.env.A_BOT_TOKEN = `7${token}`
  process.env.OTHER = ` 8${token}\n`
  try {
    assert.is(await of({}), `7${token}`)
    assert.is(await of({ token: { env: 'OTHER' } }), `8${token}`)
    assert.is(await of({ token: { command: `echo '9${token}'` } }), `9${token}`)
    assert.is(await of({ token: { env: 'NOT_SET_ANYWHERE' } }), undefined)
    process.env.A_BOT_TOKEN = 'x:y'
    await rejects(of({}), /^A_BOT_TOKEN: is not a bot token: BotFather gives tokens like 123456789:ABC…$/)
  } finally {
    delete process.env.A_BOT_TOKEN
    delete process.env.OTHER
  }
  assert.is(await of({}), token)
  await rejects(of({ token: { command: 'echo 1:short' } }), /^bots.a-bot.token: is not a bot token/)
  await rejects(of({ token: { command: `echo 'x${token}'` } }), /is not a bot token/)
  await rejects(of({ token: { command: `echo '${token} more'` } }), /is not a bot token/)
})

test('the .env of a source has the token and the secrets by the names that its bot knows them by', async () => {
  const of = async (bot: string, env: string, settings: object = {}) => {
    const path = source({ 'bot.yaml': bot, '.env': env })
    const { token: found, secrets } = await loadBot(entryOf({ source: path, ...settings }))
    return [found?.reveal(), Object.fromEntries([...secrets].map(([name, value]) => [name, value?.reveal()]))]
  }
  assert.equal(await of('port: 1\n', `TELEGRAM_TOKEN=${token}\n`), [token, {}])
  assert.equal(await of('port: 1\n', `TELEGRAM_BOT_TOKEN=${token}\n`), [token, {}])
  assert.equal(await of('environment: { TG: "${token}" }\n', `TG=${token}\nBOT_TOKEN=1:other\n`), [token, {}])
  assert.equal(await of('environment: { K: "${secret.API_KEY}" }\n', 'API_KEY=a b\n'), [undefined, { API_KEY: 'a b' }])
  assert.equal(await of('secrets: [A, B]\n', 'A=1\nC=2\n'), [undefined, { A: '1', B: undefined }])
  const command = { secrets: { A: { command: 'echo from the inventory' } } }
  assert.equal(await of('secrets: [A]\n', 'A=1\n', command), [undefined, { A: 'from the inventory' }])
  await rejects(of('port: 1\n', 'TELEGRAM_TOKEN=x\n'), /^TELEGRAM_TOKEN in .*\.env: is not a bot token/)
})

test('"secrets: env" has all of them as variables, by usual names; what the manifest says itself wins', async () => {
  const referencesOf = async (bot: string, settings: object = {}) =>
    (await loadBot(entryOf({ source: source({ 'bot.yaml': bot }), ...settings }))).spec.references
  const hook = { WEBHOOK_URL: '${webhook.url}', WEBHOOK_SECRET: '${webhook.secret}' }
  assert.equal(await referencesOf('secrets: env\n', { secrets: { KEY: { env: 'X' } } }), {
    ...{ BOT_TOKEN: '${token}', DATABASE_URL: '${database.url}', ...hook, KEY: '${secret.KEY}' },
  })
  assert.equal(
    await referencesOf('secrets: env\nmode: polling\ndatabase: false\nenvironment: { TG: "${token}", BOT_TOKEN: x }\n'),
    { TG: '${token}' },
  )
  assert.is(await referencesOf('environment: { A: "$$" }\n'), undefined)
})

test('a variable that refers to what the bot does not have is refused with its place', async () => {
  const of = (bot: string) => loadBot(entryOf({ source: source({ 'bot.yaml': bot }) }))
  await rejects(
    of('database: false\nenvironment: { D: "${database.url}" }\n'),
    /^x.yaml:9:3: bots.a-bot.environment.D: \$\{database.url\} has no value, since the bot has "database: false"$/,
  )
  await rejects(of('mode: polling\nenvironment: { D: "${webhook.secret}" }\n'), /since the bot has "mode: polling"$/)
  await rejects(of('environment: { D: "${nope}" }\n'), /bot.yaml:1:19: environment.D: \$\{nope\} is nothing/)
  const secret = '123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  const message = await of(`environment:\n  A: 1\n  T: "${secret}"\n`).then(
    () => '',
    (error: Error) => error.message,
  )
  assert.match(message, /bot.yaml:3:6: environment.T: looks like a bot token.*write \$\{token\}/)
  assert.not.match(message, /AAAA/)
  await rejects(of(`args: { T: "${secret}" }\n`), /args.T: looks like a bot token/)
})

test('keys about the webhook that contradict each other are refused', async () => {
  const of = (bot: string) => loadBot(entryOf({ source: source({ 'bot.yaml': bot }) }))
  await rejects(
    of('webhook: bot\nmode: polling\n'),
    /bots.a-bot.webhook: "bot" sets a webhook itself, and a bot with "mode: polling" has none/,
  )
  await rejects(
    of('webhook: bot\nallowedUpdates: [message]\n'),
    /bots.a-bot.allowedUpdates: is passed to setWebhook by botgarden/,
  )
  assert.is((await of('webhook: botgarden\n')).spec.webhook, undefined)
  assert.equal([(await of('init: true\n')).spec.init, (await of('init: false\n')).spec.init], [true, undefined])
})

test('a published image is not built', () =>
  rejects(loadBot(entryOf({ image: 'a:1', dockerfile: 'x' })), /has both image and dockerfile/))

test('what a folder lacks is named with its place', async () => {
  await rejects(
    loadBot(entryOf({ source: '/nowhere/at/all' })),
    /^x.yaml:9:3: bots.a-bot: no folder \/nowhere\/at\/all: it is a path from \S+$/,
  )
  const bare = source({})
  await rejects(
    loadBot(entryOf({ source: bare })),
    /^x.yaml:9:3: bots.a-bot: .*source-\d+ has no bot.yaml: it must set at least the port/,
  )
  await rejects(
    loadBot(entryOf({ source: source({ 'bot.yaml': 'prot: 1\nmode: x\n' }) })),
    /bot.yaml:1:1: prot: [\s\S]*bot.yaml:2:7: mode: /,
  )
  await rejects(
    loadBot(entryOf({ image: 'a:1', source: bare })),
    /^x.yaml:9:3: bots.a-bot: has both image and source: remove one of them$/,
  )
  await rejects(
    loadBot(entryOf({ image: 'a:1', token: { command: 'echo why >&2; exit 3' } })),
    /^x.yaml:9:3: bots.a-bot.token: the command ended with exit code 3: echo why >&2; exit 3\nwhy$/,
  )
})

test('secrets come from where the inventory says; one that is not set is the host’s to keep', async () => {
  const path = source({ 'bot.yaml': 'port: 1\nsecrets: [FROM_NOWHERE]\n' })
  const { secrets, spec } = await loadBot(
    entryOf({
      source: path,
      secrets: { KEY: { command: 'echo " value-of-it "' }, UNSET: { env: 'NOT_SET_ANYWHERE' } },
    }),
  )
  assert.equal(
    [...secrets].map(([name, value]) => [name, value?.reveal()]),
    [
      ['FROM_NOWHERE', undefined],
      ['KEY', 'value-of-it'],
      ['UNSET', undefined],
    ],
  )
  assert.equal(spec.secrets, ['FROM_NOWHERE', 'KEY', 'UNSET'])
})

test('bots of one run with one token are named', async () => {
  const at = (id: string) => ({ image: 'a:1', token: { command: `echo ${id}:abcdefghijklmnopqrstuvwxyz` } })
  const [one, two, four] = await Promise.all([at('1'), at('1'), at('2')].map((settings) => loadBot(entryOf(settings))))
  assert.ok(one && two && four)
  assert.throws(
    () => refuseSharedToken(new Map(Object.entries({ one, four, two, three: one }))),
    /^one and two and three use the same token of bot 1: get a separate token for each from BotFather$/,
  )
  refuseSharedToken(new Map(Object.entries({ one, four, none: { ...one, token: undefined } })))
})

test('logins of registries come from where the inventory says', async () => {
  const vars = v.parse(bot.vars, {
    registries: {
      'r.example.org': { username: 'me', password: { command: 'echo pass-of-mine' } },
      's.example.org': { username: 'me', password: { env: 'NOT_SET_ANYWHERE' } },
    },
  })
  const of = (image: string) => loginsOf(vars as Parameters<typeof loginsOf>[0], image, secretReader())
  const logins = [...(await of('r.example.org/a:1')), ...(await of('s.example.org/a:1')), ...(await of('a:1'))]
  assert.equal(
    logins.map(({ registry, username, password }) => [registry, username, password.reveal()]),
    [['r.example.org', 'me', 'pass-of-mine']],
  )
})

test('what goes into an image: nothing of this machine’s, whatever a .dockerignore says, and no more than it can hold', async () => {
  const path = source({
    ...{
      '.env': 'x',
      '.env.local': 'x',
      '.env.example': 'x',
      'a.log': 'x',
      'deep/a.log': 'x',
      'deep/.env': 'x',
      'b.txt': 'b',
    },
    ...{ '.dockerignore': '!**/.env\nDockerfile\n*.md\n', 'c.md': 'x', 'node_modules/x.js': 'x', '.git/HEAD': 'x' },
  })
  const context = await contextOf(path, 'k')
  const listed = execFileSync('tar', ['-tz'], { input: Buffer.from(context.archive, 'base64') })
    .toString()
    .trim()
    .split('\n')
    .sort()
  assert.equal(listed, ['.dockerignore', '.env.example', 'Dockerfile', 'b.txt'])
  assert.equal([context.files, context.migrations], [4, undefined])
  const other = await contextOf(source({ 'migrations/1.ts': 'a', 'migrations2/1.ts': 'b' }), 'k')
  const same = await contextOf(source({ 'migrations/1.ts': 'a', 'x.ts': 'b' }), 'k')
  assert.is(other.migrations, same.migrations)
  assert.is.not(other.checksum, same.checksum)
  writeFileSync(join(path, 'huge'), Buffer.alloc(64_000_001))
  await rejects(
    contextOf(path, 'k'),
    /^k: .* has 64 MB, more than the limit of 64 MB: exclude what the image does not need in .dockerignore$/,
  )
  rmSync(join(path, 'huge'))
  assert.not.ok(isLarge({ ...context, archive: 'x'.repeat(4_000_000) }))
  assert.ok(isLarge({ ...context, archive: 'x'.repeat(4_000_001) }))
})

const context: BuildContext = await contextOf(source({ 'b.txt': 'b' }), 'k')
const label = `label botgarden.context=${context.checksum}`
const deployment = (more: Partial<Deployment> = {}): Deployment => ({
  ...{
    spec: specOf('botgarden/a:abc', {}, {}),
    manifest: {},
    context,
    pull: false,
    token: undefined,
    secrets: new Map(),
    by: 'me',
  },
  ...more,
})

for (const large of [false, true])
  test(`an image is built on its host from what ${large ? 'was laid there' : 'comes along'}, and nothing is left of that`, async () => {
    const archive = large ? `${'A'.repeat(4_000_004)}` : context.archive
    const [resource] = botImage(deployment({ context: { ...context, archive } }), facts)
    assert.ok(resource)
    const [change] = changesOf([resource], {})
    assert.equal(
      [change?.summary, change?.script.shown, change?.long],
      ['build, from 2 files', 'docker build --tag botgarden/a:abc .', true],
    )
    const host = scratchHost()
    if (large) {
      host.folder('/var/lib/botgarden/incoming')
      await host.run(`printf %s ${context.archive} | base64 -d >${contextArchivePath(context)}`)
    }
    host.note(
      'docker',
      `case $1 in build) for f; do :; done; ls "$f" >"$STATE/built-from"; stat -c %a "$f" >>"$STATE/built-from"
        find "$f" -type f ! -newermt 2020-01-01 >>"$STATE/built-from" ;; esac`,
    )
    host.write('/var/lib/botgarden/build/0/left-over', '')
    const { code, calls, output } = await host.run(change?.script ?? '')
    assert.is(code, 0, output)
    assert.equal(calls, [
      `docker image ls --quiet --filter ${label.replace(' ', '=')}`,
      `docker build --progress plain --${label} --tag botgarden/a:abc /var/lib/botgarden/build/0`,
    ])
    // With times of now: BuildKit takes a file of the same time and size for the one that it has.
    assert.is(host.noted('built-from'), 'Dockerfile\nb.txt\n700\n')
    assert.not.ok(host.there('/var/lib/botgarden/build/0') || host.there(contextArchivePath(context)))
    assert.equal(planOf([resource], { 'image:botgarden/a:abc': true }), [])
  })

test('one that was built elsewhere is loaded, and its archive goes', async () => {
  const [resource] = botImage(deployment({ shipped: true }), facts)
  const host = scratchHost()
  host.write(imageArchivePath(context), 'x')
  host.note('docker', `[ "$1" != load ] || echo sum >"$STATE/built"`)
  const [change] = changesOf(resource ? [resource] : [], {})
  const { calls } = await host.run(change?.script ?? '')
  assert.is(change?.summary, 'load the image built by --build local')
  assert.equal(calls, [
    `docker image ls --quiet --filter ${label.replace(' ', '=')}`,
    `docker load --quiet --input ${imageArchivePath(context)}`,
    `docker image ls --quiet --filter ${label.replace(' ', '=')}`,
    'docker tag sum botgarden/a:abc',
  ])
  assert.not.ok(host.there(imageArchivePath(context)))
})

test('bots of one context have one image: it is built or loaded once, and the others give it their name', async () => {
  for (const shipped of [false, true]) {
    const changes = ['a', 'b', 'c'].flatMap((bot) => {
      const spec = specOf(`botgarden/${bot}:abc`, {}, {})
      return changesOf(botImage(deployment({ spec, shipped }), facts), {})
    })
    const host = scratchHost()
    host.note('docker', `case "$1 $2" in build*|load*) sleep 1; echo sum >"$STATE/built" ;; esac`)
    host.write(imageArchivePath(context), 'x')
    // At the same time, as they are where bots are released side by side.
    const together = changes.map(({ script }) => `(${script.text}\n) &`).join('\n')
    const { code, calls, output } = await host.run(`${together}\nwait`)
    assert.is(code, 0, output)
    assert.is(calls.filter((call) => /^docker (build|load) /.test(call)).length, 1, calls.join('\n'))
    assert.is(calls.filter((call) => /^docker tag sum /.test(call)).length, shipped ? 3 : 2)
  }
})

test('builds of different contexts take turns by processors and memory', () => {
  const turns = ({ cpus, memoryMiB }: { cpus: number; memoryMiB: number }) =>
    new Set(
      Array.from({ length: 64 }, (_, i) => {
        const other = { ...context, checksum: i.toString(16).padStart(8, '0') }
        const [change] = changesOf(botImage(deployment({ context: other }), { cpus, memoryMiB }), {})
        return /build-(\d+)\.lock/.exec(change?.script.text ?? '')?.[1]
      }),
    ).size
  assert.equal(
    [turns({ cpus: 4, memoryMiB: 970 }), turns({ cpus: 2, memoryMiB: 8000 }), turns({ cpus: 8, memoryMiB: 3900 })],
    [1, 2, 4],
  )
})

test('one of a registry is pulled with its login; one of the past is there, and nothing is botImage without a deployment', () => {
  const pulled = botImage(
    deployment({
      pull: true,
      spec: specOf('r.example.org/a:1', {}, {}),
      logins: [{ registry: 'r.example.org', username: 'me', password: new Secret('pass-of-mine') }],
    }),
    facts,
  )
  assert.equal(
    pulled.map(({ id }) => id),
    [
      'directory:/etc/botgarden/registry',
      'directory:/etc/botgarden/registry/r.example.org',
      'registry:r.example.org',
      'image:r.example.org/a:1',
    ],
  )
  assert.equal(
    changesOf(pulled.slice(-1), {}).map(({ script }) => script.text),
    ['docker --config /etc/botgarden/registry/r.example.org pull --quiet r.example.org/a:1'],
  )
  assert.equal(botImage(deployment({ context: undefined }), facts), [])
  assert.equal(botImage(undefined, facts), [])
})

test('what is too large to carry along is laid on the host beforehand', async () => {
  const host = scratchHost()
  const progress = () => {}
  await ship('a:1', context, connectionTo(host), { buildsHere: false, progress })
  const listed = await host.run(`tar -tzf ${contextArchivePath(context)}`)
  assert.is(listed.stdout, 'Dockerfile\nb.txt\n')
  assert.is(host.mode('/var/lib/botgarden/incoming'), '700')
  assert.is(host.mode(contextArchivePath(context)), '600')
})

test('an image that is built on this machine is for the host’s kind of processor, and travels compressed', async () => {
  const here = scratchHost({ docker: `case $1 in build) cat >"$STATE/context" ;; save) printf image >"$3" ;; esac` })
  const host = scratchHost()
  const said: string[] = []
  const shipping = () =>
    ship('a:1', context, connectionTo(host), { buildsHere: true, progress: (line) => said.push(line) })
  await withPrograms(here, shipping)
  assert.equal(
    here
      .noted('calls')
      .split('\n')
      .map((call) => call.replace(/--output \S+/, '--output X')),
    [`docker build --platform linux/amd64 --${label} --tag a:1 -`, 'docker save --output X a:1', ''],
  )
  assert.is(
    execFileSync('tar', ['-tz'], {
      input: Buffer.from(here.noted('context'), 'latin1').length ? Buffer.from(context.archive, 'base64') : '',
    }).toString(),
    'Dockerfile\nb.txt\n',
  )
  assert.is((await host.run(`gzip -dc ${imageArchivePath(context)}`)).stdout, 'image')
  assert.equal(said, ['building a:1 for linux/amd64 on this machine', 'a:1: 0 MB uploaded'])
  for (const [what, text, error] of [
    [
      'build',
      'case $1 in build) seq 30; echo no such base; exit 1 ;; esac',
      /^--build local: docker build failed on this machine\n[\s\S]*no such base$/,
    ],
    [
      'save',
      'case $1 in save) echo no room >&2; exit 1 ;; esac',
      /^--build local: docker save failed on this machine\nno room$/,
    ],
  ] as const) {
    const failing = scratchHost({ docker: text })
    await rejects(withPrograms(failing, shipping), error)
    assert.ok(what)
  }
})

const meminfo =
  'MemTotal: 2048000 kB\nMemFree: 1 kB\nMemAvailable: 1024000 kB\nSwapTotal: 1024000 kB\nSwapFree: 512000 kB\n'
test('what is free on a host: memory with swap, and the disk of the engine', async () => {
  const host = scratchHost({
    df: `case $3 in */docker) avail=100 ;; *) avail=200 ;; esac; printf 'Avail\\n%s\\n' $avail`,
  })
  host.write('/proc/meminfo', meminfo)
  assert.equal(await host.reads(freeCapacity), { totalMB: 3000, memoryMB: 1500, diskMB: 200 })
  host.folder('/var/lib/docker')
  assert.is((await host.reads(freeCapacity)).diskMB, 100)
})

const MiB = 2 ** 20
for (const [version, files, found] of [
  [
    '2',
    { 'memory.max': 512 * MiB, 'memory.current': 400 * MiB, 'memory.stat': ['active_file', 'inactive_file'] },
    { totalMB: 512, memoryMB: 412 },
  ],
  ['2 without a limit', { 'memory.max': 'max', 'memory.current': 400 * MiB }, { totalMB: 3000, memoryMB: 1500 }],
  [
    '1',
    {
      'memory/memory.limit_in_bytes': 512 * MiB,
      'memory/memory.usage_in_bytes': 400 * MiB,
      'memory/memory.stat': ['total_active_file', 'total_inactive_file'],
    },
    { totalMB: 512, memoryMB: 412 },
  ],
  [
    '1 without a limit',
    { 'memory/memory.limit_in_bytes': '9223372036854771712', 'memory/memory.usage_in_bytes': 400 * MiB },
    { totalMB: 3000, memoryMB: 1500 },
  ],
] as const)
  test(`in a container what its cgroup leaves counts as well, with what is only a cache: version ${version}`, async () => {
    const host = scratchHost({ df: `printf 'Avail\\n200\\n'` })
    host.write('/proc/meminfo', meminfo)
    for (const [name, value] of Object.entries(files))
      host.write(
        `/sys/fs/cgroup/${name}`,
        typeof value === 'object'
          ? (value as readonly string[]).map((key, i) => `${key} ${(i + 1) * 100 * MiB}\n`).join('')
          : `${value}\n`,
      )
    assert.equal(await host.reads(freeCapacity), { ...found, diskMB: 200 })
  })

test.run()
