// What bot.ts sends: releases from every mode to every mode, what site.ts does for a bot, going back, and removal.
import * as v from 'valibot'
import { refusingEmptyHost } from '../../../commands/deploy/empty-host.ts'
import { consoleScript, execScript, psqlOfBot } from '../../../commands/deploy/exec/index.ts'
import { psqlScript } from '../../../commands/deploy/exec/psql.ts'
import { deploy } from '../../../commands/deploy/index.ts'
import { headingScript, logsScript } from '../../../commands/deploy/logs/index.ts'
import { runScript } from '../../../commands/deploy/run-job.ts'
import { ship } from '../../../commands/deploy/ship-image.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { eventsScript } from '../../../lib/engine/events.ts'
import type { InventoryHost } from '../../../lib/inventory/hosts.ts'
import { noLeftovers } from '../../../lib/platform/leftovers.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { loadDatabase } from '../../../roles/bot/database/fill.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { jobFiles } from '../../../roles/bot/jobs/files.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { botAbsent } from '../../../roles/bot/remove.ts'
import type { BuildContext } from '../../../roles/bot/spec/build-context.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { dropPending } from '../../../roles/bot/telegram/set-webhook.ts'
import { entry, facts } from '../fake-host.ts'
import { printed } from '../printed.ts'
import { recorder } from './recorder.ts'
import { request, runScripts, type Shell, shell } from './scripts.ts'

const telegram = 'https://api.telegram.org'
const role = botRole(new Map())
const vars = v.parse(role.vars, {})
const host = { ...entry, domain: 'b.example.org', bots: [{ name: 'hello', where: 'x', settings: {} }] }
const migrating = { migrate: ['node', 'migrate.ts'], health: '/readyz', allowedUpdates: ['message'] }
const context: BuildContext = {
  archive: 'H4sIAAAAAAAAA+3BMQ',
  files: 3,
  checksum: 'f'.repeat(64),
  migrations: 'b',
  options: [],
}
const large: BuildContext = { ...context, archive: 'A'.repeat(4_000_004) }
type Mode = 'webhook' | 'polling' | 'none'
const data = { data: ['/app/data', '/b'], cache: { server: 'valkey', memoryMB: 32, persist: true } as const }

const routes: Pick<Spec, 'public'> = {
  public: [
    { path: '/', static: 'dist', spa: true },
    { path: '/pay', methods: ['POST'], from: ['203.0.113.0/24'] },
  ],
}
const nginxConf = { 'text:/opt/botgarden/nginx/conf/nginx.conf': 'http {\n}\n' }
const withRoutes = {
  ...nginxConf,
  'text:/var/lib/botgarden/bots/hello/current.json': JSON.stringify({
    ...{ id: '1', colour: 'blue', by: 'me', secrets: { token: '' }, former: { '/': 'f' } },
    spec: spec('webhook', { ...routes, image: 'hello:1' }),
  }),
}

function spec(mode: Mode, more: Partial<Spec> = {}): Spec {
  return { ...specOf('registry.example.org/hello:2', { mode }, migrating, 'b'), ...more }
}

function delivery(of: Spec, more: Partial<Deployment> = {}): Deployment {
  return {
    ...{ spec: of, manifest: {}, context: undefined, pull: true, by: 'me' },
    ...{ token: new Secret('1:a-token-of-a-bot'), secrets: new Map([['KEY', new Secret('value-of-it')]]) },
    ...more,
  }
}

const serving = { status: 'running', health: '', config: 'x', restart: 'always', memoryMB: 160, cpus: 0.5 }
const plain = { type: 'file', mode: '0666', owner: 'nobody', group: 'nogroup' }
const hook = { mark: '', answer: 'not asked' }

/** A host where this serves: `before` is its mode, undefined: the bot was never released. */
function stateWith(before: Mode | undefined, more: Record<string, unknown> = {}): Record<string, unknown> {
  const release = { id: '1', spec: spec(before ?? 'webhook', { image: 'hello:1', migrations: 'a' }), by: 'me' }
  const record = JSON.stringify({ ...release, colour: 'blue', secrets: {} })
  return {
    ...{ 'postgres:catalog': freshCatalog, 'routes:ipv4': [], 'token-owners:bots': {} },
    ...{
      'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
      'releases:bots': [],
      'releases:moved': [],
    },
    ...{ 'nginx:config': { current: true, whole: true, inForce: true }, 'allocations:bots': {} },
    [`webhook:hello ${telegram} ask`]: hook,
    [`webhook:hello ${telegram} trust`]: hook,
    'kept-secrets:hello': { token: 1 },
    ...(before !== undefined && {
      'text:/var/lib/botgarden/bots/hello/current.json': record,
      'allocations:bots': { hello: 1, other: 2 },
      'container:botgarden-hello-blue': serving,
      'file:/etc/botgarden/secrets/bots/hello/token': { ...plain, mode: '0400' },
    }),
    ...more,
  }
}

