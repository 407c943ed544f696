// What a variable is to a bot, by its name and its value: each row beside one that is nearly the same and means something else.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isUnused, looksSecret, nameMeans } from '../../../commands/adopt/decide/names.ts'
import { engineOfUrl, enginesByPort, partMeans, serverPart } from '../../../commands/adopt/decide/servers.ts'
import { gathered, meant } from '../../../commands/adopt/decide/variables.ts'

for (const [name, value, meaning] of [
  ['TELEGRAM_API_KEY', '', 'token'],
  ['MY_BOT_TOKEN', '', 'token'],
  ['MY_BOT_TOKEN_TTL', '5', 'plain'],
  ['REFRESH_TOKEN', '', 'secret'],
  ['BOT_MODE', 'webhook', 'webhook.switch'],
  ['BOT_MODE', 'fast', 'plain'],
  ['MY_MODE', 'webhook', 'plain'],
  ['MODE_X', 'webhook', 'plain'],
  ['MODES', 'x', 'plain'],
  ['USE_WEBHOOK', '', 'webhook.switch'],
  ['ENABLE_POLLING', '', 'webhook.switch'],
  ['MY_USE_WEBHOOK', '', 'plain'],
  ['SECRET_TOKEN', '', 'webhook.secret'],
  ['MY_SECRET_TOKEN', '', 'secret'],
  ['SECRET_TOKEN_TTL', '', 'plain'],
  ['WEBHOOK_MODE', 'yes', 'webhook.switch'],
  ['WEBHOOK_MODE', 'unyes', 'plain'],
  ['WEBHOOK_MODE', 'yes!', 'plain'],
  ['WEBHOOK', 'true', 'webhook.switch'],
  ['WEBHOOK', '', 'webhook.url'],
  ['WEBHOOK_URL', '', 'webhook.url'],
  ['WEBHOOK_URL', 'true', 'webhook.url'],
  ['WEBHOOK_RETRY', 'true', 'plain'],
  ['WEBHOOK_RETRY', '5', 'plain'],
  ['DISCORD_WEBHOOK_URL', '', 'plain'],
  ['WEBHOOKED', '', 'plain'],
  ['WEBHOOK_PATH', '', 'webhook.path'],
  ['WEBHOOK_FILE_PATH', '', 'plain'],
  ['WEBHOOK_PATH_LENGTH', '', 'plain'],
  ['WEBHOOK_SECRET', '', 'webhook.secret'],
  ['WEBHOOK_MY_SECRET', '', 'secret'],
  ['WEBHOOK_SECRET_LENGTH', '', 'plain'],
  ['WEBHOOK_LOCAL_PORT', '', 'listen.port'],
  ['WEBHOOK_X_PORT', '', 'plain'],
  ['WEBHOOK_PORT_RANGE', '', 'plain'],
  ['WEBHOOK_SERVER_HOST', '', 'listen.host'],
  ['WEBHOOK_OLD_SERVER_HOST', '', 'plain'],
  ['WEBHOOK_LISTEN_TIMEOUT', '', 'plain'],
  ['WEBHOOK_HOST', '', 'webhook.base'],
  ['WEBHOOK_HOST', 'https://a.org', 'webhook.base'],
  ['WEBHOOK_HOST', '0.0.0.0', 'listen.host'],
  ['WEBHOOK_OLD_DOMAIN', '', 'plain'],
  ['WEBHOOK_HOST_COUNT', '', 'plain'],
  ['PORT', '1', 'listen.port'],
  ['WEB_PORT', '1', 'listen.port'],
  ['WEB_PORTAL', '1', 'plain'],
  ['GAME_PORT', '1', 'plain'],
  ['SPEECH_API_PORT', '1', 'plain'],
  ['HOST', '::', 'listen.host'],
  ['HOST', 'a.org', 'plain'],
  ['WEBAPP_HOST', undefined, 'listen.host'],
  ['WEBAPP_HOST', 'https://a.org', 'plain'],
  ['WEBAPP_HOSTING', '', 'plain'],
  ['GAME_HOST', '', 'plain'],
  ['WEBAPP_TITLE', '', 'plain'],
  ['BASE_URL', '', 'webhook.base'],
  ['OLD_BASE_URL', '', 'plain'],
  ['BASE_URL_COUNT', '', 'plain'],
  ['ADMIN_IDS', '1', 'personal'],
  ['ADMIN_IDS_FILE', '', 'plain'],
  ['TITLE', 'todo', 'personal'],
  ['TITLE', 'todo list', 'plain'],
  ['TITLE', 'a todo', 'plain'],
  ['TITLE', undefined, 'plain'],
  ['OPENAI_KEY', '', 'secret'],
  ['OPENAI_KEY', 'true', 'plain'],
  ['OPENAI_KEY', 'untrue', 'secret'],
  ['OPENAI_KEY', 'trueish', 'secret'],
  ['KEYBOARD', '', 'plain'],
] as const)
  test(`${name}=${value ?? ''} is ${meaning}`, () => assert.is(nameMeans(name, value), meaning))

