// The files of a project, each with lines that look nearly like what is read, and are not.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { connectionsIn, initScript } from '../../../commands/adopt/decide/server-keys.ts'
import { dockerImage } from '../../../commands/adopt/read/dockerfile.ts'
import { envExample } from '../../../commands/adopt/read/env-example.ts'
import { goMod } from '../../../commands/adopt/read/go-mod.ts'
import { nodeProject } from '../../../commands/adopt/read/package-json.ts'
import { procfile } from '../../../commands/adopt/read/procfile.ts'
import { joined, noPython, pyproject, requirements } from '../../../commands/adopt/read/python-project.ts'
import { openRepository } from '../../../commands/adopt/read/repository.ts'
import { runLines } from '../../../commands/adopt/read/run-lines.ts'
import { codeFacts } from '../../../commands/adopt/read/source-code.ts'
import { projectIn } from '../../../commands/adopt/read/survey.ts'
import { adopted, type Files, repository } from './support.ts'

const image = (text: string, target?: string) => dockerImage(text, 'D', target)

test('a Dockerfile: instructions in any case, with options, continued and commented', () => {
  const found = image(
    ' from --platform=x a as one\n# CMD ["no"]\nRUN a \\\n\n  # x\n b\nworkdir "/a b"\nworkdir c\nEXPOSE 1/udp 2/tcp x3 4x $5 6\nVOLUME a /b  /c\nVOLUME ["/d", "e"]\nVOLUME [oops\nexpose\nCMD ["x", 1]\n',
  )
  assert.equal(
    [found.stages, found.workdir, found.ports.map(({ value }) => value), found.volumes.map(({ value }) => value)],
    [['one'], '/a b/c', [2, 6], ['/b', '/c', '/d']],
  )
  assert.equal(found.command, { value: ['x', '1'], from: 'D:14' })
  assert.equal(
    [image('FROM a\nCMD ["a"').command, image('FROM a\nCMD []').command, image('FROM a\nCMD {}').command?.value],
    [undefined, undefined, '{}'],
  )
  assert.equal(
    [image('FROM a\nHEALTHCHECK none').healthcheck, image('FROM a\nHEALTHCHECK NONESUCH').healthcheck?.value],
    [undefined, 'NONESUCH'],
  )
  assert.is(image('FROM a\nCMD a\nCMD b').command?.value, 'b')
})

test('a stage has what those before it have that it is made from', () => {
  const text = 'FROM x AS a\nWORKDIR /a\nEXPOSE 1\nFROM a AS b\nEXPOSE 2\nFROM y\nEXPOSE 3\n'
  const of = (target?: string) => [image(text, target).workdir, image(text, target).ports.map(({ value }) => value)]
  assert.equal(
    [of('a'), of('b'), of(), of('')],
    [
      ['/a', [1]],
      ['/a', [1, 2]],
      ['/', [3]],
      ['/', [3]],
    ],
  )
  assert.equal(
    image('EXPOSE 9\nFROM a AS b\nFROM b AS a\nEXPOSE 1').ports.map(({ value }) => value),
    [1],
  )
})

test('a .env.example: what is quoted, exported, commented, and no variable', () => {
  const of = (line: string) => envExample(line, 'e').map(({ name, value }) => [name, value])
  assert.equal(of(`A="x \\" y" z`), [['A', 'x \\" y']])
  assert.equal(of(`  export  A = ' x ' # y`), [['A', 'x']])
  assert.equal([of('A=#x'), of('A=x#y #z'), of('A = x'), of('A')], [[['A', '']], [['A', 'x#y']], [['A', 'x']], []])
  assert.equal([of('1A=x'), of('-A=x'), of('my export A=x')], [[], [], []])
})

