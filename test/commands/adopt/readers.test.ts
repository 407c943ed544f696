import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { interpolated } from '../../../commands/adopt/decide/interpolate.ts'
import { looksSecret } from '../../../commands/adopt/decide/names.ts'
import { commandOf, wordsOf } from '../../../commands/adopt/read/command-line.ts'
import { composeServices } from '../../../commands/adopt/read/compose.ts'
import { dockerImage, inFolder } from '../../../commands/adopt/read/dockerfile.ts'
import { envExample } from '../../../commands/adopt/read/env-example.ts'
import { goMod } from '../../../commands/adopt/read/go-mod.ts'
import { nodeProject } from '../../../commands/adopt/read/package-json.ts'
import { appJson, procfile } from '../../../commands/adopt/read/procfile.ts'
import { pyproject, requirements } from '../../../commands/adopt/read/python-project.ts'
import { isEnvExample, isRealEnv } from '../../../commands/adopt/read/repository.ts'
import { runLines } from '../../../commands/adopt/read/run-lines.ts'
import { codeFacts } from '../../../commands/adopt/read/source-code.ts'

test('an example of variables has names, values without quotes and comments, and lines', () => {
  const text = `# the bot\nBOT_TOKEN=\nexport NAME = "a # b" # c\nPATH_='x'\nPLAIN=x y # z\n#OFF=1\nnot a line\nURL=http://a/#b\n`
  assert.equal(envExample(text, '.env.example'), [
    { name: 'BOT_TOKEN', value: '', from: '.env.example:2' },
    { name: 'NAME', value: 'a # b', from: '.env.example:3' },
    { name: 'PATH_', value: 'x', from: '.env.example:4' },
    { name: 'PLAIN', value: 'x y', from: '.env.example:5' },
    { name: 'URL', value: 'http://a/#b', from: '.env.example:8' },
  ])
})

for (const [path, isExample, isReal] of [
  ['.env', false, true],
  ['.env.production', false, true],
  ['deploy/prod.env', false, true],
  ['.env.example', true, false],
  ['.env.dist', true, false],
  ['.env.prod.sample', true, false],
  ['example.env', true, false],
  ['env.template', true, false],
  ['migrations/env.py', false, false],
  ['env-example.md', false, false],
  ['environment.yml', false, false],
  ['a.env.b', false, false],
  ['prod.envx', false, false],
  ['.envrc', false, false],
  ['my env.env', false, false],
] as const)
  test(`${path} is ${isExample ? 'an example' : isReal ? 'secret' : 'neither'}`, () => {
    assert.equal([isEnvExample(path), isRealEnv(path)], [isExample, isReal])
  })

test('of a Dockerfile the last stage counts, with what it inherits', () => {
  const image = dockerImage(
    `# syntax\nFROM python:3.13-slim AS base\nWORKDIR /srv\nEXPOSE 9\nFROM base AS build\nCMD ["no"]\nFROM base\nWORKDIR app\nEXPOSE 8080/tcp $PORT\nVOLUME ["/srv/app/data"]\nHEALTHCHECK --interval=5s \\\n  # in between\n  CMD curl -f http://localhost:8080/ok\nENTRYPOINT []\nCMD python -m bot\n`,
    'Dockerfile',
  )
  assert.equal(
    { ...image, text: '' },
    {
      ...{ file: 'Dockerfile', text: '', stages: ['base', 'build'], workdir: '/srv/app', entrypoint: undefined },
      command: { value: 'python -m bot', from: 'Dockerfile:15' },
      ports: [
        { value: 9, from: 'Dockerfile:4' },
        { value: 8080, from: 'Dockerfile:9' },
      ],
      volumes: [{ value: '/srv/app/data', from: 'Dockerfile:10' }],
      healthcheck: { value: '--interval=5s    CMD curl -f http://localhost:8080/ok', from: 'Dockerfile:11' },
      copies: [],
    },
  )
  assert.equal(dockerImage('FROM a AS x\nCMD ["x"]\nFROM b AS y\nCMD ["y"]\n', 'D', 'x').command?.value, ['x'])
})

test('stages that are made from each other have an end', () => {
  assert.is(dockerImage('FROM a AS a\nWORKDIR /x\n', 'D').workdir, '/x')
})

for (const [folder, path, found] of [
  ['/app', 'data', '/app/data'],
  ['/app', '/data/', '/data'],
  ['/app', '../../..', '/'],
  ['/', './a//b', '/a/b'],
] as const)
  test(`${path} from ${folder} is ${found}`, () => assert.is(inFolder(folder, path), found))

for (const [line, words] of [
  ['python -m bot', ['python', '-m', 'bot']],
  [`node "a b.js" 'c d'`, ['node', 'a b.js', 'c d']],
  ['uvicorn app:main --port=8000', ['uvicorn', 'app:main', '--port=8000']],
  ['NODE_ENV=production node a.js', ['env', 'NODE_ENV=production', 'node', 'a.js']],
  ['a && b', undefined],
  ['a $B', undefined],
  ['', undefined],
] as const)
  test(`the words of "${line}"`, () => {
    assert.equal(wordsOf(line), words)
    if (line !== '') assert.equal(commandOf(line), words ?? ['sh', '-c', line])
  })