test('variables of other services are unused, those that have their name inside are not', () => {
  assert.equal(['COMPOSE_PROJECT_NAME', 'POSTGRES_INITDB_ARGS', 'NGINX_PORT', 'PGDATA'].map(isUnused), [
    true,
    true,
    true,
    true,
  ])
  assert.not(isUnused('USES_DOCKER_IMAGE'))
})

test('a value looks secret by a password in it, by a key, by letters and digits in one piece', () => {
  const key = '-----BEGIN PRIVATE KEY-----'
  assert.equal(
    ['see postgres://u:p@h/n', key, 'abcdefghijklmnopqrstuvwxyz', '12345678901234567890', 'a1'.repeat(10)].map(
      looksSecret,
    ),
    [false, true, false, false, true],
  )
})

for (const [url, engine] of [
  ['rediss://r', 'cache'],
  ['postgresql+asyncpg://p', 'postgres'],
  ['mariadb://m', 'mysql'],
  ['mongodb+srv://m', 'mongo'],
  ['sqlite:///a', 'sqlite'],
  ['file:a.db', 'sqlite'],
  ['amqp://q', 'queue'],
] as const)
  test(`${url} is of ${engine}, and a text about it is not`, () => {
    assert.is(engineOfUrl(url), engine)
    // The second of an engine's patterns may be anywhere.
    assert.is(engineOfUrl(`not-${url}`), undefined)
  })

test('a port tells the engine of all variables with its prefix', () => {
  const variables = Object.entries({ 5432: 'P', 6379: 'C', 3306: 'M', 27017: 'N', 5672: 'Q', 4222: 'R' })
  const named = variables.map(([value, name]) => ({ name: `${name}_PORT`, value, from: '' }))
  const none = [
    { name: 'X_PORTS', value: '6379', from: '' },
    { name: 'Y_PORT', value: '1', from: '' },
    { name: 'Z_PORT', value: undefined, from: '' },
  ]
  assert.equal(Object.fromEntries(enginesByPort([...named, ...none])), {
    ...{ P: 'postgres', C: 'cache', M: 'mysql', N: 'mongo', Q: 'queue', R: 'queue' },
  })
})

for (const [prefix, engine] of [
  ['REDIS', 'cache'],
  ['MARIADB', 'mysql'],
  ['MONGODB', 'mongo'],
  ['RABBITMQ', 'queue'],
  ['MY_PG', 'postgres'],
  ['DB', 'database'],
  ['FSM', 'cache'],
] as const)
  test(`${prefix}_… are parts of the address of ${engine}`, () => {
    const known = new Map([['FSM', 'cache' as const]])
    const partOf = (end: string) => serverPart(`${prefix}_${end}`, known)
    // The nearest prefix counts: MY_DB_NAME.
    for (const [end, part] of [
      ['URL', 'url'],
      ['CONNECTION_STRING', 'url'],
      ['HOST', 'host'],
      ['PORT', 'port'],
      ['USER', 'user'],
      ['PASS', 'password'],
      ['DRIVER', 'scheme'],
      ['DB_NAME', 'name'],
    ] as const)
      assert.equal(partOf(end), { engine: end === 'DB_NAME' ? 'database' : engine, part }, end)
    for (const part of ['URL', 'HOST', 'PORT', 'USER', 'PASSWORD', 'DRIVER', 'NAME'])
      for (const end of [`X${part}`, `${part}S`, `OLD_${part}`]) assert.is(partOf(end), undefined, end)
  })

test('a part of a server by other names', () => {
  const of = (name: string) => serverPart(name, new Map())
  assert.equal(
    ['MONGO', 'REDIS', 'MY_USE_DB_URL'].map((name) => of(name)?.engine),
    ['mongo', 'cache', 'database'],
  )
  assert.equal(of('REDIS'), { engine: 'cache', part: 'url' })
  assert.equal(of('PGHOST'), { engine: 'postgres', part: 'host' })
  assert.equal(of('DB__HOST'), { engine: 'database', part: 'host' })
  for (const name of [
    ...['MYMONGO', 'MONGOLIA', 'MYREDIS', 'REDISH', 'USE_REDIS_URL', 'MY_PGHOST'],
    ...['PGDATABASE_URL', 'GAME_HOST', 'HOST'],
  ])
    assert.is(of(name), undefined, name)
})