test('a Procfile and a Makefile have lines of their own form', () => {
  assert.equal([...procfile('a b: x\n c: y\nd-1 :  z \ne:\n', 'P').keys()], ['d-1'])
  assert.is(procfile('d: z ', 'P').get('d')?.value, 'z')
  const of = (line: string) => runLines(line, 'M').map(({ value }) => value)
  assert.equal(
    [
      '\t@python3 -u -m a.b',
      '  - cmd: uv run python a.py',
      '\texec python3 x/y.py',
      'python a.py &',
      'x python a.py',
      'python -c 1',
    ].map(of),
    [['python3 -u -m a.b'], ['python a.py'], ['python3 x/y.py'], [], [], []],
  )
})

test('a go.mod: what it asks for, directly or not', () => {
  const go = goMod(
    'go 1\n\ngo 1.2x\nmygo 1.9\nrequire (\n\tgolang.org/x/y v1\n\tlocal v1\n)\nreplace a.org/b v1 => c\n',
    'g',
  )
  assert.equal([go.version, [...go.dependencies]], [{ value: '1.2', from: 'g:3' }, [['golang.org/x/y', 'g:6']]])
  assert.is(goMod('module x', 'g').version, undefined)
})

test('a package.json in other forms', () => {
  const of = (json: object) => nodeProject(JSON.stringify(json, null, 2), 'p')
  assert.is(of({ volta: { node: '20' } })?.node, '20')
  assert.is(of({ engines: { node: '22' }, volta: { node: '20' } })?.node, '22')
  assert.equal(
    [
      of({ workspaces: ['a'] })?.workspaces,
      of({ workspaces: [] })?.workspaces,
      of({ packageManager: 'pnpm@1', main: 'a' }),
    ],
    [
      true,
      false,
      {
        ...{ file: 'p', scripts: new Map(), dependencies: new Map(), developmentOnly: new Set(), node: undefined },
        ...{ packageManager: 'pnpm@1', main: 'a', workspaces: false },
      },
    ],
  )
  assert.equal([...(of({ optionalDependencies: { a: '1' }, scripts: { a: {} } })?.dependencies ?? [])], [['a', 'p:3']])
  assert.equal(of({ x: { a: '1' }, scripts: { a: {} } })?.scripts.get('a'), { value: '', from: 'p:6' })
  assert.equal(nodeProject('{"scripts":{"a":"b"}}', 'p')?.scripts.get('a'), { value: 'b', from: 'p:1' })
})

test('requirements.txt: a line is a package, an option or nothing', () => {
  const of = (text: string) => [...requirements(text, 'r').dependencies.keys()]
  assert.equal(of('a\n b [x] ; python\nc@ url\nd~=1\n-e .\n--hash\n#e\nf g\nh_I.j\n'), ['a', 'b', 'c', 'd', 'h-i-j'])
})

test('pyproject.toml: sections, lists and groups', () => {
  const of = (text: string) => {
    const { dependencies, python, scripts, groups } = pyproject(text, 'p')
    return { packages: [...dependencies], python, scripts: [...scripts], groups }
  }
  const nothing = { packages: [], python: undefined, scripts: [], groups: [] }
  assert.equal(of('[project]\ndependencies = ["A_b>=1", \'c[x]\'] # y\nkeywords = [\n "z",\n]\n[x]\n"d"\n'), {
    ...nothing,
    packages: [
      ['a-b', 'p:2'],
      ['c', 'p:2'],
    ],
  })
  assert.equal(of('[project]\ndependencies = [ # all\n "a = 1",\n]\n"b"\n'), { ...nothing, packages: [['a', 'p:3']] })
  assert.equal(of('[project]\ndependencies = [\n "a",\n[other]\n "b",\n'), { ...nothing, packages: [['a', 'p:3']] })
  assert.equal(of('[dependency-groups]\nbot = ["a"]\ndev = [\n "b",\n]\n'), {
    ...nothing,
    packages: [
      ['a', 'p:2'],
      ['b', 'p:4'],
    ],
    groups: ['bot', 'dev'],
  })
  assert.equal(of('[[tool.poetry.group."my-x".dependencies]] # x\n'), {
    ...nothing,
    groups: ['my-x'],
  })
  assert.equal(
    of(
      '[tool.poetry.group.bot.dependencies]\npython = "3"\n"a" = "1"\n[tool.poetry.scripts]\nx = "a:b"\ny = 1\n[my.tool.poetry.scripts]\nz = "a"\n[project.scripts.more]\nz = "a"\n',
    ),
    {
      ...{
        packages: [['a', 'p:3']],
        python: { value: '3', from: 'p:2' },
        scripts: [['x', { value: 'a:b', from: 'p:5' }]],
      },
      groups: ['bot'],
    },
  )
  assert.equal(
    of('[packages]\na = "*"\n[requires]\npython_version = "3.9"\nmy-python_version = "1"\npython_versions = "2"\n'),
    {
      ...nothing,
      packages: [['a', 'p:2']],
      python: { value: '3.9', from: 'p:4' },
    },
  )
  assert.equal(of('[my.packages]\na = "*"\n[packages.x]\nb = "*"\n[project.x]\ndependencies = ["c"]\n'), nothing)
  assert.equal(of('[packages]\npython = { version = "3" }\n'), nothing)
})

