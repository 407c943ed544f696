import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dockerfileFor } from '../../../commands/adopt/write/dockerfile.ts'
import { adopted, type Files } from './support.ts'

const of = (files: Files) => {
  const { bot } = adopted(files)
  return dockerfileFor(bot.project, bot.start)
}
const lines = (files: Files) =>
  of(files)
    ?.text.split('\n')
    .filter((line) => /^(FROM|RUN|CMD|COPY p)/.test(line))
const json = (more: object) => JSON.stringify({ dependencies: { grammy: '1' }, ...more })

for (const [what, files, expected] of [
  [
    'Node with npm',
    { 'package.json': json({ scripts: { start: 'node src/a.js' } }), 'package-lock.json': '{}', 'src/a.js': '' },
    [
      'FROM node:26.10-slim AS packages',
      'COPY package.json package-lock.json ./',
      'RUN npm ci --omit=dev --no-audit --no-fund',
      'FROM node:26.10-slim',
      'CMD ["node", "src/a.js"]',
    ],
  ],
  [
    'Node that is built, of an older version, with pnpm',
    {
      'package.json': json({
        scripts: { start: 'node dist/a.js', build: 'tsc' },
        engines: { node: '22.x' },
        packageManager: 'pnpm@9.1.0',
      }),
      'pnpm-lock.yaml': '',
    },
    [
      'FROM node:22-slim AS packages',
      'RUN npm install --global pnpm@9.1.0',
      'COPY package.json pnpm-lock.yaml ./',
      'RUN pnpm install --frozen-lockfile',
      'RUN pnpm run build',
      'FROM node:22-slim',
      'CMD ["node", "dist/a.js"]',
    ],
  ],
  [
    'Node with yarn, and TypeScript that is compiled by nobody’s script',
    { 'package.json': json({ main: 'dist/a.js' }), 'yarn.lock': '', 'tsconfig.json': '{}' },
    [
      'FROM node:26.10-slim AS packages',
      'RUN npm install --global --force yarn@1.22.22',
      'COPY package.json yarn.lock ./',
      'RUN yarn install --frozen-lockfile',
      'RUN npx tsc',
      'FROM node:26.10-slim',
      'CMD ["node", "dist/a.js"]',
    ],
  ],
  [
    'Node that runs TypeScript by a tool of developers',
    {
      'package.json': json({
        scripts: { start: 'tsc && tsx src/a.ts' },
        devDependencies: { tsx: '4' },
        engines: { node: '>=20' },
      }),
      'package-lock.json': '{}',
    },
    [
      'FROM node:26.10-slim AS packages',
      'COPY package.json package-lock.json ./',
      'RUN npm ci --no-audit --no-fund',
      'FROM node:26.10-slim',
      'CMD ["tsx", "src/a.ts"]',
    ],
  ],
  [
    'Python with pip',
    { 'requirements.txt': 'aiogram\n', 'main.py': '' },
    [
      'FROM python:3.11-slim AS packages',
      'RUN python -m venv /venv',
      'RUN pip install -r requirements.txt',
      'FROM python:3.11-slim',
      'CMD ["python", "main.py"]',
    ],
  ],
  [
    'Python with Poetry, a package that is started by its name',
    {
      'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.12"\naiogram = "3"\n',
      'poetry.lock': '',
      'shop/__main__.py': 'start_polling(x)\n',
    },
    [
      'FROM python:3.12-slim AS packages',
      'RUN python -m venv /venv',
      'RUN python -m venv /poetry && /poetry/bin/pip install poetry',
      'COPY pyproject.toml poetry.lock ./',
      'RUN /poetry/bin/poetry install --no-interaction --no-root --only main',
      'FROM python:3.12-slim',
      'CMD ["python", "-m", "shop"]',
    ],
  ],
  [
    'Python with uv and a Makefile',
    {
      'pyproject.toml': '[project]\nrequires-python = ">=3.13"\ndependencies = [\n"aiogram"]\n',
      'uv.lock': '',
      Makefile: 'run:\n\tuv run python -m app.bot\n',
    },
    [
      'FROM python:3.13-slim AS packages',
      'RUN python -m venv /venv',
      'RUN pip install uv',
      'COPY pyproject.toml uv.lock ./',
      'RUN uv sync --active --frozen --no-dev --no-install-project',
      'FROM python:3.13-slim',
      'CMD ["python", "-m", "app.bot"]',
    ],
  ],
  [
    'Python with Pipenv and a Procfile',
    {
      Pipfile: '[packages]\naiogram = "*"\n[requires]\npython_version = "3.9"\n',
      'Pipfile.lock': '',
      Procfile: 'worker: python bot.py --fast\n',
    },
    [
      'FROM python:3.10-slim AS packages',
      'RUN python -m venv /venv',
      'RUN pip install pipenv',
      'RUN pipenv requirements > requirements.txt && pip install -r requirements.txt',
      'FROM python:3.10-slim',
      'CMD ["python", "bot.py", "--fast"]',
    ],
  ],
  [
    'Go with a program below cmd/',
    { 'go.mod': 'module x\n\ngo 1.21\n', 'cmd/bot/main.go': '', 'cmd/tool/main.go': '' },
    [
      'FROM golang:1.25-trixie AS build',
      'RUN go mod download',
      `RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /bot ./cmd/bot`,
      'FROM debian:13-slim',
      'CMD ["bot"]',
    ],
  ],
  [
    'Go with a newer version, and C',
    { 'go.mod': 'module x\n\ngo 1.27.0\n\nrequire github.com/mattn/go-sqlite3 v1.0.0\n', 'main.go': '' },
    [
      'FROM golang:1.27-trixie AS build',
      'RUN go mod download',
      `RUN CGO_ENABLED=1 go build -trimpath -ldflags '-s -w' -o /bot .`,
      'FROM debian:13-slim',
      'CMD ["bot"]',
    ],
  ],
  [
    'two languages, of which one speaks to Telegram',
    { 'package.json': '{"dependencies":{"react":"19"}}', 'requirements.txt': 'aiogram\n', 'bot.py': '' },
    [
      'FROM python:3.11-slim AS packages',
      'RUN python -m venv /venv',
      'RUN pip install -r requirements.txt',
      'FROM python:3.11-slim',
      'CMD ["python", "bot.py"]',
    ],
  ],
] as const)
  test(`a Dockerfile for ${what}`, () => assert.equal(lines(files), expected))