test('a part of a server means what this host has of it', () => {
  const of = (engine: Parameters<typeof partMeans>[0]['engine'], part: string, database?: 'postgres' | 'sqlite') =>
    partMeans({ engine, part }, database)
  assert.equal([of('cache', 'name'), of('cache', 'host')], ['cache.number', 'cache.host'])
  assert.equal([of('postgres', 'user'), of('database', 'user', 'postgres')], ['database.user', 'database.user'])
  assert.equal([of('postgres', 'scheme'), of('mysql', 'scheme')], ['database.scheme', 'plain'])
  assert.equal([of('mysql', 'host'), of('database', 'host')], ['elsewhere', 'elsewhere'])
  assert.equal(
    ['url', 'name', 'host'].map((part) => of('database', part, 'sqlite')),
    ['sqlite', 'sqlite', 'plain'],
  )
})

type Shown = 'example' | 'kept' | 'code'
const meanings = (
  all: readonly (readonly [name: string, value: string | undefined, shownBy?: Shown])[],
  engine?: 'postgres' | 'mysql',
) =>
  meant(
    all.map(([name, value, shownBy = 'example']) => ({ name, value, shownBy, from: 'x' })),
    engine,
  ).map(({ meaning }) => meaning)

test('a value tells more than a name', () => {
  const token = `123456789:${'A'.repeat(35)}`
  assert.equal(
    meanings([
      ['BOT_TOKEN', token],
      ['OTHER', token],
      ['GRAFANA_TOKEN', token],
      ['A', 'redis://r'],
      ['B', 'postgres://p'],
      ['C', 'sqlite:///a'],
      ['D', 'mysql://m'],
      ['E', 'x/a.sqlite3'],
      ['F', 'https://x.org/a.db'],
      ['G', 'a.db.gz'],
      ['H', undefined],
    ]),
    [
      ...['token', 'secret', 'unused', 'cache.url', 'database.url', 'sqlite', 'elsewhere', 'sqlite'],
      ...['plain', 'plain', 'plain'],
    ],
  )
  assert.equal(
    meanings(
      [
        ['DB_PATH', 'shop'],
        ['DB_PATHS', 'shop'],
        ['DB_PATH', 'a/shop'],
        ['DB_PATH', 'shop.x'],
        ['SHOP_DATABASE_PATH', 'shop'],
      ],
      'postgres',
    ),
    ['database.name', 'plain', 'plain', 'plain', 'database.name'],
  )
  assert.equal(meanings([['DB_PATH', 'shop']], 'mysql'), ['plain'])
})

test('of several tokens the one with the clearest name is the bot’s', () => {
  for (const [others, clearest] of [
    [['TOKEN', 'API_TOKEN'], 'BOT_TOKEN'],
    [['TOKEN'], 'TELEGRAM_TOKEN'],
    [['API_TOKEN'], 'TG_TOKEN'],
  ] as const) {
    const names = [...others, clearest]
    const found = meanings(names.map((name) => [name, '']))
    assert.equal(
      found,
      names.map((name) => (name === clearest ? 'token' : 'secret')),
      clearest,
    )
  }
  assert.equal(
    meanings([
      ['TOKEN', '', 'code'],
      ['API_TOKEN', ''],
    ]),
    ['secret', 'token'],
  )
  assert.equal(meanings([['API_TOKEN', '']]), ['token'])
  // Two that are clear are the same one.
  assert.equal(
    meanings([
      ['BOT_TOKEN', ''],
      ['TELEGRAM_BOT_TOKEN', ''],
    ]),
    ['token', 'token'],
  )
})

test('a compose file wins over an example, that over what is kept, and that over the code', () => {
  const variable = (name: string, value?: string) => ({ name, value, from: 'x' })
  const service = {
    environment: [
      ['A', '1'],
      ['B', '${B}'],
      ['C', '${OTHER}'],
      ['D', '${OTHER:-4}'],
      ['E'],
      ['F', 'x-${B}'],
      ['G'],
    ].map(([name = '', value]) => variable(name, value)),
  } as unknown as Parameters<typeof gathered>[0]
  const found = gathered(
    service,
    [variable('A', '2'), variable('B', '3'), variable('E', '5'), variable('X', 'x')],
    [variable('X'), variable('Y')],
    [variable('Y'), variable('Z', 'z')],
  )
  assert.equal(
    found.map(({ name, value, shownBy }) => [name, value, shownBy]),
    [
      ['A', '1', 'example'],
      ['B', '3', 'example'],
      ['C', undefined, 'example'],
      ['D', '4', 'example'],
      ['E', '5', 'example'],
      ['F', 'x-3', 'example'],
      ['G', undefined, 'example'],
      ['X', 'x', 'example'],
      ['Y', undefined, 'kept'],
      ['Z', 'z', 'code'],
    ],
  )
})

test.run()