test('of several lists of packages the first one counts', () => {
  const python = { value: '3', from: 'a' }
  const found = joined([
    { ...noPython, dependencies: new Map([['a', 'one']]), groups: ['x'] },
    { ...noPython, dependencies: new Map([['a', 'two']]), python, groups: ['y'] },
    { ...noPython, scripts: new Map([['s', python]]), python: { value: '4', from: 'b' } },
  ])
  assert.equal(found, {
    dependencies: new Map([['a', 'one']]),
    python,
    scripts: new Map([['s', python]]),
    groups: ['x', 'y'],
  })
})

const code = (text: string) => codeFacts(text, 'a')
test('code: what it opens, where it listens, what it starts by itself', () => {
  const files = (line: string) => code(line).sqliteFiles.map(({ value }) => value)
  assert.equal(
    [
      `aiosqlite.connect(f"{x}/a.db")`,
      `new Database('a.db')`,
      `'sqlite+aiosqlite:///a.db?x'`,
      `sqlite3.connect(":memory:")`,
    ].map(files),
    [['{x}/a.db'], ['a.db'], ['a.db'], []],
  )
  const ports = (line: string) => code(line).ports.map(({ value }) => value)
  assert.equal(
    ['port=80', 'PORT: 8080', 'app.listen(3000)', 'port = 5', 'port=70000', 'redis port=6379', 'sport=80', 'x'].map(
      ports,
    ),
    [[80], [8080], [3000], [], [], [], [], []],
  )
  assert.equal(code('if __name__ == "__main__":\n').programs, ['a'])
  assert.equal(code('  if __name__ == "__main__":\n').programs, [])
  assert.equal(code('alembic.command\nx\nmigrateToLatest()\n').migratesItself, ['a:1', 'a:3'])
  assert.equal(code('app.use(webhookCallback(bot))').takesWebhook, ['a:1'])
  assert.is(code('bot.launch()\n'.repeat(9)).polls.length, 5)
})

test('code: no line of a bundle, and no comment', () => {
  for (const line of ['# bot.launch()', ' // bot.launch()', ' * bot.launch()', `${'x'.repeat(2000)} bot.launch()`])
    assert.equal(code(line).polls, [], line.slice(0, 20))
  assert.equal(code('x # bot.launch()').polls, ['a:1'])
  assert.equal(code(`${'x'.repeat(1980)} bot.launch()`).polls, ['a:1'])
})

test('code: a variable in each way of reading it', () => {
  const of = (line: string) => code(line).variables.map(({ name, value, required = false }) => [name, value, required])
  for (const [line, expected] of [
    [`process.env.A_B || 'x'`, ['A_B', 'x', false]],
    [`process.env.A_B`, ['A_B', undefined, false]],
    [`env.A_B`, ['A_B', undefined, false]],
    [`os.environ['a']`, ['a', undefined, true]],
    [`os.environ.get('a', 'b')`, ['a', 'b', false]],
    [`os.getenv('a', 'b')`, ['a', 'b', false]],
    [`env.list('a')`, ['a', undefined, true]],
    [`env('a')`, ['a', undefined, true]],
    [`env('a' , default=1)`, ['a', undefined, false]],
    [`config('A_B')`, ['A_B', undefined, false]],
    [`os.LookupEnv("a")`, ['a', undefined, false]],
    [`X string \`env:"A_B"\``, ['A_B', undefined, false]],
    [`del os.environ['a']`, ['a', undefined, false]],
    [`x.env.A_B`, undefined],
  ] as const)
    assert.equal(of(line), expected === undefined ? [] : [expected], line)
})

