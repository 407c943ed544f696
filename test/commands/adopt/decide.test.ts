// What is decided piece by piece, each beside its opposite.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { healthIn, limitsIn } from '../../../commands/adopt/decide/container.ts'
import {
  type Driver,
  databaseEngine,
  databaseUrl,
  dialectOf,
  driverIn,
} from '../../../commands/adopt/decide/database.ts'
import { adviceFor, imageKind } from '../../../commands/adopt/decide/images.ts'
import { soleVariable } from '../../../commands/adopt/decide/interpolate.ts'
import { hasPackage, language, sessionLibrary } from '../../../commands/adopt/decide/start.ts'
import { storageKeys, storageOf } from '../../../commands/adopt/decide/storage.ts'
import { baseValue, deliveryOf } from '../../../commands/adopt/decide/webhook.ts'
import type { ComposeService } from '../../../commands/adopt/read/compose-service.ts'
import type { Project } from '../../../commands/adopt/read/survey.ts'
import { adopted, type Files } from './support.ts'

for (const [image, kind] of [
  ['dpage/pgadmin4', 'admin'],
  ['prom/prometheus', 'monitoring'],
  ['timberio/vector', 'monitoring'],
  ['x/vectorize', undefined],
  ['prodrigestivill/postgres-backup-local', 'backup'],
  ['edoburu/pgbouncer', 'pooler'],
  ['postgres:16@sha256:0', 'postgres'],
  ['docker.io/library/redis:7', 'cache'],
  ['redis.example.org:5000/x/bot', undefined],
  ['redis.example.org/x/bot', undefined],
  ['redis/bot', 'cache'],
  ['MariaDB:11', 'mysql'],
  ['mongo', 'mongo'],
  ['rabbitmq', 'queue'],
  ['caddy', 'proxy'],
  ['ngrok/x', 'tunnel'],
  ['aiogram/telegram-bot-api', 'bot-api'],
  ['minio/minio', 'store'],
  ['qdrant/qdrant', 'search'],
  ['containrrr/watchtower', 'updater'],
  ['selenium/standalone', 'browser'],
  ['python:3', undefined],
] as const)
  test(`${image} is ${kind ?? 'nothing known'}`, () => {
    assert.is(imageKind(image), kind)
    const has = kind === undefined || kind === 'postgres' || kind === 'cache'
    if (!has) assert.match(adviceFor[kind] ?? '', /\w/)
  })

const packagesOf = (text: string) => new Map(text.split(' ').map((name) => [name, `line of ${name}`]))
const project = (python?: string, node?: string, go?: string): Project =>
  ({
    python: python === undefined ? undefined : { dependencies: packagesOf(python) },
    node: node === undefined ? undefined : { dependencies: packagesOf(node) },
    go: go === undefined ? undefined : { dependencies: packagesOf(go) },
    files: [],
  }) as unknown as Project

for (const [python, node, go, expected] of [
  ['sqlmodel psycopg2-binary', undefined, undefined, ['postgres', 'psycopg2-binary', 'sqlalchemy']],
  ['aiosqlite asyncpg tortoise-orm', undefined, undefined, ['postgres', 'asyncpg', 'tortoise']],
  [undefined, 'prisma pg', undefined, ['postgres', 'pg', 'prisma']],
  [undefined, '@prisma/client', undefined, ['postgres', '@prisma/client', 'prisma']],
  [undefined, undefined, 'github.com/jackc/pgx/v5', ['postgres', 'github.com/jackc/pgx/v5', undefined]],
  ['aiomysql', undefined, undefined, ['mysql', 'aiomysql', undefined]],
  [undefined, 'mongoose', undefined, ['mongo', 'mongoose', undefined]],
  ['aiosqlite', undefined, undefined, ['sqlite', 'aiosqlite', undefined]],
  ['my-asyncpg asyncpg-x my-aiomysql motorx my-motor aiosqlitex', 'x', 'x/github.com/lib/pq', undefined],
] as const)
  test(`the driver among ${[python, node, go].filter(Boolean)}`, () => {
    const found = driverIn(project(python, node, go))
    assert.equal(found && [found.value.engine, found.value.name, found.value.through], expected)
    if (expected) assert.is(found?.from, `line of ${expected[1]}`)
  })

