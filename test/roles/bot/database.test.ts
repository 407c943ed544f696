// The database of a bot by its keys: TCP, connections, extensions, and what a new one is filled from.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { fewerConnections } from '../../../roles/bot/database/connections.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { botAbsent } from '../../../roles/bot/remove.ts'
import { databaseAddress } from '../../../roles/bot/spec/database.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { databaseSubnet } from '../../../roles/bot/spec/layout.ts'
import { corruption } from '../../../roles/bot/spec/release-record.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { bare, deployment, plan, resourcesOf, served, spec } from '../../support/hello-bot.ts'
import { changesOf, contentOf, planOf, stateAfter } from '../../support/plan-of.ts'
import { place } from '../../support/release-policy.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const network = 'network:botgarden-hello-bot.db'
const server = 'container:botgarden-postgres'
const running = { status: 'running', health: 'healthy', config: '', restart: 'always', memoryMB: 288, cpus: 0 }
const withServer = { [server]: { ...running, networks: { none: [] } } }
const release = 'release:hello-bot: release botgarden/hello-bot:abc'

/** What a plan says of the database and the release. */
const about = (given: Deployment | undefined, state: Record<string, unknown> = {}) =>
  plan(given, { ...withServer, ...state }).filter((line) =>
    /^(network:[^:]*\.db|file:\/opt\/botgarden\/postgres|postgres-|attachment|tcp|database-i|release)/.test(line),
  )

test('the keys are members of the spec where they are used, and nothing where they are not', () => {
  const of = (database: object | boolean | undefined, own: object | boolean | undefined = undefined) => {
    const {
      tcp,
      connections,
      extensions,
      database: has,
    } = specOf('a:1', own === undefined ? {} : { database: own }, database === undefined ? {} : { database })
    return JSON.stringify({ has, tcp, connections, extensions })
  }
  assert.is(of(undefined), '{"has":true}')
  assert.is(of(true), '{"has":true}')
  assert.is(of(false), '{"has":false}')
  assert.is(of({}), '{"has":true}')
  assert.is(of({ tcp: false, extensions: [] }), '{"has":true}')
  assert.is(
    of({ tcp: true, connections: 20, extensions: ['unaccent', 'pg_trgm', 'pg_trgm'] }),
    '{"has":true,"tcp":true,"connections":20,"extensions":["pg_trgm","unaccent"]}',
  )
  // The inventory overrides a member, not all of them.
  assert.is(of({ tcp: true, connections: 20 }, { connections: 5 }), '{"has":true,"tcp":true,"connections":5}')
  assert.is(of({ tcp: true }, true), '{"has":true,"tcp":true}')
  assert.is(of({ tcp: true }, { tcp: false }), '{"has":true}')
  assert.is(of({ tcp: true }, false), '{"has":false}')
  assert.is(of(false, { tcp: true }), '{"has":true,"tcp":true}')
  assert.equal(Object.keys(specOf('a:1', {}, {})).at(-1), 'secrets')
})

test('records with and without them are valid, and one with nonsense is not', () => {
  const record = (more: object) =>
    corruption(
      JSON.stringify({ id: '1', colour: 'blue', by: 'me', secrets: {}, spec: { ...specOf('a:1', {}, {}), ...more } }),
    )
  assert.is(record({}), undefined)
  assert.is(record({ tcp: true, connections: 20, extensions: ['pg_trgm'] }), undefined)
  for (const wrong of [{ tcp: 'yes' }, { connections: '20' }, { extensions: 'pg_trgm' }])
    assert.match(record(wrong) ?? '', Object.keys(wrong)[0] as string)
})

test('the parts of its URL', () => {
  const { host, port, user, name, passwordFile, passwordFileOnHost } = databaseAddress('shop-bot', { tcp: true })
  assert.equal([host, port, user, name], ['postgres', 5432, 'shop_bot', 'shop_bot'])
  assert.is(passwordFile, '/run/secrets/database-password')
  assert.is(passwordFileOnHost, '/etc/botgarden/secrets/bots/shop-bot/database-password')
  assert.is(databaseAddress('shop-bot', {}).host, '/run/postgresql')
})

test('its network is beside those of bots, and never another bot’s', () => {
  assert.is(databaseSubnet('10.210', 7), '10.213.7.0/28')
  assert.is(databaseSubnet('10.254', 7), '10.1.7.0/28')
})

const tcp = { tcp: true } as const
const ways = [
  `${network}: create, 10.213.1.0/28`,
  'file:/opt/botgarden/postgres/conf/bots/hello-bot.conf: create',
  'postgres-access:hello_bot: let it in by TCP',
  'attachment:botgarden-hello-bot.db/botgarden-postgres: connect the server, as postgres',
]

