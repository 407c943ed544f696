import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { furtherProcesses } from '../../../commands/adopt/decide/processes.ts'
import { arrange } from '../../../commands/adopt/decide/services.ts'
import { composeServices } from '../../../commands/adopt/read/compose.ts'
import { procfile } from '../../../commands/adopt/read/procfile.ts'
import { adopted, type Files } from './support.ts'

/** Variables of an example, and the environment that they become. */
const variables: readonly (readonly [what: string, files: Files, environment: Readonly<Record<string, string>>])[] = [
  ['the token, by any usual name', { '.env.example': 'TELEGRAM_BOT_TOKEN=1\n' }, { TELEGRAM_BOT_TOKEN: '${token}' }],
  ['the token as a nested setting', { '.env.example': 'BOT__TOKEN=\n' }, { BOT__TOKEN: '${token}' }],
  [
    'one token of two that could be it',
    { '.env.example': 'API_TOKEN=x\nBOT_TOKEN=\n' },
    { API_TOKEN: '${secret.API_TOKEN}', BOT_TOKEN: '${token}' },
  ],
  [
    'a URL of SQLAlchemy with asyncpg, by the socket',
    {
      '.env.example': 'DATABASE_URL=postgresql+asyncpg://u:p@db:5432/n\n',
      'requirements.txt': 'sqlalchemy\nasyncpg\n',
    },
    {
      DATABASE_URL:
        'postgresql+asyncpg://${database.user}:${database.password}@/${database.name}?host=${database.host}',
    },
  ],
  [
    'an empty URL, by the driver',
    { '.env.example': 'DATABASE_URL=\n', 'requirements.txt': 'sqlalchemy\npsycopg2-binary\n' },
    {
      DATABASE_URL:
        'postgresql+psycopg2://${database.user}:${database.password}@/${database.name}?host=${database.host}',
    },
  ],
  [
    'a URL of node-postgres, by TCP',
    { '.env.example': 'DATABASE_URL=postgres://u:p@db/n\n', 'package.json': '{"dependencies":{"pg":"8"}}' },
    { DATABASE_URL: '${database.url}' },
  ],
  [
    'a URL of Prisma',
    {
      '.env.example': 'DATABASE_URL="postgresql://u:p@db/n?schema=public"\n',
      'package.json': '{"dependencies":{"@prisma/client":"6"}}',
    },
    { DATABASE_URL: '${database.url}?schema=public' },
  ],
  [
    'a URL of Tortoise',
    { '.env.example': 'DB_URL=asyncpg://u:p@db:5432/n\n', 'requirements.txt': 'tortoise-orm\nasyncpg\n' },
    { DB_URL: 'asyncpg://${database.user}:${database.password}@${database.host}:${database.port}/${database.name}' },
  ],
  [
    'the parts of a database',
    { '.env.example': 'DB_HOST=db\nDB_PORT=5432\nDB_USER=u\nDB_PASS=p\nDB_NAME=n\nDB_DRIVER=postgresql+asyncpg\n' },
    {
      ...{ DB_HOST: '${database.host}', DB_PORT: '${database.port}', DB_USER: '${database.user}' },
      ...{ DB_PASS: '${database.password}', DB_NAME: '${database.name}', DB_DRIVER: 'postgresql+asyncpg' },
    },
  ],
  [
    'an empty URL beside its parts',
    { '.env.example': 'DATABASE_URL=\nPOSTGRES_HOST=db\n' },
    { POSTGRES_HOST: '${database.host}' },
  ],
  [
    'a URL of Redis, with its number',
    { '.env.example': 'REDIS_URL=redis://redis:6379/1\n' },
    { REDIS_URL: '${cache.url}/1' },
  ],
  [
    'a cache that only its port tells',
    { '.env.example': 'FSM_HOST=x\nFSM_PORT=6379\nFSM_PASSWORD=\n' },
    { FSM_HOST: '${cache.host}', FSM_PORT: '${cache.port}', FSM_PASSWORD: '${cache.password}' },
  ],
  [
    'settings as they are, a dollar as a dollar',
    { '.env.example': 'LANG_CODE=en\nPRICE=5$\nTEXT=${x}\nTTL=900\n' },
    { LANG_CODE: 'en', PRICE: '5$$', TEXT: '$${x}', TTL: '900' },
  ],
  [
    'what is secret or the operator’s, without its value',
    {
      '.env.example':
        'OPENAI_API_KEY=sk-abc\nADMIN_IDS=123456,7\nNAME=<your name>\nSENTRY=https://k:s3cret@x.io/1\nRAW=a1b2c3d4e5f6a7b8c9d0e1f2\n',
    },
    Object.fromEntries(
      ['OPENAI_API_KEY', 'ADMIN_IDS', 'NAME', 'SENTRY', 'RAW'].map((name) => [name, `\${secret.${name}}`]),
    ),
  ],
  [
    'what the compose file sets, over the example',
    {
      '.env.example': 'MODE=a\nX=1\n',
      'compose.yaml': 'services: { bot: { build: ., environment: { MODE: b, X: "${X:-2}", Y: "${Z:-3}" } } }',
    },
    { MODE: 'b', X: '1', Y: '3' },
  ],
  [
    'what the compose file hands on',
    { 'compose.yaml': 'services: { bot: { build: ., environment: [ADMIN_ID, "API_KEY=${API_KEY}"] } }' },
    { ADMIN_ID: '${secret.ADMIN_ID}', API_KEY: '${secret.API_KEY}' },
  ],
  [
    'a MongoDB elsewhere',
    { '.env.example': 'MONGO_URL=mongodb://u:p@mongo/x\n' },
    { MONGO_URL: '${secret.MONGO_URL}' },
  ],
  [
    'what only the code names, where nothing else does',
    { 'bot.py': 'os.environ["BOT_TOKEN"]\nos.getenv("REDIS_HOST")\nos.environ["WHO"]\n' },
    { BOT_TOKEN: '${token}', REDIS_HOST: '${cache.host}', WHO: '${secret.WHO}' },
  ],
  [
    'a name in small letters of pydantic’s',
    { '.env.example': 'bot_token=\n', 'requirements.txt': 'pydantic-settings\n' },
    { BOT_TOKEN: '${token}' },
  ],
]
for (const [what, files, environment] of variables)
  test(`variables: ${what}`, () => assert.equal(adopted(files).manifest.environment, environment))