export async function botScripts(): Promise<Shell[]> {
  return [...released(), ...kept(), ...removals(), ...(await procedures())]
}

const byTcp = { tcp: true, connections: 5, extensions: ['pg_trgm'] } as const
const initScript = { name: 'init.sql', sql: 'create table a ();', checksum: 'c'.repeat(64) }
const dump = { kind: 'archive', name: 'old.dump', checksum: 'd'.repeat(64), bytes: 9 } as const
const server = { ...serving, networks: { none: [] } }
const newDatabase = {
  'container:botgarden-postgres': server,
  'database-contents:hello always': { trusted: ['pg_trgm'], database: undefined },
}
const ownedDatabase = {
  'postgres:catalog': {
    ...freshCatalog,
    roles: { hello: { attributes: ['LOGIN'], connectionLimit: 40, settings: {}, memberOf: [] } },
  },
}

const digest = { schedule: '0 9 1 * mon', timezone: 'Europe/Berlin', command: ['node', 'a b'], timeout: 60 }
const jobs = { digest, clean: { ...digest, missed: 'run' as const } }

/** What the timers of jobs start, and what starts one by hand. */
function jobScripts(): Shell[] {
  const instance = { bot: 'hello', number: 1, base: '10.210', telegram, origin: 'https://b.example.org' }
  const limits = { memoryMB: 160, cpus: 0.5 }
  const of = (more: Partial<Spec>) =>
    jobFiles({ instance, colour: 'blue', limits, spec: spec('webhook', { jobs, ...more }) })
      .filter(({ path }) => path.endsWith('digest.sh'))
      .map(({ text }) => shell('a job', text))
  return [
    ...of({}),
    ...of({ references: { A: 'x${token}' }, cache: { server: 'valkey', memoryMB: 32 } }),
    request('bot.ts --run', runScript('hello', 'digest').text),
  ]
}

function released(): Shell[] {
  const from = (
    before: Mode | undefined,
    given: Deployment,
    more: Record<string, unknown> = {},
    { reads = false } = {},
  ) => {
    const resources = botRole(new Map([['hello', given]])).resources(vars, facts, host)
    return runScripts(`release ${before ?? 'nothing'} → ${given.spec.mode}`, resources, stateWith(before, more), {
      reads,
    })
  }
  const modes = ['webhook', 'polling'] as const
  const unreachable = { [`webhook:hello ${telegram} ask`]: { mark: 'unreachable', answer: { url: 'x' } } }
  const logins = [{ registry: 'registry.example.org', username: 'u', password: new Secret('a-password') }]
  const selfSigned = {
    'certificate:b.example.org': { names: [], selfSigned: true, keyMatches: true, fingerprint: 'f' },
  }
  const known = { token: undefined, secrets: new Map() }
  const guarded = refusingEmptyHost(role, 'vps1').resources(vars, facts, host).slice(0, 1)
  return [
    ...from(undefined, delivery(spec('webhook')), {}, { reads: true }),
    ...runScripts('a host with backups', guarded, stateWith('webhook', { 'known-bots:host': 'known' }), {
      reads: true,
    }),
    ...[undefined, ...modes].flatMap((before) => modes.flatMap((after) => from(before, delivery(spec(after))))),
    ...from('webhook', delivery(spec('webhook', { database: false, health: undefined, migrate: undefined }))),
    ...from('webhook', delivery(spec('webhook', { references: { A: 'x${token}', B: '${database.url}' } }))),
    ...externalDatabase(),
    ...([undefined, ...modes] as const).flatMap((before) =>
      from(before, delivery(spec('webhook', { webhook: 'bot' }))),
    ),
    ...runScripts(
      'a bot that has lost the webhook that it sets itself',
      botRole(new Map([['hello', delivery(spec('webhook', { webhook: 'bot' }), known)]])).resources(vars, facts, host),
      stateWith('webhook', {
        [`webhook:hello ${telegram} ask`]: { mark: '', answer: { url: '' } },
        'text:/var/lib/botgarden/bots/hello/current.json': `${JSON.stringify({
          ...{ id: '1', colour: 'blue', by: 'me', secrets: { token: '' } },
          spec: spec('webhook', { webhook: 'bot' }),
        })}\n`,
      }),
    ),
    ...from('webhook', delivery(spec('webhook', { scratch: ['/cache'] }), { isRollback: true, token: undefined })),
    ...from('webhook', delivery(spec('webhook', data)), { 'data:hello': { b: 0 } }, { reads: true }),
    ...from('polling', delivery(spec('polling', data))),
    ...[undefined, ...modes].flatMap((before) => from(before, delivery(spec('webhook', routes)))),
    ...from('webhook', delivery(spec('none', { ...routes, database: false }), { token: undefined })),
    ...from('webhook', delivery(spec('webhook', routes)), withRoutes, { reads: true }),
    ...from('webhook', delivery(spec('webhook'), { logins, secrets: new Map() }), selfSigned),
    ...from('polling', delivery(spec('polling')), unreachable),
    ...from(undefined, delivery(spec('webhook'), { pull: false, context })),
    ...from(undefined, delivery(spec('webhook'), { pull: false, context: large })),
    ...from(
      undefined,
      delivery(spec('webhook'), { pull: false, context: { ...context, options: ['--file', 'a b', '--target', 'x'] } }),
    ),
    ...from(undefined, delivery(spec('webhook'), { pull: false, context, shipped: true })),
    ...from(undefined, delivery(spec('webhook', byTcp), { initScript, dump }), newDatabase, { reads: true }),
    ...from('webhook', delivery(spec('webhook'), {}), {
      'network:botgarden-hello.db': { subnet: '10.213.1.0/28', internal: true },
    }),
    ...from('webhook', delivery(spec('webhook', { connections: 2 })), ownedDatabase),
    ...from('webhook', delivery(spec('webhook', { jobs })), {}, { reads: true }),
    ...from('polling', delivery(spec('webhook', { webhook: 'bot', webhookPath: '/hook/*' }))),
    ...jobScripts(),
    ...from(undefined, delivery(spec('webhook'), { initScript }), newDatabase),
    shell('load a database', `set -eu\n${loadDatabase.text}`),
    ...twoBots(),
  ]
}