test('code: the fields of settings', () => {
  const of = (text: string) =>
    code(`from pydantic_settings import BaseSettings\n${text}`).variables.map(
      ({ name, value, from, required = false }) => [name, value, from, required],
    )
  assert.equal(
    of(`class A(BaseSettings):
    one: str
    two: int = 5
    three: str | None = None
    four: str = Field(...)
    five: str = Field(default="x")
    six: str = Field("x", alias="OTHER")
    seven: str = "y" # z
    eight: RedisDsn
    nine: Custom
  ten: str
x: str
class B(Base,
):
    eleven: str
class C(MySettings):
    twelve: bool
    class Config:
        env_prefix = "C_"
class D(MySettings):
    thirteen: bool
`),
    [
      ['ONE', undefined, 'a:3', true],
      ['TWO', undefined, 'a:4', false],
      ['THREE', undefined, 'a:5', false],
      ['FOUR', undefined, 'a:6', true],
      ['FIVE', undefined, 'a:7', false],
      ['OTHER', undefined, 'a:8', false],
      ['SEVEN', 'y', 'a:9', false],
      ['EIGHT', undefined, 'a:10', true],
      ['C_TWELVE', undefined, 'a:18', true],
      ['THIRTEEN', undefined, 'a:22', true],
    ],
  )
  assert.equal(code('class A(Settings):\n    one: str\n').variables, [])
  // The prefix may stand in the last line, and a bracket at the margin ends nothing.
  assert.equal(of('class A(BaseSettings):\n    one: str\n    model_config = dict(env_prefix="X_")')[0]?.[0], 'X_ONE')
  assert.equal(
    of('class A(BaseSettings):\n    one: str\n)\n# x\n    model_config = dict(env_prefix="X_")\n')[0]?.[0],
    'X_ONE',
  )
  assert.equal(
    of('class A(BaseSettings):\n    one: str\ny = f(1) # x\n    model_config = dict(env_prefix="X_")\n')[0]?.[0],
    'ONE',
  )
})

test('a repository: what is its own is read, to a depth, and of a real .env names alone', () => {
  const found = openRepository(
    repository({
      ...{
        'a/b.py': 'x',
        '.env': ' export A=1\nB = 2\n#C=3\nD\n',
        'prod.env': 'X=1',
        'big.txt': 'x'.repeat(512 * 1024 + 1),
      },
      ...{
        'whole.txt': 'x'.repeat(512 * 1024),
        'node_modules/a.js': '',
        'x/.git/config': '',
        'env/a.py': '',
        'my_env/a.py': '',
      },
      ...{
        'vendored/a.py': '',
        'long.py': `${'x'.repeat(4001)}\ny`,
        'long.json': `${'x'.repeat(4001)}\ny`,
        nul: 'a\0b',
      },
      ...{ '1/2/3/4/5/6/7/8/a': 'deep', '1/2/3/4/5/6/7/8/9/a': 'deeper', bytes: Buffer.from([0xff, 0x61]) },
      ...{ wide: Buffer.from([0xff, 0xfe, 0x61, 0]), half: Buffer.from([0xff, 0x62, 0x61, 0]) },
    }),
  )
  assert.equal(found.files, [
    ...[
      '.env',
      '1/2/3/4/5/6/7/8/a',
      'a/b.py',
      'big.txt',
      'bytes',
      'half',
      'long.json',
      'long.py',
      'my_env/a.py',
      'nul',
      'prod.env',
    ],
    ...['vendored/a.py', 'whole.txt', 'wide'],
  ])
  assert.equal(
    [found.text('.env'), found.text('prod.env'), found.text('big.txt'), found.text('gone')],
    Array(4).fill(undefined),
  )
  assert.equal(
    [found.text('nul'), found.text('bytes'), found.text('half'), found.text('wide')],
    [undefined, undefined, undefined, 'a'],
  )
  assert.equal([found.text('long.py'), found.text('long.json')?.length, found.text('a/b.py')], ['\ny', 4003, 'x'])
  assert.is(found.text('whole.txt'), '')
  assert.equal([found.variableNames('.env'), found.variableNames('gone')], [['A', 'B'], []])
})