test('a database that is reached as a host is asked for by TCP, one by its socket is not', () => {
  assert.equal(adopted({ '.env.example': 'DB_HOST=db\n' }).manifest.database, { tcp: true })
  const url = {
    '.env.example': 'DATABASE_URL=postgresql+asyncpg://u:p@db/n\n',
    'requirements.txt': 'sqlalchemy\nasyncpg\n',
  }
  assert.is(adopted(url).manifest.database, true)
  assert.is(adopted({ '.env.example': 'BOT_TOKEN=\n' }).manifest.database, false)
})

test('a pool that is larger than four is asked for, up to what a small host has', () => {
  const of = (pool: string) => adopted({ '.env.example': `DB_HOST=db\n${pool}` }).manifest.database
  assert.equal(of('DB_POOL_SIZE=5\nDB_MAX_OVERFLOW=4\n'), { tcp: true, connections: 9 })
  assert.equal(of('DB_POOL_SIZE=90\n'), { tcp: true, connections: 20 })
  assert.equal(of('DB_POOL_SIZE=4\n'), { tcp: true })
})

for (const [what, files, expected] of [
  ['nothing is said', {}, { mode: 'polling' }],
  ['the code polls', { 'bot.py': 'await dp.start_polling(bot)\n' }, { mode: 'polling' }],
  ['a switch is off', { '.env.example': 'USE_WEBHOOK=False\nWEBHOOK_URL=https://x.org/hook\n' }, { mode: 'polling' }],
  [
    'the mode is polling',
    { '.env.example': 'BOT_MODE=polling\nWEBHOOK_URL=https://x.org/hook\n' },
    { mode: 'polling' },
  ],
  [
    'a URL is asked for',
    { '.env.example': 'WEBHOOK_URL=https://x.org/hook\nPORT=8080\n' },
    { mode: 'webhook', webhook: 'bot', webhookPath: '/hook', port: 8080 },
  ],
  [
    'a host and a path are',
    { '.env.example': 'WEBHOOK_HOST=https://x.org\nWEBHOOK_PATH=/hook\n' },
    { mode: 'webhook', webhook: 'bot', webhookPath: '/tg/shop' },
  ],
  [
    'only a secret is',
    { '.env.example': 'WEBHOOK_SECRET=x\nWEBHOOK_PATH=hook\nWEBAPP_PORT=81\n' },
    { mode: 'webhook', webhookPath: '/hook', port: 81 },
  ],
  [
    'the code takes updates',
    { 'a.ts': 'app.use(webhookCallback(bot))\napp.listen(4000)\n' },
    { mode: 'webhook', port: 4000 },
  ],
] as const)
  test(`updates, where ${what}`, () => {
    const { mode, webhook, webhookPath, port } = adopted(files).manifest
    assert.equal(JSON.parse(JSON.stringify({ mode, webhook, webhookPath, port })), expected)
  })

