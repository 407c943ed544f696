// Whatever a repository is put together from, the bot.yaml made of it passes the schema, has no contradiction, and deploys as far as
// packing goes. The combinations are drawn with a seed, so a failure can be repeated.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { conflictsIn } from '../../../roles/bot/spec/conflicts.ts'
import { botManifestSchema } from '../../../roles/bot/spec/schema.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { adopted } from './support.ts'

/** Of each list a repository has one. */
const lists = {
  Dockerfile: [
    '',
    'FROM node:26-slim\nWORKDIR /app\nCMD ["node", "a.js"]\n',
    'FROM x\nENTRYPOINT ["./run"]\nVOLUME /data /app/x\nEXPOSE 8080\n',
    'FROM x\nHEALTHCHECK CMD curl http://localhost:81/up\nCMD alembic upgrade head && python a.py\n',
  ],
  token: ['', 'BOT_TOKEN=\n', 'TOKEN=x\nAPI_TOKEN=\n', 'telegram_token=\n'],
  database: [
    '',
    'DATABASE_URL=\n',
    'DATABASE_URL=postgresql+asyncpg://u:p@h/n?ssl=1\n',
    'DB_HOST=h\nDB_PORT=5432\nDB_USER=u\nDB_PASSWORD=\nDB_NAME=n\n',
    'DATABASE_URL=sqlite:///a.db\n',
    'MYSQL_HOST=h\n',
    'MONGO_URI=\n',
    'DB_PATH=/data/x.sqlite3\n',
  ],
  cache: ['', 'REDIS_URL=redis://r/2\n', 'REDIS_HOST=\nREDIS_PORT=6379\nREDIS_DB=0\nREDIS_USERNAME=\n'],
  webhook: [
    '',
    'USE_WEBHOOK=false\nWEBHOOK_URL=https://x.org\n',
    'WEBHOOK_URL=https://x.org/hook\nWEBHOOK_SECRET=\n',
    'WEBHOOK_HOST=\nWEBHOOK_PATH=/a\nPORT=80\n',
    'WEBHOOK_PATH=bad path\nBOT_MODE=webhook\n',
    'BASE_URL=\nWEBAPP_PORT=99999\n',
  ],
  settings: ['', 'A=$x\nB=${y}\nC="a: b # c"\nD=[1\nE={\nF=- x\nG=*a\nH=\'q"\n', 'ADMIN_IDS=1,2\nX_KEY=\nY_SECRET=z\n'],
  bot: [
    '',
    'volumes: ["d:/app/data", "./c:/data"]',
    'command: "a $$B ${C:-d}", mem_limit: 1g, cpus: "0.01"',
    'tmpfs: [/app/x], environment: [FOO, "BAR=${BAZ}", "REDIS_URL=redis://r"]',
    'build: { context: ., target: t, args: [A, B=c] }',
  ],
  beside: [
    '',
    'db: { image: postgres:16, volumes: ["./i.sql:/docker-entrypoint-initdb.d/i.sql"] }',
    'redis: { image: redis, volumes: ["r:/data"] }',
    'worker: { build: . }, migrate: { build: ., command: alembic upgrade head }',
    'api: { build: ., command: node api.js, labels: ["traefik.http.routers.a.rule=Host(`a.acme.io`) && PathPrefix(`/api`)", "ofelia.job-exec.x.schedule=@every 5m", "ofelia.job-exec.x.command=a"] }, cron: { build: ., command: supercronic crontab }',
    'a: { build: ., command: a }, b: { build: ., command: b, expose: [1] }, c: { build: ., command: c }, d: { build: ., command: d }, e: { build: ., command: supercronic x & exec e }',
  ],
  proxy: [
    '',
    'a.acme.io {\n reverse_proxy /api/* api:8000\n reverse_proxy bot:3000\n}\n',
    'a.acme.io {\n reverse_proxy /a* a:1\n reverse_proxy /d/* d:99999\n reverse_proxy /webhook bot:5\n}\nb.acme.io {\n root * /x\n file_server\n}\n',
  ],
  times: ['', '0 9 * * * node a.js\n@reboot x\n', 'TZ=Mars\n*/5 * * * 7 root a % b >> c\n@daily sh -c "x"\n'],
  code: [
    '',
    'await dp.start_polling(bot)\n',
    'await bot.set_webhook(u)\nos.environ["REDIS_URL"]\n',
    'sqlite3.connect("s/a.db")\nos.environ["DB_HOST"]\n',
  ],
  packages: ['', 'aiogram\nsqlalchemy\nasyncpg\nalembic\n', 'pydantic-settings\naiomysql\n'],
} as const

const seed = 19
const rounds = 400

test(`${rounds} combinations make a bot.yaml that is one`, () => {
  const draw = random(seed)
  for (let round = 0; round < rounds; round++) {
    const of = (name: keyof typeof lists): string => lists[name][Math.floor(draw() * lists[name].length)] ?? ''
    const bot = of('bot')
    const files = {
      Dockerfile: of('Dockerfile'),
      '.env.example': ['token', 'database', 'cache', 'webhook', 'settings']
        .map((name) => of(name as keyof typeof lists))
        .join(''),
      'compose.yml':
        bot === '' ? '' : `services: { bot: { ${bot.includes('build') ? '' : 'build: ., '}${bot} }, ${of('beside')} }`,
      ...{ Caddyfile: of('proxy'), crontab: of('times') },
      ...{ 'i.sql': '', 'a.py': of('code'), 'requirements.txt': of('packages'), 'alembic.ini': '' },
    }
    const given = Object.fromEntries(Object.entries(files).filter(([, text]) => text !== ''))
    const { manifest, text } = adopted(given)
    const { issues, output } = v.safeParse(botManifestSchema, manifest)
    const where = `seed ${seed}, round ${round}:\n${JSON.stringify(given, null, 1)}\n${text}`
    assert.equal(issues, undefined, where)
    assert.equal(conflictsIn(specOf('image', {}, output as typeof manifest)), [], where)
  }
})

/** A linear congruential generator: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

test.run()