const tcp = '${database.user}:${database.password}@${database.host}:${database.port}/${database.name}'
const socket = '${database.user}:${database.password}@/${database.name}?host=${database.host}'
for (const [example, name, through, value, by] of [
  ['', 'asyncpg', 'sqlalchemy', `postgresql+asyncpg://${socket}`, 'socket'],
  ['', 'psycopg-binary', 'sqlalchemy', `postgresql+psycopg://${socket}`, 'socket'],
  ['', 'pg8000', 'sqlalchemy', '${database.url}', 'TCP'],
  ['postgresql+psycopg2://u@h/n?ssl=1', 'psycopg2', 'sqlalchemy', `postgresql+psycopg2://${socket}&ssl=1`, 'socket'],
  ['postgresql+pg8000://u@h/n?ssl=1', 'psycopg2', 'sqlalchemy', `postgresql+pg8000://${tcp}?ssl=1`, 'TCP'],
  ['postgres://h/n?application_name=a', 'asyncpg', undefined, '${database.url}&application_name=a', 'socket'],
  ['postgres://h/n', 'github.com/lib/pq', undefined, '${database.url}', 'socket'],
  ['postgres://h/n?a=1', 'my-asyncpg', undefined, '${database.url}?a=1', 'TCP'],
  ['postgres://h/n?a=1', 'asyncpgx', undefined, '${database.url}?a=1', 'TCP'],
  ['xpostgres://h/n', 'asyncpg', undefined, `xpostgres://${tcp}`, 'TCP'],
  ['postgresx://h/n', 'asyncpg', undefined, `postgresx://${tcp}`, 'TCP'],
  ['postgres://h/n', 'asyncpg', 'tortoise', `postgres://${tcp}`, 'TCP'],
  ['postgres://h/n', 'pg', 'tortoise', `postgres://${tcp}`, 'TCP'],
  ['postgresql://h/n', 'pg', 'tortoise', '${database.url}', 'TCP'],
  ['postgres://h/n?password=x', 'pg', undefined, '${database.url}', 'TCP'],
  ['postgres://h/n?a=1&sslkey=x', 'pg', undefined, '${database.url}', 'TCP'],
  ['postgres://h/n?a=<x>', 'pg', undefined, '${database.url}', 'TCP'],
  ['postgres://h/n?<x>=a', 'pg', undefined, '${database.url}', 'TCP'],
  ['see postgresql+asyncpg://h', undefined, undefined, '${database.url}', 'TCP'],
  ['', 'pg', 'prisma', '${database.url}?schema=public', 'TCP'],
  ['postgres://h/n?schema=a', 'pg', 'prisma', '${database.url}?schema=a', 'TCP'],
] as const)
  test(`the URL of a database: ${example || 'none shown'}, ${name} through ${through}`, () => {
    const driver: Driver | undefined = name === undefined ? undefined : { engine: 'postgres', name, through }
    assert.equal(databaseUrl(example, driver), { value, tcp: by === 'TCP' })
  })