test('a bot that builds its URL gets the host and the path that leads to it', () => {
  const { manifest } = adopted({
    '.env.example':
      'WEBHOOK_HOST=https://x.org\nWEBHOOK_PATH=/hook\nWEBHOOK_SECRET=a\nWEBAPP_HOST=localhost\nWEBAPP_PORT=8081\n',
  })
  assert.equal(manifest.environment, {
    ...{ WEBHOOK_HOST: '${public.url}', WEBHOOK_PATH: '/tg/shop', WEBHOOK_SECRET: '${webhook.secret}' },
    ...{ WEBAPP_HOST: '0.0.0.0', WEBAPP_PORT: '8081' },
  })
})

const dockerfile = 'FROM node:26-slim\nWORKDIR /app\nCOPY . .\nCMD ["node", "bot.js"]\n'
const compose = (bot: string, more = '') => ({
  Dockerfile: dockerfile,
  'docker-compose.yml': `services:\n  bot: { build: ., ${bot} }\n${more}`,
})

for (const [what, files, expected] of [
  ['a named volume', compose('volumes: ["store:/app/store"]'), { data: ['/app/store'] }],
  ['a folder of the host beside the file', compose('volumes: ["./data:/app/data"]'), { data: ['/app/data'] }],
  [
    'one with a .gitkeep',
    { ...compose('volumes: ["./data:/app/data"]'), 'data/.gitkeep': '' },
    { data: ['/app/data'] },
  ],
  ['one inside another', compose('volumes: ["a:/app/data", "b:/app/data/x"]'), { data: ['/app/data'] }],
  ['a VOLUME', { Dockerfile: `${dockerfile}VOLUME /app/keep /tmp\n` }, { data: ['/app/keep'] }],
  [
    'a path of SQLite',
    { Dockerfile: dockerfile, '.env.example': 'DB_PATH=data/bot.db\n' },
    { data: ['/app/data'], environment: { DB_PATH: '/app/data/bot.db' } },
  ],
  [
    'a URL of SQLite beside the code',
    { Dockerfile: dockerfile, '.env.example': 'DATABASE_URL=sqlite+aiosqlite:///bot.db\n' },
    { data: ['/app/data'], environment: { DATABASE_URL: 'sqlite+aiosqlite:////app/data/bot.db' } },
  ],
  [
    'a file that the code opens',
    { Dockerfile: dockerfile, 'bot.py': "sqlite3.connect('store/a.db')" },
    { data: ['/app/store'] },
  ],
  ['memory of its own', compose('tmpfs: [/app/cache, /tmp]'), { scratch: ['/app/cache'] }],
  ['limits', compose('mem_limit: 0.5G, cpus: 1.5, init: true'), { memory: '512m', cpus: 1.5, init: true }],
  ['a command as a line', compose('command: node "other bot.js"'), { command: ['node', 'other bot.js'] }],
  [
    'a command for a shell',
    compose('command: sleep 3 && node b.js'),
    { command: ['sh', '-c', 'sleep 3 && node b.js'] },
  ],
  [
    'another Dockerfile, a stage, arguments',
    {
      'docker/prod.Dockerfile': dockerfile,
      'compose.yml':
        'services: { bot: { build: { context: ., dockerfile: docker/prod.Dockerfile, target: x, args: { V: "${V:-3}", API_KEY: a } } } }',
    },
    { dockerfile: 'docker/prod.Dockerfile', target: 'x', args: { V: '3' } },
  ],
  [
    'a Dockerfile without a command',
    { Dockerfile: 'FROM x\nWORKDIR /app\n', 'package.json': '{"scripts":{"start":"node a.js"}}' },
    { command: ['node', 'a.js'] },
  ],
  [
    'a health check of a webhook',
    { ...compose('healthcheck: { test: "curl -f http://localhost:9000/ready" }'), '.env.example': 'WEBHOOK_URL=\n' },
    { port: 9000, health: '/ready' },
  ],
  [
    'a Redis that keeps what it holds',
    { ...compose('x: 1', '  redis: { image: redis:7, volumes: ["r:/data"] }\n'), '.env.example': 'REDIS_HOST=\n' },
    { cache: { server: 'valkey', persist: true } },
  ],
  [
    'a script of the database',
    {
      ...compose('x: 1', '  db: { image: postgres:16, volumes: ["./sql:/docker-entrypoint-initdb.d:ro"] }\n'),
      'sql/init.sql': '',
      '.env.example': 'DB_HOST=\n',
    },
    { database: { tcp: true, init: 'sql/init.sql' } },
  ],
] as const)
  test(`the container: ${what}`, () => {
    const { manifest } = adopted(files)
    const found = Object.fromEntries(
      Object.keys(expected).map((key) => [key, Object.entries(manifest).find(([name]) => name === key)?.[1]]),
    )
    assert.equal(found, expected)
  })