for (const [line, command] of [
  ['A=1 python bot.py', '["env", "A=1", "python", "bot.py"]'],
  ['python bot.py --port $PORT', '["sh", "-c", "exec python bot.py --port $PORT"]'],
  ['python a.py && python b.py', '["sh", "-c", "python a.py && python b.py"]'],
] as const)
  test(`the command of "${line}"`, () => {
    const recipe = of({ Procfile: `bot: ${line}\n`, 'requirements.txt': 'aiogram\n' })
    assert.ok(recipe?.text.endsWith(`CMD ${command}\n`), recipe?.text)
  })

test('it runs as nobody in particular, and what is not known is said', () => {
  for (const files of [{ 'package.json': json({}) }, { 'requirements.txt': 'aiogram\n' }]) {
    const recipe = of(files)
    assert.match(recipe?.text ?? '', /^USER (node|nobody)$/m)
    assert.match(recipe?.notes.join('\n') ?? '', 'nothing says how the bot is started')
  }
})

test('another language has none', () => assert.is(of({ 'Cargo.toml': '', 'src/main.rs': '' }), undefined))

const whole = (files: Files) => {
  const recipe = of(files)
  return `${recipe?.text}---\n${recipe?.notes.join('\n')}\n`
}
const usual = { 'requirements.txt': 'aiogram\n', 'main.py': '' }

test('the whole of a Dockerfile for Node that is built', () =>
  assert.is(
    whole({
      'package.json': json({ scripts: { start: 'node dist/a.js', compile: 'x', builds: 'y' }, workspaces: ['a'] }),
      ...{ 'prisma/a': '', 'npm-shrinkwrap.json': '', '.npmrc': '' },
    }),
    `FROM node:26.10-slim AS packages
WORKDIR /app
COPY package.json npm-shrinkwrap.json .npmrc ./
COPY prisma ./prisma
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run compile

FROM node:26.10-slim
WORKDIR /app
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
COPY --from=packages /app ./
USER node
CMD ["node", "dist/a.js"]
---
package.json has workspaces: the Dockerfile installs from the root alone; copy the package.json of each part before "RUN" if it needs them
`,
  ))