type Engines = Parameters<typeof databaseEngine>
for (const [what, variables, kind, packages, expected] of [
  ['a URL', { A: 'redis://r', B: 'mysql://m' }, 'postgres', 'asyncpg', ['mysql', 'B']],
  ['a URL of SQLite', { A: 'sqlite:///a' }, undefined, '', ['sqlite', 'A']],
  ['a name that is sure', { DB_HOST: '', REDIS_HOST: '', PG_HOST: '' }, 'mysql', 'aiomysql', ['postgres', 'PG_HOST']],
  ['a service of PostgreSQL', { DB_HOST: '' }, 'postgres', 'aiomysql', ['postgres', 'c:1']],
  ['a service of MySQL', { DB_HOST: '' }, 'mysql', 'asyncpg', ['mysql', 'c:1']],
  ['a service of MongoDB', {}, 'mongo', '', ['mongo', 'c:1']],
  ['a name, and a driver', { DB_HOST: '' }, 'cache', 'aiosqlite', ['sqlite', 'line of aiosqlite']],
  ['a name alone', { DB_HOST: '' }, 'queue', '', ['postgres', 'DB_HOST']],
  ['a driver of what is elsewhere', {}, undefined, 'motor', ['mongo', 'line of motor']],
  ['another driver of that', { REDIS_HOST: '' }, undefined, 'aiomysql', ['mysql', 'line of aiomysql']],
  ['a driver of PostgreSQL', { REDIS_HOST: '' }, undefined, 'asyncpg', undefined],
  ['nothing', { NATS_URL: 'nats://n', REDIS_URL: '' }, 'cache', '', undefined],
] as const)
  test(`the database is told by ${what}`, () => {
    const all = Object.entries(variables).map(([name, value]) => ({ name, value, from: name }))
    const known = kind === undefined ? [] : [{ kind, service: { from: 'c:1' } }]
    const found = databaseEngine(
      all as unknown as Engines[0],
      { known } as unknown as Engines[1],
      project(packages === '' ? undefined : packages),
    )
    assert.equal(found && [found.value, found.from], expected)
  })

test('what SQLAlchemy calls a driver', () => {
  assert.equal(['asyncpg', 'psycopg2-binary', 'psycopg', 'pg8000'].map(dialectOf), [
    ...['postgresql+asyncpg', 'postgresql+psycopg2', 'postgresql+psycopg', 'postgresql'],
  ])
})

test('the language is that of the library which speaks to Telegram, else of what is there', () => {
  assert.is(language(project('aiogram', 'react', 'x')), 'python')
  assert.is(language(project('requests', 'grammy')), 'node')
  assert.is(language(project('my-aiogram', 'telegrafo', 'github.com/go-telegram/bot')), 'go')
  assert.is(language(project('requests', 'react', 'x')), 'go')
  assert.is(language(project('requests', 'react')), 'node')
  assert.is(language(project('requests')), 'python')
  assert.is(language({ files: ['app/a.py'] }), 'python')
  assert.is(language({ files: ['a/b/c.py', 'a.pyc', 'x-y/a.py'] }), undefined)
})

test('packages are looked for in all languages', () => {
  const all = project('telethon', 'x', 'y')
  assert.is(sessionLibrary(all), 'telethon')
  assert.is(sessionLibrary(project(undefined, 'telegram')), 'telegram')
  assert.is(sessionLibrary(project('my-telethon', 'telegram-x')), undefined)
  assert.equal(
    ['telethon', 'x', 'y', 'z'].map((name) => hasPackage(all, name)),
    [true, true, true, false],
  )
})

for (const [check, path, port] of [
  ['curl -f http://localhost:80/up', '/up', 80],
  ['wget https://127.0.0.1/a/b~c', '/a/b~c', undefined],
  ['curl http://[::1]:5/x', '/x', 5],
  ['curl http://example.org/up', undefined, undefined],
  ['pg_isready', undefined, undefined],
] as const)
  test(`the health check ${check}`, () => {
    const found = healthIn({ value: check, from: 'c:1' })
    assert.equal(found, path === undefined ? undefined : { path, port, from: 'c:1' })
  })

for (const [memory, megabytes] of [
  ['512M', '512m'],
  ['0.5GiB', '512m'],
  ['1g', '1024m'],
  ['2048k', '2m'],
  ['1kb', '1m'],
  ['536870912', '512m'],
  ['10', '1m'],
  ['0', undefined],
  ['much', undefined],
  ['about 5m', undefined],
  ['5m at most', undefined],
] as const)
  test(`memory of ${memory}`, () => {
    const limits = limitsIn({ memory: { value: memory, from: 'c:1' } } as ComposeService)
    assert.equal(limits, megabytes === undefined ? [] : [{ key: 'memory', value: megabytes, why: 'c:1' }])
  })