test('a project has the files of its folder, and code that is no test', () => {
  const found = projectIn(
    openRepository(
      repository({
        ...{
          'a/go.mod': 'go 1.2\n',
          'a/Procfile': 'x: y\n',
          'a/Justfile': 'python a.py\n',
          'a/Pipfile': '[packages]\nb = 1\n',
        },
        ...{ 'a/package.json': '{}', 'a/requirements.txt': 'c\n', 'b.py': 'bot.launch()', 'a/x.mjs': 'bot.launch()' },
        ...{
          'a/tests/y.py': 'bot.launch()',
          'a/y.test.ts': 'bot.launch()',
          'a/y_test.go': 'bot.launch()',
          'a/y.txt': 'bot.launch()',
        },
        ...{ 'a/latest/y.py': 'bot.set_webhook(', 'a/s.py': 'sqlite3.connect("a")\nport=80\nfeed_update(\n' },
        ...{
          'a/m.py': 'command.upgrade(\nredis://localhost\nif __name__ == "__main__":\nif __name__ == "__main__":\n',
        },
      }),
    ),
    'a',
  )
  assert.equal(
    [found.go?.version?.from, found.processes.get('x')?.from, found.runLines[0]?.from],
    ['a/go.mod:1', 'a/Procfile:1', 'a/Justfile:1'],
  )
  assert.equal([...(found.python?.dependencies ?? [])].sort(), [
    ['b', 'a/Pipfile:2'],
    ['c', 'a/requirements.txt:1'],
  ])
  const { polls, setsWebhook, takesWebhook, migratesItself, sqliteFiles, programs, ports, localServers } = found.code
  assert.equal(
    [polls, setsWebhook, takesWebhook, migratesItself],
    [['a/x.mjs:1'], ['a/latest/y.py:1'], ['a/s.py:3'], ['a/m.py:1']],
  )
  assert.equal(
    [sqliteFiles[0]?.from, programs, ports[0]?.from, localServers],
    ['a/s.py:1', ['a/m.py'], 'a/s.py:2', ['a/m.py:2']],
  )
  assert.ok(found.files.includes('y.txt') && !found.files.includes('b.py'))
})

test('the size of a pool, by variables or by the library', () => {
  const of = (variables: Readonly<Record<string, string>>, python: string[] = [], node: string[] = []) => {
    const packages = (names: string[]) => ({ dependencies: new Map(names.map((name) => [name, `${name}:1`])) })
    const project = { python: packages(python), node: packages(node) } as unknown as Parameters<typeof connectionsIn>[1]
    const all = Object.entries(variables).map(([name, value]) => ({ name, value, from: name }))
    const found = connectionsIn(all as unknown as Parameters<typeof connectionsIn>[0], project)
    return found && [found.value, found.from]
  }
  assert.equal(of({ DB_POOL_SIZE: '5' }), [5, 'DB_POOL_SIZE'])
  assert.equal(of({ POOL_MAX: '3', MAX_OVERFLOW: '4' }), [7, 'POOL_MAX'])
  assert.equal(of({ DB_MAX_CONNECTIONS: '30' }), [20, 'DB_MAX_CONNECTIONS, which has 30: a small host has 60 for all'])
  assert.equal(of({ DB_MAX_CONNECTIONS: '20' }), [20, 'DB_MAX_CONNECTIONS'])
  for (const variables of [
    { MAX_OVERFLOW: '9' },
    { POOL_SIZE: '4' },
    { POOL_SIZES: '9' },
    { POOL_SIZE: '100' },
    { POOL_SIZE: 'x9' },
  ])
    assert.is(of(variables as Record<string, string>), undefined)
  assert.equal(of({}, ['asyncpg']), [10, 'the pool of asyncpg opens ten at once: asyncpg:1'])
  for (const through of ['sqlalchemy', 'sqlmodel', 'tortoise-orm']) assert.is(of({}, ['asyncpg', through]), undefined)
  assert.equal(of({}, ['sqlalchemy'], ['pg']), [10, 'the pool of pg: pg:1'])
})