const postgres = { '.env.example': 'DB_HOST=\n' }
for (const [what, files, expected] of [
  [
    'Alembic',
    {
      ...postgres,
      'alembic.ini': 'script_location = app/steps\n',
      'app/steps/env.py': '',
      'requirements.txt': 'alembic\nasyncpg\n',
    },
    { migrate: ['alembic', 'upgrade', 'head'], migrations: 'app/steps' },
  ],
  [
    'Alembic in Poetry’s environment',
    {
      ...postgres,
      Dockerfile: 'FROM x\nCMD ["poetry", "run", "python", "-m", "bot"]\n',
      'alembic.ini': '',
      'requirements.txt': 'alembic\n',
    },
    { migrate: ['poetry', 'run', 'alembic', 'upgrade', 'head'] },
  ],
  [
    'Prisma',
    { ...postgres, 'prisma/migrations/1/a.sql': '' },
    { migrate: ['npx', 'prisma', 'migrate', 'deploy'], migrations: 'prisma/migrations' },
  ],
  [
    'a script of package.json',
    { ...postgres, 'package.json': '{"scripts":{"db:migrate":"x"}}' },
    { migrate: ['npm', 'run', 'db:migrate'] },
  ],
  [
    'a service that runs once',
    { ...postgres, ...compose('x: 1', '  migrator: { build: ., command: ./up.sh }\n') },
    { migrate: ['./up.sh'] },
  ],
  [
    'none, where the start does it',
    {
      ...postgres,
      Dockerfile: 'FROM x\nCMD ["./go.sh"]\n',
      'go.sh': 'alembic upgrade head\nexec python bot.py',
      'alembic.ini': '',
      'requirements.txt': 'alembic\n',
    },
    {},
  ],
  [
    'none, behind an ENTRYPOINT',
    {
      ...postgres,
      Dockerfile: 'FROM x\nENTRYPOINT ["python", "bot.py"]\n',
      'alembic.ini': '',
      'requirements.txt': 'alembic\n',
    },
    {},
  ],
  ['none without a database', { 'alembic.ini': '', 'requirements.txt': 'alembic\n' }, {}],
] as const)
  test(`migrations: ${what}`, () => {
    const { migrate, migrations } = adopted(files).manifest
    assert.equal(JSON.parse(JSON.stringify({ migrate, migrations })), expected)
  })