test('where a bot listens is said by its check, its variables, its services, its image and its code, in this order', () => {
  const said: readonly (readonly [port: number, files: Files])[] = [
    [1001, { 'a.ts': 'app.use(webhookCallback(bot))\napp.listen(1001)\n' }],
    [1002, { Dockerfile: 'FROM x\nWORKDIR /app\nEXPOSE 1002\n' }],
    [1003, { 'compose.yml': 'services: { bot: { build: ., ports: ["80:1003"] } }' }],
    [1004, { '.env.example': 'WEBAPP_PORT=1004\n' }],
    [1005, { Dockerfile: 'FROM x\nEXPOSE 1002\nHEALTHCHECK CMD curl http://localhost:1005/up\n' }],
    [
      1006,
      { 'compose.yml': 'services: { bot: { build: ., healthcheck: { test: "curl http://localhost:1006/up" } } }' },
    ],
  ]
  let files: Files = {}
  for (const [port, more] of said) {
    files = { ...files, ...more }
    assert.is(adopted(files).manifest.port, port)
  }
  const { manifest } = adopted({ ...files, '.env.example': 'WEBAPP_PORT=x1004\n' })
  assert.equal([manifest.port, manifest.health], [1006, '/up'])
})

test('processors are limited from a twentieth of one', () => {
  const of = (value: number) => limitsIn({ from: 'c:1', cpus: { value, from: 'c:2' } } as ComposeService)
  assert.equal([of(0.05), of(0.04), of(Number.NaN)], [[{ key: 'cpus', value: 0.05, why: 'c:2' }], [], []])
  assert.equal(limitsIn({ from: 'c:1', init: true } as ComposeService), [{ key: 'init', value: true, why: 'c:1' }])
  assert.equal(limitsIn(undefined), [])
})

test('a text that is one variable and nothing else', () => {
  assert.equal(['$A', '${B}', '${C:-d}', '${D?e}', 'x$A', '${A}x'].map(soleVariable), [
    ...['A', 'B', 'C', 'D', undefined, undefined],
  ])
})

/** What becomes of one mount of a bot that works in /app: a folder that lasts, what is said of it, or nothing. */
const mount = (source: string | undefined, target: string, readOnly = false) => {
  const service = { volumes: [{ value: { source, target, readOnly }, from: 'c:1' }] } as unknown as ComposeService
  const inSource = (path: string) => ({ conf: 'file' as const, src: 'folder' as const })[path]
  const { data, notes } = storageOf(service, undefined, '/app', new Map([['D', './data']]), inSource)
  return data[0]?.value ?? notes[0]?.slice(5) ?? ''
}
for (const [source, target, readOnly, expected] of [
  ['store', '/app/store', false, '/app/store'],
  ['store', 'store', false, '/app/store'],
  ['store', '/app/store', true, ''],
  [undefined, '/x', false, '/x'],
  ['store', '/app', false, /would hide the code/],
  ['store', '/app/a.db', false, /only folders do.* as \/app\/data/],
  ['${D}', '/app/data', false, '/app/data'],
  ['$PWD/data', '/app/data', false, '/app/data'],
  ['./data/', '/app/data', false, '/app/data'],
  ['./data', '/app/data', true, /not in the source: copy it/],
  ['./src/', '/app/src', false, /a part of the source/],
  ['./src', '/app', false, /the source itself/],
  ['.', '/code', false, /the source itself/],
  ['./conf', '/app/conf', false, /the file \.\/conf: the image has it/],
  ['./conf', '/app/conf', true, /the file \.\/conf: the image has it/],
  ['./a.db', '/app/a.db', true, /the file \.\/a\.db: the image has it/],
  ['./a.db', '/app/a.db', false, /only folders do/],
  ['./a', '/app/a.dbx', false, '/app/a.dbx'],
  ['/srv', '/srv', true, /copy it into the image/],
  ['~/x', '/x', false, /list \/x under "data:"/],
  ['../x', '/x', false, /list \/x under "data:"/],
  ['./x/../../y', '/y', false, /list \/y under "data:"/],
  ['/run/docker.sock', '/s', false, /the socket of Docker/],
  ['./docker.sock.d', '/s', false, '/s'],
  ['/etc/timezone', '/etc/timezone', true, /the time zone/],
  ['/etc/timezone.d', '/x', true, /mounts \/etc\/timezone\.d of the host/],
  ['/x/etc/timezone', '/x', true, /mounts \/x\/etc\/timezone of the host/],
] as const)
  test(`a mount of ${source} at ${target}${readOnly ? ', to be read only' : ''}`, () => {
    const found = mount(source, target, readOnly)
    if (typeof expected === 'string') assert.is(found, expected)
    else assert.match(found, expected)
  })