test('the whole of a Dockerfile for Node as it is', () =>
  assert.is(
    whole({ 'package.json': json({ scripts: { start: 'NODE_ENV=production node ./a.js' } }), 'a.js': '' }),
    `FROM node:26.10-slim AS packages
WORKDIR /app
COPY package.json ./
RUN npm install --omit=dev --no-audit --no-fund

FROM node:26.10-slim
WORKDIR /app
ENV NODE_ENV=production PATH=/app/node_modules/.bin:$PATH
COPY --from=packages /app/node_modules ./node_modules
COPY . .
USER node
CMD ["node", "./a.js"]
---
package.json has no lockfile beside it: each build may install other versions. Run "npm install" there and keep package-lock.json
`,
  ))

test('the whole of a Dockerfile for Python', () =>
  assert.is(
    whole({ ...usual, 'locales/de.po': '' }),
    `FROM python:3.11-slim AS packages
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv PIP_NO_CACHE_DIR=1
COPY requirements.txt ./
RUN pip install -r requirements.txt

FROM python:3.11-slim
WORKDIR /app
ENV PATH=/venv/bin:$PATH VIRTUAL_ENV=/venv PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=packages /venv /venv
COPY . .
USER nobody
CMD ["python", "main.py"]
---
its translations (.po) must be compiled: add "RUN pybabel compile -d FOLDER" to the Dockerfile
`,
  ))

test('the whole of a Dockerfile for Go', () =>
  assert.is(
    whole({ 'go.mod': 'module x\n' }),
    `FROM golang:1.25-trixie AS build
WORKDIR /src
COPY go.mod go.sum* ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /bot .

FROM debian:13-slim
WORKDIR /app
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY . .
COPY --from=build /bot /usr/local/bin/bot
USER nobody
CMD ["bot"]
---
no main.go was found: name the package to build in the Dockerfile
`,
  ))

for (const [engines, version] of [
  ['22', '22'],
  ['^22.1', '22'],
  ['v22', '22'],
  ['==20', '20'],
  [' ~ 20.x', '20'],
  ['26', '26.10'],
  ['>=20', '26.10'],
  ['220', '26.10'],
  ['x22', '26.10'],
  ['2', '26.10'],
] as const)
  test(`Node ${engines}`, () =>
    assert.is(
      lines({ 'package.json': json({ engines: { node: engines } }) })?.[0],
      `FROM node:${version}-slim AS packages`,
    ))

for (const [python, version] of [
  ['>=3.12,<4', '3.12'],
  ['~=3.13', '3.13'],
  ['3.9', '3.10'],
  ['>=3.8', '3.10'],
  ['<4', '3.11'],
  ['x3.12', '3.11'],
] as const)
  test(`Python ${python}`, () =>
    assert.is(
      lines({ ...usual, 'pyproject.toml': `[project]\nrequires-python = "${python}"\n` })?.[0],
      `FROM python:${version}-slim AS packages`,
    ))

/** The lines that install and build. */
const steps = (files: Files) =>
  lines(files)
    ?.filter((line) => /^(RUN|COPY)/.test(line))
    .slice(files['package.json'] ? 0 : 1)