/** A bot whose database somebody else keeps. */
function externalDatabase(): Shell[] {
  const database = { external: { url: 'postgresql://app@db.example.org/shop', password: { env: 'A' } } }
  const bots = host.bots.map((each) => ({ ...each, settings: { ...each.settings, database } }))
  const { external } = specOf('a:1', { database }, {})
  const its = spec('webhook', { database: false, ...(external && { external }), references: { A: '${database.url}' } })
  const resources = botRole(new Map([['hello', delivery(its)]])).resources(vars, facts, { ...host, bots })
  return runScripts('a database of somebody else', resources, stateWith('webhook', {}), { reads: true })
}

/** Two bots that come to a host together: side by side. */
function twoBots(): Shell[] {
  const names = ['one', 'two']
  const deployments = names.map((name) => {
    const own = { ...spec('webhook'), image: `botgarden/${name}:2` }
    return [name, delivery(own, { pull: false, context, token: new Secret(`${name}:a-token-of-a-bot`) })] as const
  })
  const bots = names.map((name) => ({ name, where: 'x', settings: {} }))
  const resources = botRole(new Map(deployments)).resources(vars, facts, { ...host, bots })
  const hooks = names.map((name) => [`webhook:${name} ${telegram} ask`, hook])
  const kept = names.map((name) => [`kept-secrets:${name}`, { token: 1 }])
  return runScripts('two bots', resources, stateWith(undefined, Object.fromEntries([...hooks, ...kept])))
}

/** What site.ts does for a bot whose release is not as it should be. */
function kept(): Shell[] {
  const plans = (what: string, before: Mode, more: Record<string, unknown>) =>
    runScripts(`site, ${what}`, role.resources(vars, facts, host), stateWith(before, more))
  const blue = 'container:botgarden-hello-blue'
  const instance = { bot: 'hello', number: 1, base: '10.210', telegram, origin: 'https://bots.example.org' }
  const limits = { memoryMB: 160, cpus: 0.5 }
  const { checksum } = serviceFile(instance, 'blue', spec('webhook', { image: 'hello:1', migrations: 'a' }), limits)
  const past = { past: `${stateWith('webhook')['text:/var/lib/botgarden/bots/hello/current.json']}\n` }
  const found = {
    name: 'x',
    running: true,
    restart: 'always',
    image: 'hello:1',
    labels: {},
    polls: false,
    colour: 'blue',
  }
  return [
    ...plans('a bot that is gone', 'webhook', { [blue]: 'absent' }),
    ...plans('a bot whose files and routes are gone', 'webhook', {
      ...withRoutes,
      [blue]: { ...serving, config: checksum },
    }),
    ...plans('a poller that ended', 'polling', { [blue]: { ...serving, status: 'exited' } }),
    ...plans('a bot of other limits', 'webhook', { [blue]: { ...serving, memoryMB: 1, config: checksum } }),
    ...plans('a bot that no boot starts', 'webhook', { [blue]: { ...serving, restart: 'no' } }),
    ...plans('a cache of a version before', 'webhook', { 'container:botgarden-hello-cache': serving }),
    ...plans('a torn record', 'webhook', {
      'text:/var/lib/botgarden/bots/hello/current.json': '{',
      'record:hello': { ...past, containers: [found] },
    }),
    ...plans('jobs that are not there', 'webhook', {
      'text:/var/lib/botgarden/bots/hello/current.json': String(
        stateWith('webhook')['text:/var/lib/botgarden/bots/hello/current.json'],
      ).replace('"database":true', `"database":true,"jobs":${JSON.stringify(jobs)}`),
    }),
    ...plans('a release that was cut off, of a bot with data', 'webhook', {
      'text:/var/lib/botgarden/bots/hello/current.json': String(
        stateWith('webhook')['text:/var/lib/botgarden/bots/hello/current.json'],
      ).replace('"database":true', '"database":true,"data":["/app/data"]'),
      'container:botgarden-hello-green': serving,
      'data:hello': { 'app=data': 20_001 },
    }),
    ...plans('secrets of another mode', 'webhook', {
      'file:/etc/botgarden/secrets/bots/hello/token': plain,
      'file:/etc/botgarden/secrets/bots/hello/webhook-secret': plain,
    }),
    ...runScripts('leftovers', [noLeftovers()], {
      'left-files:restore': { busy: false, paths: ['/var/lib/botgarden/incoming/x'] },
      'container:botgarden-drill': serving,
      'postgres:catalog': leftCatalog,
    }),
  ]
}

