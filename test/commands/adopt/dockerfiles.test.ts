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

test.run()