test('services of a compose file have their lines', () => {
  const [bot, db] = composeServices(
    `x-all: &all\n  mem_limit: 200m\nservices:\n  bot:\n    <<: *all\n    build:\n      context: .\n      args:\n        - A=1\n    environment:\n      - BOT_TOKEN\n      - MODE=x=y\n    volumes:\n      - data:/app/data\n      - \${DIR:-./conf}:/app/conf:ro\n      - type: bind\n        source: ./x\n        target: /x\n    ports: ["127.0.0.1:80:8080", "\${P:-81}:\${Q:-82}"]\n    healthcheck: { test: [CMD, curl, "http://localhost/ok"] }\n    deploy: { resources: { limits: { cpus: "0.5" } } }\n    privileged: true\n  db:\n    image: postgres\n    environment: { POSTGRES_DB: shop }\n`,
    'c.yml',
    (text) => interpolated(text, new Map()),
  )
  assert.equal(bot?.environment, [
    { name: 'BOT_TOKEN', value: undefined, from: 'c.yml:11' },
    { name: 'MODE', value: 'x=y', from: 'c.yml:12' },
  ])
  assert.equal(bot?.volumes, [
    { value: { source: 'data', target: '/app/data', readOnly: false }, from: 'c.yml:14' },
    { value: { source: '${DIR:-./conf}', target: '/app/conf', readOnly: true }, from: 'c.yml:15' },
    { value: { source: './x', target: '/x', readOnly: false }, from: 'c.yml:16' },
  ])
  assert.equal(
    bot?.ports.map(({ value }) => value.port),
    [8080, 82],
  )
  assert.equal([bot?.memory?.value, bot?.cpus?.value], ['200m', 0.5])
  assert.equal(bot?.powers, [{ value: 'privileged: true', from: 'c.yml:22' }])
  assert.equal(bot?.build?.value, { context: '.', dockerfile: undefined, target: undefined, args: [['A', '1']] })
  assert.equal(db?.environment, [{ name: 'POSTGRES_DB', value: 'shop', from: 'c.yml:25' }])
})

for (const [name, text] of [
  ['nothing', ''],
  ['a list', '- a\n'],
  ['services that are a list', 'services: [a]\n'],
  ['a service that is nothing', 'services: { bot: }\n'],
  [
    'keys of another shape',
    'services: { bot: { build: [x], environment: 3, volumes: { a: { b: c } }, ports: [[]], deploy: x } }\n',
  ],
  ['names of Object.prototype', 'services: { constructor: { image: x }, __proto__: { image: y } }\n'],
] as const)
  test(`a compose file may be ${name}`, () => assert.not.throws(() => composeServices(text, 'c.yml')))

for (const [text, filled] of [
  ['$A ${A} $$A', 'x x $A'],
  ['${A:-y} ${B:-y} ${B-} ${E:-y} ${E-y}', 'x y  y '],
  ['${B:-${A:-z}}', 'x'],
  ['${B:?say B} ${', ' ${'],
] as const)
  test(`the variables of "${text}"`, () =>
    assert.is(interpolated(text, new Map(Object.entries({ A: 'x', E: '' }))), filled))

for (const [value, expected] of [
  ['sk-proj-Ab3dEf6hIj9kLm2nOp5q', true],
  ['postgres://u:p@h/n', true],
  ['3f2504e0-4f89-41d3-9a0c-0305e82c3301', true],
  ['https://hooks.example.org/T0/a1b2c3d4e5f6a7b8c9d0e1', true],
  ['gpt-4o-mini-2024-07-18', false],
  ['America/Argentina/Buenos_Aires', false],
  ['https://example.org:8080/a/long/path?x=1', false],
  ['-1001234567890123456789', false],
  ['INFO', false],
] as const)
  test(`"${value}" ${expected ? 'may be a secret' : 'is a setting'}`, () => assert.is(looksSecret(value), expected))

test('a Procfile and an app.json', () => {
  assert.equal(
    [...procfile('web: node a.js\n\nworker:  celery\n# x\n', 'Procfile')],
    [
      ['web', { value: 'node a.js', from: 'Procfile:1' }],
      ['worker', { value: 'celery', from: 'Procfile:3' }],
    ],
  )
  assert.equal(appJson('{ "env": {\n  "BOT_TOKEN": { "description": "x" },\n  "LANG": "en" } }', 'app.json'), [
    { name: 'BOT_TOKEN', value: undefined, from: 'app.json:2' },
    { name: 'LANG', value: 'en', from: 'app.json:3' },
  ])
  assert.equal(appJson('no json', 'app.json'), [])
})