test('a VOLUME lasts, but for /tmp itself', () => {
  const volumes = ['/tmp', '/tmp/', '/tmp/keep', '/var/tmp'].map((value) => ({ value, from: 'D:1' }))
  const image = { volumes } as unknown as Parameters<typeof storageOf>[1]
  const { data } = storageOf(undefined, image, '/app', new Map(), () => undefined)
  assert.equal(
    data.map(({ value }) => value),
    ['/tmp/keep', '/var/tmp'],
  )
})

test('folders that last are named once, with where each is from, and memory beside them', () => {
  const found = (value: string, from: string) => ({ value, from })
  const data = [found('/a', 'c:1'), found('/b', 'c:1'), found('/a/x', 'c:2'), found('/ab', 'c:3')]
  const tmpfs = [found('/tmp', 'c:4'), found('/b', 'c:4'), found('/c', 'c:5'), found('/c', 'c:6')]
  assert.equal(storageKeys(data, { tmpfs } as unknown as ComposeService), [
    { key: 'data', value: ['/a', '/b', '/ab'], why: 'c:1, c:3' },
    { key: 'scratch', value: ['/c'], why: 'c:5' },
  ])
  assert.equal(storageKeys([], undefined), [])
})

type Variables = Parameters<typeof deliveryOf>[0]
const delivery = (shown: Readonly<Record<string, readonly [string, string?]>>, code: Files | object = {}) => {
  const variables = Object.entries(shown).map(([name, [meaning, value]]) => ({
    ...{ name, meaning, value, from: name, shownBy: name.startsWith('CODE') ? 'code' : 'example' },
  })) as unknown as Variables
  const nothing = { polls: [], setsWebhook: [], takesWebhook: [], ...code } as unknown as Parameters<
    typeof deliveryOf
  >[1]
  const { mode, setsItself, path, buildsUrl } = deliveryOf(variables, nothing, 'shop')
  return [mode.value, mode.from, setsItself, path?.value, buildsUrl]
}
const polls = { polls: ['p:1'] }
const sets = { setsWebhook: ['s:1'] }
const takes = { takesWebhook: ['t:1'] }
for (const [what, variables, code, expected] of [
  ['nothing', {}, {}, ['polling', 'nothing says that it has a webhook', undefined, undefined, false]],
  [
    'code that polls, and takes updates too',
    {},
    { ...polls, ...takes },
    ['polling', 'p:1', undefined, undefined, false],
  ],
  ['code that sets', {}, sets, ['webhook', 's:1', 's:1', undefined, false]],
  ['code that takes', {}, takes, ['webhook', 't:1', undefined, undefined, false]],
  ['a hint and code that polls', { A: ['webhook.url'] }, polls, ['polling', 'p:1', undefined, undefined, false]],
  [
    'a hint and code that does both',
    { A: ['webhook.url', 'https://x.org/h'] },
    { ...polls, ...takes },
    ['webhook', 'A', 'A', '/h', false],
  ],
  ['POLLING on', { POLLING: ['webhook.switch', 'on'] }, sets, ['polling', 'POLLING', undefined, undefined, false]],
  ['POLLING off', { POLLING: ['webhook.switch', 'off'] }, {}, ['webhook', 'POLLING', undefined, undefined, false]],
  ['a hook on', { X: ['webhook.switch', '1'] }, polls, ['webhook', 'X', undefined, undefined, false]],
  ['a hook by name', { X: ['webhook.switch', 'webhook'] }, polls, ['webhook', 'X', undefined, undefined, false]],
  ['a hook off', { X: ['webhook.switch', 'no'] }, sets, ['polling', 'X', undefined, undefined, false]],
  ['a hook without a value', { X: ['webhook.switch'] }, sets, ['polling', 'X', undefined, undefined, false]],
  ['a switch that says nothing', { X: ['webhook.switch', 'unon'] }, sets, ['webhook', 's:1', 's:1', undefined, false]],
  ['a switch that says little', { X: ['webhook.switch', 'onward'] }, sets, ['webhook', 's:1', 's:1', undefined, false]],
  ['a path by code', { CODE_P: ['webhook.path', '/p/'] }, {}, ['webhook', 'CODE_P', undefined, '/p/', false]],
  ['a path with a blank', { P: ['webhook.path', '/a b'] }, {}, ['webhook', 'P', undefined, undefined, false]],
  ['a path that is the root', { P: ['webhook.path', '/'] }, {}, ['webhook', 'P', undefined, '/', false]],
  ['a path behind a word', { P: ['webhook.path', ' p'] }, {}, ['webhook', 'P', undefined, undefined, false]],
  ['a path before a query', { P: ['webhook.path', 'p?'] }, {}, ['webhook', 'P', undefined, undefined, false]],
  ['a URL in a sentence', { U: ['webhook.url', 'see https://x.org/h'] }, {}, ['webhook', 'U', 'U', undefined, false]],
  ['a URL with a query', { U: ['webhook.url', 'https://x.org/h?x'] }, {}, ['webhook', 'U', 'U', undefined, false]],
  [
    'a base of a hook',
    { HOOK_HOST: ['webhook.base', 'https://x.org'] },
    {},
    ['webhook', 'HOOK_HOST', 'HOOK_HOST', '/tg/shop', true],
  ],
  [
    'a base of anything',
    { BASE: ['webhook.base'] },
    {},
    ['polling', 'nothing says that it has a webhook', undefined, undefined, false],
  ],
  [
    'a base of anything with a path',
    { BASE: ['webhook.base'], P: ['webhook.path', 'p'] },
    {},
    ['webhook', 'BASE', 'BASE', '/tg/shop', true],
  ],
  [
    'a base and a URL with a path',
    { HOOK_HOST: ['webhook.base'], U: ['webhook.url', 'https://x.org/h'] },
    {},
    ['webhook', 'U', 'U', '/h', false],
  ],
  [
    'a base and a URL without a path',
    { HOOK_HOST: ['webhook.base'], U: ['webhook.url', 'https://x.org/'] },
    {},
    ['webhook', 'U', 'U', '/tg/shop', true],
  ],
  ['a secret', { S: ['webhook.secret'] }, {}, ['webhook', 'S', undefined, undefined, false]],
] as const)
  test(`delivery, by ${what}`, () =>
    assert.equal(delivery(variables as Parameters<typeof delivery>[0], code), expected))

