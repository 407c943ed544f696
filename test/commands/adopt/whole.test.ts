// Whole repositories, the whole bot.yaml that is made of each, and all that is said of it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { adopted, type Files } from './support.ts'

const node = 'FROM node:26-slim\nWORKDIR /app\nCOPY . .\nCMD ["node", "bot.js"]\n'

const cases: readonly (readonly [what: string, files: Files, expected: string])[] = [
  [
    'variables of all kinds, of a bot with a webhook',
    {
      '.env.example': `BOT_TOKEN=
DATABASE_URL=
DB_DRIVER=
PG_HOST=
REDIS_URL=
REDIS_USER=u
REDIS_DB=x
CACHE_REDIS_DB=3
WEBHOOK_URL=https://x.org
WEBHOOK_SECRET=
WEBHOOK_PATH=
BASE_URL=
WEBHOOK_DOMAIN=x.org
USE_WEBHOOK=1
WEB_PORT=8000
PORT=1
HOST=0.0.0.0
ADMIN_ID=5
MONGO_URL=mongodb://x/y
A_KEY=x
B_KEY=
DEBUG=true
APP_ENV=dev
ENV=production
DEBUGGER=true
EMPTY=
lower=1
Mixed=2
TITLE=a$b
GRAFANA_X=1
NGINX_Y=1
`,
      '.env': 'KEPT=secret1\nKEPT_KEY=secret2\n',
      'bot.py':
        'os.environ["CODE_KEY"]\nos.getenv("CODE_PLAIN")\nos.getenv("CODE_ADMIN_ID")\nos.getenv("TOKEN")\nos.getenv("REDIS_PORT")\nos.getenv("SQLITE_PATH", "x.db")\n',
      'requirements.txt': 'sqlalchemy\nasyncpg\n',
      Dockerfile: node,
    },
    `mode: webhook # .env.example:14
webhook: bot # it calls setWebhook itself: .env.example:9
webhookPath: /tg/shop # .env.example:12
port: 8000 # .env.example:15
database: { tcp: true } # .env.example:19; reached as a host with a port
cache: valkey # variables for Redis
data: [/app/data] # bot.py:6
environment:
  BOT_TOKEN: \${token} # .env.example:1
  PG_HOST: \${database.host} # .env.example:4
  REDIS_URL: \${cache.url} # .env.example:5
  REDIS_USER: default # .env.example:6
  REDIS_DB: "0" # .env.example:7
  CACHE_REDIS_DB: "3" # .env.example:8
  WEBHOOK_URL: \${public.url} # .env.example:9
  WEBHOOK_SECRET: \${webhook.secret} # .env.example:10
  WEBHOOK_PATH: /tg/shop # .env.example:11
  WEBHOOK_DOMAIN: \${public.host} # .env.example:13
  USE_WEBHOOK: "1" # .env.example:14
  WEB_PORT: "8000" # .env.example:15
  HOST: 0.0.0.0 # .env.example:17; in a container it listens for others
  ADMIN_ID: \${secret.ADMIN_ID} # .env.example:18; yours to give
  MONGO_URL: \${secret.MONGO_URL} # .env.example:19; a server elsewhere
  A_KEY: \${secret.A_KEY} # .env.example:20
  DEBUG: "true" # .env.example:22; as for development: see that you want it so
  APP_ENV: dev # .env.example:23; as for development: see that you want it so
  ENV: production # .env.example:24
  DEBUGGER: "true" # .env.example:25
  TITLE: a$$b # .env.example:29
  KEPT: \${secret.KEPT} # .env; its value stays there
  KEPT_KEY: \${secret.KEPT_KEY} # .env; its value stays there
  REDIS_PORT: \${cache.port} # bot.py:5
  # Take the # from those that you use, and give them a value in .env or in the inventory:
  #DATABASE_URL: \${secret.DATABASE_URL} # .env.example:2; empty there
  #BASE_URL: \${public.url} # .env.example:12
  #B_KEY: \${secret.B_KEY} # .env.example:21; empty there
  #CODE_KEY: \${secret.CODE_KEY} # bot.py:1; only the code names it
  #CODE_ADMIN_ID: \${secret.CODE_ADMIN_ID} # bot.py:3; only the code names it
  #TOKEN: \${secret.TOKEN} # bot.py:4; only the code names it
  # Left out, empty there: DB_DRIVER, EMPTY
  # Left out, set for every bot: PORT
  # Left out, for other services: GRAFANA_X, NGINX_Y
  # Left out, only the code names it: CODE_PLAIN, SQLITE_PATH
---
names of variables are in capitals here, so these cannot be set: lower, Mixed: have the bot read them in capitals
.env.example:19: the bot keeps its data in MongoDB: botgarden has PostgreSQL. Name a MongoDB server elsewhere (its URL is a secret of the bot), or move the bot
`,
  ],
  [
    'variables about a webhook, of a bot that polls',
    {
      '.env.example':
        'WEBHOOK_SECRET=\nWEBHOOK_URL=https://x/y\nUSE_WEBHOOK=off\nWEB_PORT=81\nWEBHOOK_PATH=/p\nWEBHOOK_HOST=x\nPORT=1\nlower=1\n',
      'requirements.txt': 'pydantic\n',
      'a.py': 'bot.start_polling(\n',
    },
    `mode: polling # .env.example:3
database: false # nothing says that it has one
environment:
  WEBHOOK_URL: https://x/y # .env.example:2
  USE_WEBHOOK: off # .env.example:3
  WEB_PORT: "81" # .env.example:4
  WEBHOOK_PATH: /p # .env.example:5
  WEBHOOK_HOST: x # .env.example:6
  LOWER: "1" # .env.example:8; as lower there
  # Left out, only with a webhook: WEBHOOK_SECRET
  # Left out, set for every bot: PORT
---
no variable for the token was found: have it read one, and set that to \${token}, or the file that BOT_TOKEN_FILE names
`,
  ],
  [
    'code alone',
    {
      'bot.py': `os.environ["BOT_TOKEN"]
os.environ["CODE_KEY"]
os.getenv("CODE_PLAIN")
os.environ["NEEDED"]
os.getenv("CODE_ADMIN_ID")
os.getenv("REDIS_PORT")
os.getenv("WEBHOOK_URL")
os.getenv("WEBHOOK_SECRET")
os.getenv("WEBHOOK_PATH")
os.getenv("BASE_URL")
os.getenv("WEBHOOK_DOMAIN")
os.getenv("MONGO_URL")
os.environ["bot_name"]
os.getenv("SQLITE_PATH", "x.db")
bot.set_webhook(a)
`,
    },
    `mode: webhook # bot.py:9
webhook: bot # it calls setWebhook itself: bot.py:15
database: false # mongo: bot.py:12
cache: valkey # variables for Redis
data: [/app/data] # bot.py:14
environment:
  BOT_TOKEN: \${token} # bot.py:1
  CODE_KEY: \${secret.CODE_KEY} # bot.py:2
  NEEDED: \${secret.NEEDED} # bot.py:4; yours to give
  REDIS_PORT: \${cache.port} # bot.py:6
  WEBHOOK_URL: \${webhook.url} # bot.py:7
  WEBHOOK_SECRET: \${webhook.secret} # bot.py:8
  WEBHOOK_PATH: /webhook # bot.py:9
  WEBHOOK_DOMAIN: \${public.url} # bot.py:11
  MONGO_URL: \${secret.MONGO_URL} # bot.py:12; a server elsewhere
  # Take the # from those that you use, and give them a value in .env or in the inventory:
  #CODE_ADMIN_ID: \${secret.CODE_ADMIN_ID} # bot.py:5; only the code names it
  #BASE_URL: \${public.url} # bot.py:10
  # Left out, only the code names it: CODE_PLAIN, SQLITE_PATH
---
names of variables are in capitals here, so these cannot be set: bot_name: have the bot read them in capitals
bot.py:12: the bot keeps its data in MongoDB: botgarden has PostgreSQL. Name a MongoDB server elsewhere (its URL is a secret of the bot), or move the bot
the path where it takes updates is not said: "webhookPath:" is /webhook unless you set it
where it listens is not said: "port:" is 3000 unless you set it
`,
  ],
  [
    'a URL by TCP',
    {
      '.env.example':
        'DATABASE_URL=postgres://u:p@h/n?sslmode=disable&user=x\nBOT_TOKEN=\nbot_token=\nBASE_URL=https://a.org\nWEBHOOK_URL=https://a.org/b\nWEBAPP_URL=x\n',
      'package.json': '{"dependencies":{"pg":"8"}}',
      'index.js': '',
    },
    `mode: webhook # .env.example:5
webhook: bot # it calls setWebhook itself: .env.example:5
webhookPath: /b # .env.example:5
database: { tcp: true, connections: 10 } # .env.example:1; reached as a host with a port; the pool of pg: package.json:1
environment:
  DATABASE_URL: \${database.url} # .env.example:1; for pg
  BOT_TOKEN: \${token} # .env.example:2
  BASE_URL: \${public.url} # .env.example:4
  WEBHOOK_URL: \${webhook.url} # .env.example:5
  WEBAPP_URL: x # .env.example:6
---
names of variables are in capitals here, so these cannot be set: bot_token: have the bot read them in capitals
where it listens is not said: "port:" is 3000 unless you set it
`,
  ],
  [
    'a compose file that has everything',
    {
      'docker-compose.yml': `services:
  bot:
    build: { context: ., target: prod, args: { NODE_ENV: production, NPM_TOKEN: x, API_KEY: y } }
    command: node bot.js
    environment: { BOT_TOKEN: "\${BOT_TOKEN}", API_URL: "http://api-x:8000/v1", DB_HOST: db, DB_POOL_SIZE: 6 }
    volumes:
      - keep:/app/keep
      - ./conf:/app/conf:ro
      - ./src:/app/src
      - .:/app
      - code:/app
      - ./bot.db:/app/bot.db
      - ./bot.json:/app/bot.json:ro
      - ~/x:/x
      - /srv/y:/y:ro
      - /var/run/docker.sock:/var/run/docker.sock
      - /etc/localtime:/etc/localtime:ro
      - named:/app/named:ro
      - session:/app/a.session
    ports: ["8080:8080", "9090:9090"]
    tmpfs: [/app/cache, /app/keep, "/app/two:size=1m"]
    mem_limit: 300m
    cpus: "0.5"
    init: true
    privileged: true
    cap_add: [NET_ADMIN, SYS_TIME]
    pid: host
    ipc: host
    runtime: nvidia
    gpus: all
    devices: [/dev/dri]
    network_mode: host
    extra_hosts: ["a:1"]
    deploy: { resources: { reservations: { devices: [{ driver: nvidia }] } } }
    labels: ["traefik.http.routers.bot.rule=Host(bot.example.org) || Host(b.example.org)"]
  api_x: { build: ., command: node api.js, healthcheck: { test: "curl http://localhost:8000/up" } }
  cron: { build: ., command: node cron.js, init: true }
  same: { build: . }
  other: { build: other, command: x }
  gone: { build: { context: ., dockerfile: gone.Dockerfile } }
  migrate: { build: ., command: npx prisma migrate deploy }
  migrate2: { build: ., command: x }
  db: { image: "timescale/timescaledb:latest-pg16", volumes: ["./init.sql:/docker-entrypoint-initdb.d/init.sql"] }
  redis: { image: "redis/redis-stack:7", volumes: ["r:/data"] }
  grafana: { image: grafana/grafana }
  mystery: { image: "example.org/x/mystery:1" }
`,
      Dockerfile: `${node.replace('slim', 'slim AS prod')}EXPOSE 7000\nVOLUME /app/vol /tmp\n`,
      ...{ 'src/a.js': '', 'bot.json': '', 'init.sql': '', 'prisma/migrations/1/a.sql': '' },
      ...{ 'Dockerfile.dev': node, crontab: '', 'config.example.yml': '', '.env.example': 'REDIS_HOST=\n' },
      'package.json': '{"dependencies":{"grammy":"1"}}',
      'bot.js': 'const r = new Redis("redis://localhost:6379")\nbot.start()\n',
    },
    `mode: polling # bot.js:2
port: 8080 # docker-compose.yml:35
database: { tcp: true, connections: 6, init: init.sql } # docker-compose.yml:43; reached as a host with a port; docker-compose.yml:5; docker-compose.yml:43
migrate: [npx, prisma, migrate, deploy] # docker-compose.yml:41
migrations: prisma/migrations # prisma/migrations is there
cache: { server: valkey, persist: true } # docker-compose.yml:44, with a volume
data: [/app/keep, /app/vol] # docker-compose.yml:7, Dockerfile:6
scratch: [/app/cache, /app/two] # docker-compose.yml:21
target: prod # docker-compose.yml:3
args: { NODE_ENV: production } # docker-compose.yml:3
command: [node, bot.js] # docker-compose.yml:4
memory: 300m # docker-compose.yml:22
cpus: 0.5 # docker-compose.yml:23
init: true # docker-compose.yml:2
processes: { api-x: { command: [node, api.js], port: 8000, health: /up }, cron: { command: [node, cron.js], single: true }, same: { command: [node, bot.js] } } # docker-compose.yml:36, docker-compose.yml:37, docker-compose.yml:38
public:
  - { path: / } # docker-compose.yml:35
environment:
  BOT_TOKEN: \${token} # docker-compose.yml:5
  API_URL: \${process.api-x.url}/v1 # docker-compose.yml:5
  DB_HOST: \${database.host} # docker-compose.yml:5
  DB_POOL_SIZE: "6" # docker-compose.yml:5
  REDIS_HOST: \${cache.host} # .env.example:1
---
docker-compose.yml:45: the service "grafana" (grafana/grafana): not a part of the bot: see "Monitoring" in docs/PLAN.md
docker-compose.yml:46: the service "mystery" (example.org/x/mystery:1) is not known here: name such a server elsewhere by variables
docker-compose.yml:43: timescale/timescaledb:latest-pg16 has extensions that PostgreSQL here does not bring
docker-compose.yml:44: redis/redis-stack:7 has modules that Valkey here does not bring
docker-compose.yml:25: privileged: true: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:31: devices: /dev/dri: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:26: cap_add: NET_ADMIN, SYS_TIME: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:32: network_mode: host: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:27: pid: host: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:28: ipc: host: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:29: runtime: nvidia: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:30: gpus: all: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:33: extra_hosts: a:1: a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:34: reserved devices (a GPU): a bot gets none of it: its container is alone, read-only and without capabilities
docker-compose.yml:20: publishes ports on the host (8080, 9090): nothing is published here; Telegram's updates come through nginx, and so does what "public:" lists
bot.js:1: names this very machine as where a server is, and in a container nobody is there: have it read a variable
docker-compose.yml:3: build arguments stay in the history of the image, and these may be secret: NPM_TOKEN, API_KEY: have the bot read them when it starts
docker-compose.yml:39: "other" is built from another folder than the bot: not mapped; the bot runs without it
docker-compose.yml:40: "gone" is built from gone.Dockerfile, which is not there: not mapped
crontab: a crontab that nothing here starts: there is no cron in a bot's container; list under "jobs:" what of it runs in the image of the bot
"public:" is for browsers, and no name of the bot was found: set "domains: [NAME]" in the inventory, or for other paths than / "shareOrigin: true" here: see docs/bots.md
docker-compose.yml:8: mounts ./conf, which is not in the source: copy it into the image
docker-compose.yml:9: mounts ./src, which is a part of the source: the image has it. If the bot writes there, list /app/src under "data:"
docker-compose.yml:10: mounts the source itself at /app, for development: the image has it
docker-compose.yml:11: the volume at /app would hide the code of the image: move what the bot writes to a folder of its own, and list that under "data:"
docker-compose.yml:12: the file /app/bot.db is to last, and only folders do: have the bot write it to a folder of its own, as /app/data, and list that under "data:"
docker-compose.yml:13: mounts the file ./bot.json: the image has it if its Dockerfile copies it
docker-compose.yml:14: mounts ~/x of the host at /x, which a bot cannot have: list /x under "data:", and copy what is there now
docker-compose.yml:15: mounts /srv/y of the host at /y, which a bot cannot have: copy it into the image
docker-compose.yml:16: mounts the socket of Docker, by which a bot is root on the host: there is no such thing here, and the bot must do without
docker-compose.yml:17: mounts the time zone of the host: set it by "environment: { TZ: Europe/Berlin }"
docker-compose.yml:19: the file /app/a.session is to last, and only folders do: have the bot write it to a folder of its own, as /app/data, and list that under "data:"
docker-compose.yml:42: a second service that runs once, "migrate2": "migrate:" is one command; join them in a script of the image
`,
  ],
  [
    'a bot in a folder of its own, that checks its health',
    {
      'compose.yml': `services:
  app: { build: ./app, expose: [3001], healthcheck: { test: [CMD, curl, "http://127.0.0.1:3002/ok"] }, environment: { WEBHOOK_URL: "" } }
`,
      'app/Dockerfile':
        'FROM python:3\nENTRYPOINT ["python"]\nCMD ["-m", "x"]\nEXPOSE 3003\nHEALTHCHECK CMD curl http://localhost:3004/no',
      'app/a.py': 'x',
      '.env.example': 'WEBHOOK_SECRET=\n',
      'app/.env.example': 'WEBAPP_PORT=3000\n',
      'app/.env': 'Z=1',
    },
    `mode: webhook # compose.yml:2
webhook: bot # it calls setWebhook itself: compose.yml:2
port: 3002 # compose.yml:2
health: /ok # compose.yml:2
database: false # nothing says that it has one
environment:
  WEBHOOK_URL: \${webhook.url} # compose.yml:2
  WEBAPP_PORT: "3002" # app/.env.example:1
  WEBHOOK_SECRET: \${webhook.secret} # .env.example:1
  Z: \${secret.Z} # app/.env; its value stays there
---
no variable for the token was found: have it read one, and set that to \${token}, or the file that BOT_TOKEN_FILE names
the path where it takes updates is not said: "webhookPath:" is /webhook unless you set it
`,
  ],
  [
    'an image without a command',
    {
      Dockerfile: 'FROM x\nHEALTHCHECK CMD curl http://localhost/ok',
      'main.py':
        'os.environ["BOT_TOKEN"]\ndp.start_polling(\nsqlite3.connect("a.db")\nsqlite3.connect("/data/b.db")\nsqlite3.connect("src/c.db")\nsqlite3.connect("d/{x}.db")\n',
      'src/x.py': '',
      'requirements.txt': 'telethon\naiogram\n',
      'cron/crontab': '',
    },
    `mode: polling # main.py:2
#health: /ok # Dockerfile:2; if it serves this while it polls
database: false # nothing says that it has one
data: [/data] # main.py:4
command: [python, main.py] # Dockerfile has no CMD; main.py is there
environment:
  BOT_TOKEN: \${token} # main.py:1
---
telethon logs in to Telegram by itself and keeps a session in a file: have it kept in a folder under "data:"
cron/crontab: a crontab that nothing here starts: there is no cron in a bot's container; list under "jobs:" what of it runs in the image of the bot
main.py:3: opens a.db in a folder of the code, which is read-only here: have the bot open data/a.db, and set "data: [/data]"
main.py:5: opens src/c.db in a folder of the code, which is read-only here: have the bot open data/c.db, and set "data: [/data]"
main.py:6: opens d/{x}.db in a folder of the code, which is read-only here: have the bot open data/{x}.db, and set "data: [/data]"
`,
  ],
  [
    'an image without a command, and nothing that tells one',
    { Dockerfile: 'FROM x\n', '.env.example': 'BOT_TOKEN=\n' },
    `mode: polling # nothing says that it has a webhook
database: false # nothing says that it has one
environment:
  BOT_TOKEN: \${token} # .env.example:1
---
Dockerfile has no CMD: say what the bot runs by "command:"
`,
  ],
  [
    'two that say what runs first',
    { Dockerfile: 'FROM x\nENTRYPOINT ["./x"]\n', 'compose.yml': 'services: { bot: { build: ., entrypoint: ./y z } }' },
    `mode: polling # nothing says that it has a webhook
database: false # nothing says that it has one
---
no variable for the token was found: have it read one, and set that to \${token}, or the file that BOT_TOKEN_FILE names
compose.yml:1: runs ./y z instead of the ENTRYPOINT of Dockerfile:2: "command:" follows an ENTRYPOINT here, so take it out of the Dockerfile, and set "command:"
`,
  ],
  [
    'migrations behind an ENTRYPOINT',
    {
      '.env.example': 'DB_HOST=\nBOT_TOKEN=\n',
      Dockerfile: 'FROM x\nENTRYPOINT ["python", "a.py"]\n',
      'alembic.ini': 'script_location = %(here)s/steps\n',
      'steps/a.py': '',
      'requirements.txt': 'alembic\nasyncpg\n',
    },
    `mode: polling # nothing says that it has a webhook
database: { tcp: true, connections: 10 } # requirements.txt:2; reached as a host with a port; the pool of asyncpg opens ten at once: requirements.txt:2
#migrate: [alembic, upgrade, head] # alembic.ini
migrations: steps # alembic.ini
environment:
  DB_HOST: \${database.host} # .env.example:1
  BOT_TOKEN: \${token} # .env.example:2
---
Dockerfile:2: "migrate:" would be an argument of this ENTRYPOINT: make it a CMD, then take the # from "migrate:"
`,
  ],
  [
    'migrations in images of their own',
    {
      '.env.example': 'DB_HOST=\nBOT_TOKEN=\n',
      'compose.yml':
        'services: { bot: { build: . }, migrate: { image: other/x, command: y }, m2-migrate: { build: { context: ., dockerfile: D2 }, command: a } }',
      Dockerfile: node,
      D2: node,
    },
    `mode: polling # nothing says that it has a webhook
database: { tcp: true } # .env.example:1; reached as a host with a port
environment:
  DB_HOST: \${database.host} # .env.example:1
  BOT_TOKEN: \${token} # .env.example:2
---
compose.yml:1: the service "migrate" (other/x) is not known here: name such a server elsewhere by variables
compose.yml:1: "m2-migrate" has an image or a start of its own, and "migrate:" runs in the image of the bot: have that image bring what is needed, and set "migrate:"
`,
  ],
  [
    'a database that no variable names',
    {
      'requirements.txt': 'asyncpg\n',
      'compose.yml': 'services: { bot: { build: . }, db: { image: postgres } }',
      Dockerfile: node,
    },
    `mode: polling # nothing says that it has a webhook
database: false # postgres: compose.yml:1
---
compose.yml:1: it asks for PostgreSQL, and no variable says where that is: set one as docs/bots.md shows, and take away "database: false"
no variable for the token was found: have it read one, and set that to \${token}, or the file that BOT_TOKEN_FILE names
`,
  ],
  [
    'MySQL by its driver',
    { '.env.example': 'DB_HOST=x\nBOT_TOKEN=\n', 'requirements.txt': 'aiomysql\n' },
    `mode: polling # nothing says that it has a webhook
database: false # mysql: requirements.txt:1
environment:
  DB_HOST: \${secret.DB_HOST} # .env.example:1; a server elsewhere
  BOT_TOKEN: \${token} # .env.example:2
---
requirements.txt:1: the bot keeps its data in MySQL: botgarden has PostgreSQL. Move the bot to it, or name a MySQL server elsewhere by variables
`,
  ],
  [
    'a webhook that is set by the bot, and no word of where it is',
    { 'a.py': 'await bot.set_webhook(url)\n', '.env.example': 'BOT_TOKEN=\nWEBHOOK_PATH=\n' },
    `mode: webhook # .env.example:2
webhook: bot # it calls setWebhook itself: a.py:1
database: false # nothing says that it has one
environment:
  BOT_TOKEN: \${token} # .env.example:1
  WEBHOOK_PATH: /webhook # .env.example:2
---
a.py:1: it calls setWebhook itself, and no variable says where it is reached: have it take the URL from one, and set that to \${webhook.url}
the path where it takes updates is not said: "webhookPath:" is /webhook unless you set it
where it listens is not said: "port:" is 3000 unless you set it
`,
  ],
  [
    'what root has, and further Dockerfiles',
    {
      'docker/bot.Dockerfile': 'FROM x AS a\nRUN poetry install\nCMD ["x"]\n',
      ...{ 'worker/Dockerfile': 'FROM x\n', 'admin/Dockerfile': 'FROM x\n' },
      'compose.yml': 'services: { bot: { build: { context: app, dockerfile: ../docker/bot.Dockerfile } } }',
    },
    `mode: polling # nothing says that it has a webhook
database: false # nothing says that it has one
dockerfile: docker/bot.Dockerfile # docker/bot.Dockerfile is there
---
compose.yml:1: the Dockerfile docker/bot.Dockerfile is outside of its context app: move it there, and name it by "dockerfile:"
further Dockerfiles, of which nothing is taken: admin/Dockerfile, worker/Dockerfile
no variable for the token was found: have it read one, and set that to \${token}, or the file that BOT_TOKEN_FILE names
docker/bot.Dockerfile: names a folder in the home of root, which the user of a bot cannot read: add ENV POETRY_VIRTUALENVS_IN_PROJECT=true
`,
  ],
]
for (const [what, files, expected] of cases)
  test(`all of ${what}`, () => {
    const { text, notes } = adopted(files)
    // Without the line that explains the file.
    assert.is(`${text.split('\n').slice(1).join('\n')}---\n${notes}\n`, expected)
  })

test.run()