test('a package.json', () => {
  const text = JSON.stringify(
    {
      scripts: { start: 'node .' },
      dependencies: { grammy: '1' },
      devDependencies: { tsx: '4' },
      engines: { node: '22' },
    },
    null,
    2,
  )
  const project = nodeProject(text, 'package.json')
  assert.equal(project?.scripts.get('start'), { value: 'node .', from: 'package.json:3' })
  assert.equal(
    [...(project?.dependencies ?? [])],
    [
      ['grammy', 'package.json:6'],
      ['tsx', 'package.json:9'],
    ],
  )
  assert.equal([...(project?.developmentOnly ?? []), project?.node], ['tsx', '22'])
  assert.is(nodeProject('[]', 'package.json'), undefined)
})

test('Python: requirements, PEP 621, Poetry, groups of uv', () => {
  assert.equal(
    [...requirements('# x\naiogram==3.1\nSQLAlchemy[asyncio]>=2\n-r other.txt\nruamel_yaml\n', 'r.txt').dependencies],
    [
      ['aiogram', 'r.txt:2'],
      ['sqlalchemy', 'r.txt:3'],
      ['ruamel-yaml', 'r.txt:5'],
    ],
  )
  const pep = pyproject(
    '[project]\nrequires-python = ">=3.11"\ndependencies = [\n  "aiogram>=3",\n  "asyncpg",\n]\n[project.scripts]\nbot = "app:main"\n[dependency-groups]\ndev = ["pytest"]\n',
    'p.toml',
  )
  assert.equal([...pep.dependencies.keys()], ['aiogram', 'asyncpg', 'pytest'])
  assert.equal(
    [pep.python, pep.scripts.get('bot'), pep.groups],
    [{ value: '>=3.11', from: 'p.toml:2' }, { value: 'app:main', from: 'p.toml:8' }, ['dev']],
  )
  const poetry = pyproject(
    '[tool.poetry.dependencies]\npython = "^3.10"\nredis = {extras = ["hiredis"], version = "^5"}\n[tool.ruff]\nselect = [\n  "E",\n]\n',
    'p.toml',
  )
  assert.equal([...poetry.dependencies.keys(), poetry.python?.value], ['redis', '^3.10'])
})

test('a go.mod', () => {
  const go = goMod(
    'module x\n\ngo 1.23.1\n\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.7.0\n)\nrequire github.com/a/b v1.0.0 // indirect\n',
    'go.mod',
  )
  assert.equal(
    [go.version, [...go.dependencies.keys()]],
    [{ value: '1.23', from: 'go.mod:3' }, ['github.com/jackc/pgx/v5', 'github.com/a/b']],
  )
})

test('lines that start a program in a Makefile', () => {
  assert.equal(runLines('run:\n\tpoetry run python -m bot\ntest:\n\tpython -m pytest tests\n', 'Makefile'), [
    { value: 'python -m bot', from: 'Makefile:2' },
  ])
})

test('code tells its variables, and which of them it needs', () => {
  const code = (line: string) => codeFacts(line, 'a').variables.map(({ name, required }) => [name, required ?? false])
  assert.equal(code(`const t = process.env.BOT_TOKEN ?? 'x'`), [['BOT_TOKEN', false]])
  assert.equal(code(`os.environ["A"]`), [['A', true]])
  assert.equal(code(`os.environ.get('A', 'x'), os.getenv("B")`), [
    ['A', false],
    ['B', false],
  ])
  assert.equal(code(`env.str("A"), env.int("B", 3)`), [
    ['A', true],
    ['B', false],
  ])
  assert.equal(code(`os.Getenv("A")`), [['A', false]])
  assert.equal(code(`const a = env['A_A'], b = env.BB, c = process.env['CC']`), [
    ['A_A', false],
    ['CC', false],
    ['BB', false],
  ])
  assert.equal(code(`# os.environ["A"]`), [])
  const settings = `class S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix="BOT_")\n    token: SecretStr\n    level: str = 'info'\n\nclass Other(Base):\n    x: str\n`
  assert.equal(code(settings), [
    ['BOT_TOKEN', true],
    ['BOT_LEVEL', false],
  ])
})

test('code tells how updates reach it, and what it opens', () => {
  const of = (line: string) => codeFacts(line, 'a')
  for (const line of [
    'await dp.start_polling(bot)',
    'bot.launch()',
    'await bot.start({',
    'run(bot)',
    'updater.StartPolling(bot)',
  ])
    assert.equal(of(line).polls, ['a:1'], line)
  for (const line of ['await bot.set_webhook(url)', 'await bot.api.setWebhook(url)', 'app.run_webhook('])
    assert.equal(of(line).setsWebhook, ['a:1'], line)
  for (const line of ['def set_webhook(x):', 'bot.start(startCommand())'])
    assert.equal([of(line).polls, of(line).setsWebhook], [[], []], line)
  assert.equal(of(`sqlite3.connect('data/a.db')`).sqliteFiles, [{ value: 'data/a.db', from: 'a:1' }])
  assert.equal(of(`Redis(host='localhost')`).localServers, ['a:1'])
  assert.equal(of(`os.getenv("REDIS_URL", "redis://localhost")`).localServers, [])
})

test.run()