test('where a bot is reached, as a variable wants it', () => {
  const of = (value?: string) => baseValue({ value } as Parameters<typeof baseValue>[0])
  assert.equal(
    [of('localhost'), of('https://x.org'), of(''), of(), of('x.org'), of('see http://x')],
    ['0.0.0.0', '${public.url}', '${public.url}', '${public.url}', '${public.host}', '${public.host}'],
  )
})

for (const [what, files, expected] of [
  ['the first process of a Procfile', { Procfile: 'x: a\ny: b\n' }, 'a'],
  ['a worker of a Procfile', { Procfile: 'x: a\nworker: b\n' }, 'b'],
  ['the web of a Procfile', { Procfile: 'worker: a\nweb: b\n' }, 'b'],
  ['the bot of a Procfile', { Procfile: 'web: a\nbot: b\n' }, 'b'],
  ['a script of production', { 'package.json': '{"scripts":{"start":"a","start:prod":"b && c && d"}}' }, 'd'],
  ['the start of a package', { 'package.json': '{"scripts":{"serve":"c","prod":"b","start":"a"}}' }, 'a'],
  ['a script that is empty', { 'package.json': '{"scripts":{"serve":"c","prod":"b","start":""}}' }, 'b'],
  ['what is served', { 'package.json': '{"scripts":{"serve":"c"}}' }, 'c'],
  ['the main file', { 'package.json': '{"main":"a.js"}', 'a.js': '', 'bot.js': '' }, 'node a.js'],
  ['a main file that is not there', { 'package.json': '{"main":"a.js"}', 'src/main.js': '' }, 'node src/main.js'],
  ['a main file that is built', { 'package.json': '{"main":"dist/a.js"}', 'index.js': '' }, 'node dist/a.js'],
  ['a file in a folder that is named alike', { 'package.json': '{"main":"redist/a.js"}' }, undefined],
  ['usual files of Node', { 'package.json': '{}', 'bot.js': '', 'index.js': '', 'main.js': '' }, 'node index.js'],
  ['bot.js', { 'package.json': '{}', 'bot.js': '', 'main.js': '' }, 'node bot.js'],
  ['main.js', { 'package.json': '{}', 'main.js': '', 'src/index.js': '' }, 'node main.js'],
  ['src/index.js', { 'package.json': '{}', 'src/main.js': '', 'src/index.js': '' }, 'node src/index.js'],
  ['a Makefile', { Makefile: 'a:\n\tpython3 x.py\n\tpython -m pytest\n', 'x.py': '', 'main.py': '' }, 'python x.py'],
  ['a Makefile that only tests', { Makefile: 'a:\n\tpython3 test.py\n', 'main.py': '' }, 'python main.py'],
  ['a usual file', { 'start.py': '', 'x.py': '' }, 'python start.py'],
  ['a usual file of the root before one of a folder', { 'bot/main.py': '', 'run.py': '' }, 'python run.py'],
  ['a usual file that polls', { 'bot/main.py': 'dp.start_polling(\n', 'run.py': '' }, 'python bot/main.py'],
  ['a usual file that sets a webhook', { 'bot/main.py': 'b.set_webhook(\n', 'run.py': '' }, 'python bot/main.py'],
  ['a file in a package', { 'bot/sub/main.py': '', 'app/main.py': '', 'app/__init__.py': '' }, 'python -m app.main'],
  ['a file below another folder', { 'x/main.py': '', 'main.pyc': '', 'domain.py': '' }, undefined],
  ['a package', { 'shop/__main__.py': '', 'x.py': '' }, 'python -m shop'],
  ['the shortest package', { 'shop/sub/__main__.py': '', 'it/__main__.py': '' }, 'python -m it'],
  ['a package in a folder', { 'src/shop/__main__.py': '' }, 'python -m src.shop'],
  ['a package too deep', { 'a/b/c/__main__.py': '' }, undefined],
  ['no package', { 'shop/__main__.pyc': '', 'x-y/__main__.py': '' }, undefined],
  ['a usual file below a usual folder', { 'x/bot/main.py': '', 'app/run.py': '' }, 'python app/run.py'],
  ['a usual file beside a package', { 'shop/__main__.py': '', 'main.py': '' }, 'python main.py'],
  ['a package that polls', { 'shop/__main__.py': 'x.run_polling()\n', 'main.py': '' }, 'python -m shop'],
  [
    'a program that polls',
    { 'x.py': 'dp.start_polling(\nif __name__ == "__main__":\n', 'y.py': 'if __name__ == "__main__":\n' },
    'python x.py',
  ],
  ['one that polls but is imported', { 'x.py': 'dp.start_polling(\n' }, undefined],
  ['nothing of Python', { 'README.md': '' }, undefined],
] as const)
  test(`the start, by ${what}`, () => assert.is(adopted(files).bot.start?.value, expected))

test('where a start is from is said with it', () => {
  const of = (files: Files) => adopted(files).bot.start?.from
  assert.equal(
    [
      of({ 'package.json': '{"scripts":{"start":"a"}}' }),
      of({ 'package.json': '{}', 'bot.js': '' }),
      of({ Procfile: '# x\nbot: a\n' }),
      of({ Makefile: 'a:\n\tpython x.py\n', 'x.py': '' }),
      of({ 'main.py': '' }),
      of({ 'shop/__main__.py': '' }),
    ],
    ['package.json:1', 'bot.js is there', 'Procfile:2', 'Makefile:2', 'main.py is there', 'shop/__main__.py is there'],
  )
})

test.run()