test('the context of the compose file is the source, and its variables may stand above it', () => {
  const { bot, manifest } = adopted({
    'apps/bot/Dockerfile': dockerfile,
    '.env.example': 'BOT_TOKEN=\n',
    'docker-compose.yml': 'services: { bot: { build: apps/bot } }',
  })
  assert.is(bot.build.folder, 'apps/bot')
  assert.equal(manifest.environment, { BOT_TOKEN: '${token}' })
})

/** What has no place here is said, with where it stands. */
for (const [what, files, said] of [
  [
    'MongoDB',
    compose('x: 1', '  mongo: { image: "mongo:8" }\n'),
    /docker-compose\.yml:3: the service "mongo" \(mongo:8\): botgarden has PostgreSQL/,
  ],
  ['MySQL, by its driver', { '.env.example': 'DB_HOST=x\n', 'requirements.txt': 'aiomysql\n' }, /MySQL/],
  ['RabbitMQ', compose('x: 1', '  mq: { image: rabbitmq }\n'), /"mq" \(rabbitmq\): there is none here/],
  [
    'a proxy',
    compose('x: 1', '  web: { image: "registry.org:5000/library/traefik:v3" }\n'),
    /nginx of the host does that/,
  ],
  [
    'an image that nobody knows',
    compose('x: 1', '  x: { image: ghcr.io/a/b }\n'),
    /"x" \(ghcr\.io\/a\/b\) is not known here/,
  ],
  ['ports of the host', compose('ports: ["80:8080"]'), /docker-compose\.yml:2: publishes a port on the host \(8080\)/],
  [
    'powers',
    compose('privileged: true, network_mode: host, devices: [/dev/dri]'),
    /privileged: true: a bot gets none[\s\S]*devices: \/dev\/dri[\s\S]*network_mode: host/,
  ],
  ['the socket of Docker', compose('volumes: ["/var/run/docker.sock:/var/run/docker.sock"]'), /the socket of Docker/],
  [
    'a folder of the host',
    compose('volumes: ["/srv/x:/x", "../y:/y"]'),
    /mounts \/srv\/x of the host[\s\S]*mounts \.\.\/y of the host/,
  ],
  ['the source itself', compose('volumes: [".:/app"]'), /for development: the image has it/],
  ['a single file', compose('volumes: ["./bot.db:/app/bot.db"]'), /only folders do/],
  [
    'a process from another folder',
    compose('x: 1', '  worker: { build: worker, command: node worker.js }\n'),
    /docker-compose\.yml:3: "worker" is built from another folder/,
  ],
  ['a second bot', compose('x: 1', '  web: { build: . }\n'), /docker-compose\.yml:3: "web" runs what the bot runs/],
  [
    'a file of settings',
    { 'config.example.yaml': 'token: x' },
    /config\.example\.yaml: the bot reads a file: no variable for the token/,
  ],
  ['a session of a library', { 'requirements.txt': 'telethon\n' }, /telethon logs in to Telegram by itself/],
  ['names in small letters', { '.env.example': 'bot_token=\n' }, /these cannot be set: bot_token/],
  [
    'a secret of the build',
    { Dockerfile: dockerfile, 'compose.yml': 'services: { bot: { build: { args: { NPM_TOKEN: x } } } }' },
    /these may be secret: NPM_TOKEN/,
  ],
  [
    'a secret in the command',
    compose('command: [node, bot.js, "--token=${BOT_TOKEN}"]'),
    /has a secret among its words/,
  ],
  [
    'a URL that nothing gives',
    { '.env.example': 'WEBHOOK_SECRET=x\n', 'a.py': 'await bot.set_webhook(url)\n' },
    /a\.py:1: it calls setWebhook itself, and no variable says where/,
  ],
  ['what is in the home of root', { Dockerfile: 'FROM x\nRUN poetry install\n' }, /home of root/],
  [
    'a broken compose file',
    { 'compose.yml': 'services: {{' },
    /compose\.yml: cannot be read as YAML, so nothing is taken from it: line 1/,
  ],
  ['a context outside', { 'compose.yml': 'services: { bot: { build: ../other } }' }, /no variable for the token/],
] as const)
  test(`said, not guessed: ${what}`, () => assert.match(adopted(files).notes, said))