const none = { owner: 'postgres', grantees: [] }
const leftCatalog = {
  ...freshCatalog,
  databases: { ...freshCatalog.databases, 'botgarden-before': none },
  roles: { ...freshCatalog.roles, 'botgarden-reader': freshCatalog.roles.postgres },
}

function removals(): Shell[] {
  return [false, true].flatMap((purge) =>
    runScripts(
      `remove${purge ? ', purge' : ''}`,
      [botAbsent('hello', telegram, { purge })],
      stateWith('webhook', { 'data:hello': {} }),
      {
        reads: true,
      },
    ),
  )
}

/** What bot.ts asks beside its plans. */
async function procedures(): Promise<Shell[]> {
  const record = String(stateWith('webhook')['text:/var/lib/botgarden/bots/hello/current.json'])
  const encoded = Buffer.from(record.replace('"1"', '"0"').replace('hello:1', 'hello:0')).toString('base64')
  const past = `${encoded}\n${Buffer.from(record).toString('base64')}\n`
  const here = recorder('bot.ts', [
    [/\/releases/, past],
    [/docker image inspect -- "\$name"/, 'hello:0\nhello:1\n'],
    [/"ok"|setWebhook/, '{"ok":true}'],
    [/current.json 2>\/dev\/null; echo; docker ps/, `${Buffer.from(record).toString('base64')}\n`],
  ])
  const whole: InventoryHost = { ...host, ssh: 'vps1', groups: [], vars: { bot: vars } }
  const named = {
    name: 'hello',
    where: 'x',
    settings: { image: 'hello:1', token: { command: 'echo 1:aaaaaaaaaaaaaaaaaaaaaaaa' } },
  }
  const session = {
    ...{ hosts: [{ ...whole, bots: [named] }], inventory: { file: 'x.yaml', hosts: [{ ...whole, bots: [named] }] } },
    report: { line: () => {} },
    hold: async () => {},
    converge: async () => 0,
    connected: async (_: unknown, use: (connection: unknown) => unknown) => use(here.connection),
  }
  for (const own of [
    { name: ['hello'], 'drop-pending': [] },
    ...['releases'].map((each) => ({ name: ['hello'], [each]: [] })),
  ])
    await printed(() =>
      deploy({ ...session, options: { own: new Map(Object.entries(own)) } } as unknown as Session, () => true),
    )
  const asking = { ...session, options: { check: false } } as unknown as Session
  await psqlOfBot(asking, whole, 'hello').catch(() => {})
  await ship('hello:2', context, here.connection, { buildsHere: false, progress: () => {} })
  const hooked = { bot: 'hello', url: 'https://b.example.org/tg/hello', name: 'b.example.org', telegram, ask: true }
  const queries = [{ follow: false }, { follow: true, since: 60, grep: "it's", process: 'worker', lines: 5 }]
  return [
    ...here.requests,
    request('status.ts --events', eventsScript.text),
    request('bot.ts --logs', headingScript('hello').text),
    ...queries.map((query) => request('bot.ts --logs', logsScript('hello', query).text)),
    ...[true, false].flatMap((terminal) => [
      shell('bot.ts --exec', execScript('hello', 'botgarden-hello-blue', ['ls', '-l', "it's"], terminal).text),
      shell('bot.ts --psql', consoleScript('psql:hello', 'opened', psqlScript('hello', 20_001, terminal)).text),
    ]),
    ...(['webhook', 'polling'] as const).map((mode) =>
      request(`drop pending, ${mode}`, dropPending(hooked, spec(mode)).text),
    ),
  ]
}