test('a script of the database is one file of SQL in the source', () => {
  const of = (files: readonly string[], source: string, target = '/docker-entrypoint-initdb.d', prefix = '') =>
    initScript(
      {
        known: [
          { kind: 'cache', service: { volumes: [{ value: { source: 'c.sql', target }, from: 'c' }] } },
          { kind: 'postgres', service: { volumes: [{ value: { source, target }, from: 'x' }] } },
        ],
      } as unknown as Parameters<typeof initScript>[0],
      { files } as unknown as Parameters<typeof initScript>[1],
      prefix,
    )?.value
  assert.is(of(['a.sql', 'c.sql'], './a.sql', '/docker-entrypoint-initdb.d/a.sql'), 'a.sql')
  assert.is(of(['sql/a.sql', 'sqlx/b.sql', 'sql/x/c.sql'], './sql/'), 'sql/a.sql')
  assert.is(of(['app/sql/a.sql'], 'app/sql', undefined, 'app/'), 'sql/a.sql')
  assert.is(of(['sql/a.sql'], 'sql', undefined, 'app/'), undefined)
  assert.is(of(['sql/a.sql', 'sql/b.sql'], 'sql'), undefined)
  assert.is(of(['sql/a.sh'], 'sql'), undefined)
  assert.is(of(['sql/a.sql'], 'sql', '/x/docker-entrypoint-initdb.d'), undefined)
})

const database = { '.env.example': 'DB_HOST=\n' }
for (const name of [
  ...['migrate:deploy', 'migrate:prod', 'db:migrate', 'migrate', 'migration:run', 'migrations:run', 'migrate:latest'],
])
  test(`the script ${name} brings a database up to date`, () => {
    const { manifest } = adopted({ ...database, 'package.json': JSON.stringify({ scripts: { [name]: 'x' } }) })
    assert.equal(manifest.migrate, ['npm', 'run', name])
  })
for (const folder of ['prisma/migrations', 'drizzle', 'db/migrations', 'src/migrations', 'alembic'])
  test(`the steps of a database may be in ${folder}`, () => {
    const files = { ...database, 'package.json': '{"scripts":{"migrate":"x"}}', [`${folder}/a`]: '' }
    assert.is(adopted(files).manifest.migrations, folder)
  })
for (const tool of [
  ...['alembic upgrade head', 'prisma migrate deploy', 'knex migrate', 'drizzle-kit push', 'prisma db push'],
  'typeorm migration:run',
])
  test(`a start that has "${tool}" in it brings its database up to date itself`, () => {
    const files = { ...database, Dockerfile: `FROM x\nCMD npx ${tool} && node a.js\n`, 'knexfile.js': '' }
    assert.is(adopted(files).manifest.migrate, undefined)
  })