test('a first release by TCP makes its network, lets it in and connects the server before it begins', () => {
  assert.equal(about(deployment(tcp)), [
    'postgres-role:hello_bot: create',
    'postgres-database:hello_bot: create',
    ...ways,
    release,
  ])
})

test('its network leads nowhere, and the server lets in from it one role to one database', async () => {
  const resources = resourcesOf(deployment(tcp))
  const content = contentOf(resources, 'postgres/conf/bots/hello-bot.conf')
  const lines = content.split('\n').filter((line) => /^[^#]/.test(line))
  assert.equal(lines, ['host  "hello_bot"  "hello_bot"  10.213.1.0/28  scram-sha-256'])
  const host = scratchHost()
  const calls: string[] = []
  for (const { script, summary } of changesOf(resources, { ...bare, ...withServer }))
    if (/^(create, 10.213|connect the server)/.test(summary)) calls.push(...(await host.run(script)).calls)
  assert.equal(calls, [
    'docker network create --driver bridge --internal --gateway 10.213.1.1 --subnet 10.213.1.0/28 --ip-range 10.213.1.8/29 --label botgarden.bot=hello-bot --opt com.docker.network.bridge.name=br-db-1 --opt com.docker.network.bridge.inhibit_ipv4=true botgarden-hello-bot.db',
    'docker network disconnect none botgarden-postgres',
    'docker network disconnect --force botgarden-hello-bot.db botgarden-postgres',
    'docker network connect --alias postgres --ip 10.213.1.4 botgarden-hello-bot.db botgarden-postgres',
  ])
})

test('after that nothing differs, whoever looks', () => {
  for (const given of [deployment(tcp), undefined]) {
    const resources = resourcesOf(deployment(tcp))
    const after = stateAfter(resources, { ...bare, ...withServer })
    const left = planOf(resourcesOf(given), { ...bare, ...withServer, ...after })
    assert.equal(
      left.filter((line) => /db|postgres|attachment|tcp:/.test(line) && !/passwor|pgpass|directory/.test(line)),
      [],
    )
  }
})

const instance = {
  bot: 'hello-bot',
  number: 1,
  ...place,
}
const both = { 'botgarden-hello-bot': [], 'botgarden-hello-bot.db': [] }
const blue = () => {
  const { checksum } = serviceFile(instance, 'blue', { ...spec, ...tcp }, { memoryMB: 160, cpus: 0.5 })
  return { ...running, memoryMB: 160, cpus: 0.5, config: checksum, networks: both }
}

/** A host where a version that uses TCP serves, with all that belongs to it. */
const byTcp = (): Record<string, unknown> => ({
  ...afterwards(),
  ...served(tcp),
  'container:botgarden-hello-bot-blue': blue(),
})
const afterwards = () => stateAfter(resourcesOf(deployment(tcp)), { ...bare, ...withServer })

test('site.ts sees each piece that is missing, and mends that one', () => {
  const mends = (state: object) =>
    about(undefined, { ...byTcp(), ...state }).filter((line) => !line.startsWith('release:'))
  const catalog = byTcp()['postgres:catalog'] as object
  assert.equal(mends({}), [])
  assert.equal(mends({ [network]: undefined }), [ways[0]])
  assert.equal(mends({ 'file:/opt/botgarden/postgres/conf/bots/hello-bot.conf': 'absent' }), ways.slice(1, 3))
  assert.equal(mends({ 'postgres:catalog': { ...catalog, access: [] } }), ways.slice(2, 3))
  assert.equal(mends({ 'postgres:catalog': { ...catalog, accessOutdated: ['bots/hello-bot.conf'] } }), ways.slice(2, 3))
  assert.equal(mends({ 'postgres:catalog': { ...catalog, accessOutdated: ['bots/other.conf'] } }), [])
  assert.equal(mends({ [server]: { ...running, networks: { none: [] } } }), ways.slice(3))
  // The name is what clients ask for.
  assert.equal(mends({ [server]: { ...running, networks: { 'botgarden-hello-bot.db': [] } } }), ways.slice(3))
  const alone = { ...blue(), networks: { 'botgarden-hello-bot': [] } }
  assert.equal(mends({ 'container:botgarden-hello-bot-blue': alone }), [
    'attachment:botgarden-hello-bot.db/botgarden-hello-bot: connect the bot',
  ])
})

test('a network of the same name that leads elsewhere is refused, and so are addresses that the host uses', () => {
  const with_ = (state: object) => () => about(undefined, { ...byTcp(), ...state })
  assert.throws(with_({ [network]: { subnet: '10.213.1.0/28', number: undefined } }), /should be internal/)
  assert.throws(with_({ [network]: { subnet: '10.9.1.0/28', internal: true } }), /should be internal and 10.213.1.0/)
  assert.throws(
    with_({ [network]: undefined, 'routes:ipv4': ['10.213.1.0/24'] }),
    /has a route to 10.213.1.0\/24: use the socket/,
  )
  // A bot that is new to the host gets a number whose networks are both free.
  const [first] = plan(deployment(tcp), { ...withServer, 'routes:ipv4': ['10.213.1.0/24'] })
  assert.is(first, 'allocation:hello-bot: network 10.210.2.0/24, user 20002')
})

test('once a version without TCP serves, its way by TCP is gone; not before', () => {
  const closed = 'tcp:hello-bot: remove its way to the database by TCP, which its release does not use'
  assert.equal(about(deployment(), byTcp()), [`${release}: tcp, secret token`, closed])
  assert.equal(
    about(undefined, { ...byTcp(), ...served() }).filter((line) => !line.startsWith('release:')),
    [closed],
  )
})

test('with the bot its ways go, and a stranger on its network is named before', () => {
  const removal = [botAbsent('hello-bot', 'https://api.telegram.org', { purge: false })]
  const nothing = { 'allocations:bots': {} }
  assert.equal(planOf(removal, nothing), [])
  for (const rest of [
    { [network]: { subnet: '10.213.1.0/28', number: undefined, internal: true } },
    { 'file:/opt/botgarden/postgres/conf/bots/hello-bot.conf': { type: 'file' } },
  ])
    assert.equal(planOf(removal, { ...nothing, ...rest }), [
      'bot:hello-bot: remove, after a final dump of its database',
    ])
  const ties = { containers: ['botgarden-hello-bot.db psql'], databases: [] }
  assert.throws(
    () => planOf(removal, { 'allocations:bots': { 'hello-bot': 1 }, 'removal-conflicts:hello-bot': ties }),
    /docker network disconnect botgarden-hello-bot.db psql$/,
  )
})

const limited = (connectionLimit: number) => ({
  ...{ attributes: ['LOGIN'], connectionLimit, memberOf: [] },
  settings: { statement_timeout: '30s', lock_timeout: '10s', idle_in_transaction_session_timeout: '30s' },
})
const catalogOf = (roles: Record<string, number>, maxConnections = 60) => ({
  'postgres:catalog': {
    ...freshCatalog,
    maxConnections,
    roles: { ...freshCatalog.roles, ...Object.fromEntries(Object.entries(roles).map(([n, l]) => [n, limited(l)])) },
    databases: { hello_bot: { owner: 'hello_bot', grantees: ['hello_bot'] } },
  },
  'postgres:hello_bot /etc/botgarden/secrets/bots/hello-bot/database-password': 'proved',
})

test('its role may have the connections of two versions', () => {
  const [line] = about(deployment({ connections: 20 }), catalogOf({ hello_bot: 8 }))
  assert.is(line, 'postgres-role:hello_bot: connection limit 8 → 40')
  const site = about(undefined, { ...served({ connections: 20 }), ...catalogOf({ hello_bot: 8 }) })
  assert.is(site[0], 'postgres-role:hello_bot: connection limit 8 → 40')
})

test('fewer of them are its limit when the version before, which may have more, is gone', () => {
  const state = { ...served({ connections: 20 }), ...catalogOf({ hello_bot: 40 }) }
  assert.equal(about(deployment({ connections: 5 }), state), [
    `${release}: connections, secret token`,
    'postgres-connections:hello_bot: connection limit 40 → 10',
  ])
  assert.equal(about(deployment(), state).slice(1), ['postgres-connections:hello_bot: connection limit 40 → 8'])
})

test('after that its role has that limit, as it says, and the roles of others are as they were', async () => {
  const before = catalogOf({ hello_bot: 40, other: 8 })
  const [change] = changesOf([fewerConnections('hello-bot', 5)], before)
  const after = stateAfter([fewerConnections('hello-bot', 5)], before)
  assert.equal(after['postgres:catalog'], catalogOf({ hello_bot: 10, other: 8 })['postgres:catalog'])
  assert.equal(planOf([fewerConnections('hello-bot', 5)], after), [])
  const host = scratchHost()
  host.container('botgarden-postgres')
  assert.is((await host.run(change?.script ?? '')).code, 0)
  assert.match(host.noted('sql'), 'alter role "hello_bot" connection limit 10;')
})

test('more than the server has beside other bots is refused, with what there is', () => {
  const state = (roles: Record<string, number>, max?: number) => () =>
    about(deployment({ connections: 20 }), catalogOf({ hello_bot: 8, ...roles }, max))
  state({ one: 8, two: 8, three: 8 })()
  assert.throws(
    state({ one: 40 }),
    /20 are 40 while the bot is replaced, and of the 60 of this host's server 32 are left: 20 are for other bots, 8 for/,
  )
  assert.throws(state({ one: 40 }), /set at most 16, or raise postgres.settings.max_connections/)
  assert.throws(state({}, 30), /set at most 11/)
  // Who says nothing of them is never refused.
  assert.ok(about(deployment(), catalogOf({ hello_bot: 8, one: 400 })).length > 0)
})

const contents = (
  name: string,
  database: object | undefined,
  trusted: string[] | undefined = ['pg_trgm', 'unaccent'],
) => ({
  [`database-contents:hello-bot${name}`]: { trusted, database },
})
const has = (extensions: string[], objects = 3) => ({ oid: 5, objects, extensions })

test('extensions that are missing are created, others stay, and one that is not trusted is refused', () => {
  const extended = (list: string[], state: object) =>
    about(deployment({ extensions: list }), state as Record<string, unknown>).filter((line) =>
      line.startsWith('postgres-extensions'),
    )
  const create = 'postgres-extensions:hello_bot: create'
  assert.equal(extended(['pg_trgm', 'unaccent'], contents(' always', undefined)), [`${create} pg_trgm, unaccent`])
  assert.equal(extended(['pg_trgm', 'unaccent'], contents(' always', has(['hstore', 'pg_trgm']))), [
    `${create} unaccent`,
  ])
  for (const strange of ['dblink', 'file_fdw', 'postgres_fdw'])
    assert.throws(
      () => extended([strange], contents(' always', undefined)),
      `database.extensions: ${strange}: it is not`,
    )
  assert.throws(() => extended(['pg_trmg'], contents(' always', undefined)), 'did you mean "pg_trgm"?')
  const site = (list: string[]) =>
    about(undefined, { ...served({ extensions: list }), ...contents('', has(['plpgsql'])) }).filter((line) =>
      line.startsWith('postgres-extensions'),
    )
  assert.equal(site(['pg_trgm']), [`${create} pg_trgm`])
  assert.equal(site([]), [])
})

const initScript = { name: 'init.sql', sql: 'create table a ();', checksum: 'c'.repeat(64) }
const dump = { kind: 'plain' as const, name: 'old.sql', checksum: 'd'.repeat(64), bytes: 2_400_000 }
const marked = (text: string) => ({ 'text:/var/lib/botgarden/bots/hello-bot/filled': text })
const filling = (other: Partial<Deployment>, state: object = {}) =>
  about(deployment({}, other), state as Record<string, unknown>).filter((line) => /^database-i/.test(line))

test('a new database runs its script once; one with something in it never does', () => {
  assert.equal(filling({ initScript }), ['database-init:hello-bot: run init.sql, since its database is new'])
  assert.equal(filling({ initScript }, contents(' always', has([], 1))), [])
  assert.equal(filling({ initScript }, { ...contents(' always', has([], 0)), ...marked('init c\noid 5\n') }), [])
  // Of a database before this one.
  assert.equal(filling({ initScript }, { ...contents(' always', has([], 0)), ...marked('init c\noid 4\n') }).length, 1)
})

test('a dump is read into a new database, once, and then no script is run', () => {
  assert.equal(filling({ initScript, dump }), ['database-import:hello-bot: read old.sql, 2 MB'])
  const read = { ...contents(' always', has([], 7)), ...marked(`plain ${dump.checksum}\noid 5\nrows public.a 3\n`) }
  assert.equal(filling({ initScript, dump }, { ...read, ...served() }), [])
})

test('a dump is refused for a database with something in it, or one that a release uses', () => {
  const [full, empty] = [contents(' always', has([], 7)), contents(' always', has([], 0))]
  assert.throws(() => filling({ dump }, full), /that of hello-bot has 7 tables .*--name hello-bot --remove$/)
  assert.throws(() => filling({ dump }, { ...empty, ...served() }), /is in use by the release 20261124-120000-abc/)
  assert.throws(() => filling({ dump }, { ...full, ...marked(`plain ${'e'.repeat(64)}\noid 5\n`) }), /has 7 tables/)
})

test('what a script or a dump runs in has nothing but the database', () => {
  const state = { ...bare, ...withServer, ...contents(' always', undefined) }
  const scripts = changesOf(resourcesOf(deployment({}, { initScript, dump })), state)
  const [client] = scripts.filter(({ summary }) => summary.startsWith('read')).map(({ script }) => script.text)
  for (const word of [
    ...['--network none', '--read-only', '--cap-drop ALL', '--security-opt no-new-privileges', '--user 20001:20001'],
    ...['--memory 256m', '--memory-swap 256m', '--pids-limit 50', '--rm', 'PGUSER=hello_bot', 'PGDATABASE=hello_bot'],
    'source=/etc/botgarden/secrets/bots/hello-bot/pgpass,target=/run/secrets/pgpass,readonly',
  ])
    assert.ok(client?.includes(word), word)
  assert.not.match(client ?? '', 'docker exec')
})

test.run()