const poetry = 'RUN python -m venv /poetry && /poetry/bin/pip install poetry'
for (const [what, files, expected] of [
  [
    'uv with groups',
    { ...usual, 'uv.lock': '', 'pyproject.toml': '[dependency-groups]\nbot = []\ndev = []\nprod = []\nrobot = []\n' },
    [
      'RUN pip install uv',
      'COPY pyproject.toml uv.lock ./',
      'RUN uv sync --active --frozen --no-dev --no-install-project --group bot --group prod',
    ],
  ],
  [
    'a list of requirements in a folder',
    { 'requirements/base.txt': '', 'requirements/prod.txt': '', 'main.py': 'bot.launch(' },
    ['RUN pip install -r requirements/prod.txt'],
  ],
  [
    'Poetry without its lock',
    { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.11"\n', 'main.py': '' },
    [poetry, 'COPY pyproject.toml ./', 'RUN /poetry/bin/poetry install --no-interaction --no-root --only main'],
  ],
  [
    'a pyproject.toml without its lock',
    { 'pyproject.toml': '[project]\nrequires-python = ">=3.11"\n', 'main.py': '' },
    ['RUN pip install uv', 'COPY pyproject.toml ./', 'RUN uv sync --active --no-dev --no-install-project'],
  ],
  ['no list at all', { 'main.py': '' }, []],
  [
    'a new yarn',
    { 'package.json': json({ packageManager: 'yarn@4.1.0' }), 'yarn.lock': '' },
    [
      'RUN npm install --global corepack && corepack enable',
      'COPY package.json yarn.lock ./',
      'RUN yarn install --immutable',
    ],
  ],
  [
    'a new yarn by its settings, and a build',
    {
      'package.json': json({ main: 'dist/a.js', scripts: { 'build:prod': 'x', build: 'y' } }),
      'yarn.lock': '',
      '.yarnrc.yml': '',
    },
    [
      'RUN npm install --global corepack && corepack enable',
      'COPY package.json yarn.lock .yarnrc.yml ./',
      'RUN yarn install --immutable',
      'RUN yarn run build',
    ],
  ],
  [
    'an old yarn that is named',
    { 'package.json': json({ packageManager: 'yarn@1.22.0', main: 'a.js' }), 'a.js': '', 'yarn.lock': '' },
    [
      'RUN npm install --global --force yarn@1.22.22',
      'COPY package.json yarn.lock ./',
      'RUN yarn install --frozen-lockfile --production',
    ],
  ],
  [
    'pnpm in a workspace',
    { 'package.json': json({ main: 'a.js' }), 'a.js': '', 'pnpm-lock.yaml': '', 'pnpm-workspace.yaml': '' },
    [
      'RUN npm install --global pnpm@10',
      'COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./',
      'RUN pnpm install --frozen-lockfile --prod',
    ],
  ],
  [
    'any script that builds',
    { 'package.json': json({ main: 'out/a.js', scripts: { prebuild: 'x', 'build:all': 'y' } }) },
    ['COPY package.json ./', 'RUN npm install --no-audit --no-fund', 'RUN npm run build:all'],
  ],
  [
    'a program that no script makes',
    { 'package.json': json({ main: 'out/a.js' }) },
    ['COPY package.json ./', 'RUN npm install --omit=dev --no-audit --no-fund'],
  ],
  [
    'TypeScript that is run by a package of its own',
    {
      'package.json': json({ dependencies: { tsx: '4', grammy: '1' }, scripts: { start: 'A=1 tsx a.ts', build: 'x' } }),
    },
    ['COPY package.json ./', 'RUN npm install --omit=dev --no-audit --no-fund'],
  ],
  [
    'TypeScript that is run by one of developers, with a variable',
    {
      'package.json': json({
        devDependencies: { 'ts-node': '4' },
        scripts: { start: 'A=1 B=2 ts-node a.ts', build: 'x' },
      }),
    },
    ['COPY package.json ./', 'RUN npm install --no-audit --no-fund'],
  ],
] as const)
  test(`a Dockerfile installs by ${what}`, () => assert.equal(steps(files as Files), expected))

test('of several programs of Go the bot is built, or that at the top', () => {
  const built = (...mains: string[]) =>
    /-o \/bot (.*)/.exec(
      of({ 'go.mod': 'module x\n', ...Object.fromEntries(mains.map((main) => [main, ''])) })?.text ?? '',
    )?.[1]
  assert.equal(
    [built('cmd/a/main.go', 'main.go'), built('main.go', 'cmd/bot/main.go'), built('cmd/main.go'), built('x/main.go')],
    ['.', './cmd/bot', './cmd', '.'],
  )
})

test.run()