for (const [what, files, expected] of [
  ['drizzle', { 'drizzle.config.ts': '', 'drizzle/a': '' }, [['npx', 'drizzle-kit', 'migrate'], 'drizzle']],
  ['knex', { 'knexfile.mjs': '', 'db/migrations/a': '' }, [['npx', 'knex', 'migrate:latest'], 'db/migrations']],
  ['Alembic without its package', { 'alembic.ini': '', 'alembic/a': '' }, [undefined, undefined]],
  ['Alembic in another folder', { 'x/alembic.ini': '', 'requirements.txt': 'alembic\n' }, [undefined, undefined]],
  [
    'Alembic by uv',
    {
      Dockerfile: 'FROM x\nCMD uv run bot',
      'alembic.ini': 'script_location = ./a\n',
      'a/x': '',
      'requirements.txt': 'alembic\n',
    },
    [['uv', 'run', 'alembic', 'upgrade', 'head'], 'a'],
  ],
  [
    'Alembic where uv is elsewhere',
    { Dockerfile: 'FROM x\nCMD ./uv run bot', 'alembic.ini': '', 'alembic/x': '', 'requirements.txt': 'alembic\n' },
    [['alembic', 'upgrade', 'head'], 'alembic'],
  ],
  [
    'the usual folder',
    { 'drizzle.config.js': '', 'migrations/a': '', 'drizzle/a': '' },
    [['npx', 'drizzle-kit', 'migrate'], undefined],
  ],
  [
    'its folder by name, beside the usual one',
    { 'alembic.ini': 'script_location = steps\n', 'migrations/a': '', 'steps/a': '', 'requirements.txt': 'alembic\n' },
    [['alembic', 'upgrade', 'head'], 'steps'],
  ],
  [
    'scripts in their order',
    { 'package.json': '{"scripts":{"migrate":"b","db:migrate":"a","migrate:latest":"c"}}', 'src/migrations/a': '' },
    [['npm', 'run', 'db:migrate'], 'src/migrations'],
  ],
  [
    'no script for development',
    { 'package.json': '{"scripts":{"migrate:deploy":"prisma migrate dev","migration:run":"x"}}' },
    [['npm', 'run', 'migration:run'], undefined],
  ],
  [
    'no similar files',
    {
      'my-drizzle.config.js': '',
      'drizzle.config.js.bak': '',
      'x-knexfile.js': '',
      'knexfile.js.bak': '',
      'x/prisma/migrations/a.sql': '',
      'prisma/migrations/a.sqlx': '',
      'my-alembic.ini': '',
      'alembic.ini.x': '',
      'requirements.txt': 'alembic\n',
    },
    [undefined, undefined],
  ],
  [
    'a shell before it',
    { Dockerfile: 'FROM x\nENTRYPOINT ["tini", "--"]\nCMD ["x"]\n', 'knexfile.js': '' },
    [['npx', 'knex', 'migrate:latest'], undefined],
  ],
  ['the command does it', { Dockerfile: 'FROM x\nCMD knex migrate && x', 'knexfile.js': '' }, [undefined, undefined]],
  [
    'the command of compose does it',
    {
      Dockerfile: 'FROM x\n',
      'compose.yml': 'services: { bot: { build: ., command: alembic -c a upgrade head && x } }',
      'knexfile.js': '',
    },
    [undefined, undefined],
  ],
  [
    'a script in a folder does it',
    {
      Dockerfile: 'FROM x\nENTRYPOINT ["/app/go.sh"]\n',
      'bin/go.sh': 'npx prisma migrate deploy\n',
      'knexfile.js': '',
    },
    [undefined, undefined],
  ],
  [
    'a script that only looks like it',
    {
      Dockerfile: 'FROM x\nENTRYPOINT ["/app/go.sh"]\n',
      'bin/x-go.sh': 'npx prisma migrate deploy\n',
      'knexfile.js': '',
    },
    [['npx', 'knex', 'migrate:latest'], undefined],
  ],
  ['the code does it', { 'a.py': 'command.upgrade(x)\n', 'knexfile.js': '' }, [undefined, undefined]],
  [
    'a service without a command',
    {
      Dockerfile: 'FROM x\n',
      'compose.yml': 'services: { bot: { build: . }, migrate: { build: . } }',
      'knexfile.js': '',
    },
    [undefined, undefined],
  ],
  [
    'a service with both',
    {
      Dockerfile: 'FROM x\n',
      'compose.yml': 'services: { bot: { build: . }, migrate: { build: ., entrypoint: a, command: b c } }',
      'drizzle/a': '',
    },
    [['a', 'b', 'c'], 'drizzle'],
  ],
] as const)
  test(`steps of a database: ${what}`, () => {
    const { migrate, migrations } = adopted({ ...database, ...(files as Files) }).manifest
    assert.equal([migrate, migrations], expected)
  })

test.run()