const beside = compose(
  'x: 1',
  `  worker_1: { build: ., command: node "my worker.js", mem_limit: 64m }
  beat: { build: ., command: celery beat }
  api: { build: { context: ., dockerfile: api/Dockerfile }, ports: ["80:8000"], healthcheck: { test: curl http://localhost:8000/up } }
`,
)

test('services from the same source are processes, a scheduler one that never runs twice', () => {
  const build = {
    folder: '',
    dockerfile: 'Dockerfile',
    target: undefined,
    args: {},
    from: '',
    image: undefined,
    notes: [],
  }
  const services = arrange(composeServices(beside['docker-compose.yml'], 'c.yml'), () => undefined)
  assert.equal(
    furtherProcesses(services, { processes: new Map() }, build, new Map(), () => true),
    [
      { name: 'worker-1', from: 'c.yml:3', keys: { command: ['node', 'my worker.js'], memory: '64m' } },
      { name: 'beat', from: 'c.yml:4', keys: { command: ['celery', 'beat'], single: true } },
      { name: 'api', from: 'c.yml:5', keys: { dockerfile: 'api/Dockerfile', port: 8000, health: '/up' } },
    ],
  )
  const none = arrange([], () => undefined)
  const lines = new Map([...procfile('web: node a.js\nclock: node b.js\nrelease: x\n', 'Procfile')])
  assert.equal(
    furtherProcesses(none, { processes: lines }, build, new Map(), () => true),
    [{ name: 'clock', from: 'Procfile:2', keys: { command: ['node', 'b.js'], single: true } }],
  )
})

test('a process is known by its address, and as many as a bot may have are written', () => {
  const files = { ...beside, 'api/Dockerfile': 'FROM x\n', '.env.example': 'API_URL=http://api:8000/v1\nDB_HOST=\n' }
  const { manifest } = adopted(files)
  assert.equal(Object.keys(manifest.processes ?? {}), ['worker-1', 'beat', 'api'])
  assert.is(manifest.environment?.API_URL, '${process.api.url}/v1')
  const more = `${files['docker-compose.yml']}  extra: { build: ., command: x }\n`
  const { manifest: full, notes } = adopted({ ...files, 'docker-compose.yml': more })
  assert.equal(Object.keys(full.processes ?? {}), ['worker-1', 'beat', 'api'])
  assert.match(notes, 'docker-compose.yml:6: "extra" is a process too many: this bot may have 3')
})

test('the compose file at the top counts, with that of production over it', () => {
  const of = (mode: string) => `services: { bot: { build: ., environment: { MODE: ${mode} } } }`
  const files = {
    Dockerfile: dockerfile,
    'app/compose.yml': of('inner'),
    'compose.yml': of('base'),
    'compose.dev.yml': of('dev'),
  }
  assert.equal(adopted(files).manifest.environment, { MODE: 'base' })
  assert.equal(adopted({ ...files, 'compose.prod.yml': of('prod') }).manifest.environment, { MODE: 'prod' })
})

test('each line says where it is from', () => {
  const { text } = adopted({
    ...compose('command: node b.js'),
    '.env.example': '# x\nBOT_TOKEN=\nOPTIONAL_KEY=\nEMPTY=\n',
  })
  assert.is(
    text.split('\n').slice(1).join('\n'),
    `mode: polling # nothing says that it has a webhook
database: false # nothing says that it has one
command: [node, b.js] # docker-compose.yml:2
environment:
  BOT_TOKEN: \${token} # .env.example:2
  # Take the # from those that you use, and give them a value in .env or in the inventory:
  #OPTIONAL_KEY: \${secret.OPTIONAL_KEY} # .env.example:3; empty there
  # Left out, empty there: EMPTY
`,
  )
})

test.run()
