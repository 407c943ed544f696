import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { project, run, scratch } from './support.ts'

const lock = { name: 'hello-bot', packages: { '': { name: 'hello-bot' }, 'node_modules/a': { name: 'hello-bot' } } }
const model: Readonly<Record<string, string>> = {
  'bot.yaml': '# hello-bot\nport: 3000\n',
  'package.json': '{\n  "name": "hello-bot",\n  "dependencies": {\n    "hello-bot": "1"\n  }\n}\n',
  'package-lock.json': JSON.stringify(lock),
  '.env.example': 'BOT_TOKEN=123456:ABC-def # or HELLO_BOT_TOKEN\n#PGUSER=hello_bot\n',
  'README.md': '# hello-bot\nIn bots/hello-bot; unlike hello-bot-2, my-hello-bot and hello.\n',
  'src/main.ts': "export const prefix = 'hello-bot: '\n",
  'src/data/rows.ts': 'export const rows = []\n',
  'data/db': 'rows',
  'node_modules/a/index.js': '',
  '.env': 'BOT_TOKEN=1:secret',
  '.env.production': 'BOT_TOKEN=2:secret',
  'logs/today': '',
  'error.log': '',
}

test('a new bot is the app of the model under a name of its own', async () => {
  const cwd = garden()
  const { code, stderr } = await run('new-bot', ['--name', 'shop-bot'], { cwd })
  assert.equal([code, stderr], [0, ''])
  assert.equal(readdirSync(join(cwd, 'bots')).sort(), ['hello-bot', 'shop-bot'])
  assert.equal(filesIn(join(cwd, 'bots/shop-bot')), {
    'bot.yaml': '# shop-bot\nport: 3000\n',
    'package.json': '{\n  "name": "shop-bot",\n  "dependencies": {\n    "hello-bot": "1"\n  }\n}\n',
    'package-lock.json': `${JSON.stringify(
      { name: 'shop-bot', packages: { '': { name: 'shop-bot' }, 'node_modules/a': { name: 'hello-bot' } } },
      null,
      2,
    )}\n`,
    '.env.example': 'BOT_TOKEN=123456:ABC-def # or SHOP_BOT_TOKEN\n#PGUSER=shop_bot\n',
    'README.md': '# shop-bot\nIn bots/shop-bot; unlike hello-bot-2, my-hello-bot and hello.\n',
    'src/main.ts': "export const prefix = 'shop-bot: '\n",
    'src/data/rows.ts': 'export const rows = []\n',
  })
  assert.equal(filesIn(join(cwd, 'bots/hello-bot')), model)
})

test('what is no text, what can be run, and what points elsewhere is copied as it is', async () => {
  const cwd = garden()
  const bytes = Buffer.from([0xff, ...Buffer.from('hello-bot'), 0])
  writeFileSync(join(cwd, 'bots/hello-bot/logo.png'), bytes)
  writeFileSync(join(cwd, 'bots/hello-bot/run'), 'hello-bot', { mode: 0o755 })
  symlinkSync('README.md', join(cwd, 'bots/hello-bot/LIESMICH.md'))
  await run('new-bot', ['--name', 'shop'], { cwd })
  assert.equal(readFileSync(join(cwd, 'bots/shop/logo.png')), bytes)
  assert.is(readFileSync(join(cwd, 'bots/shop/run'), 'utf8'), 'shop')
  assert.is(statSync(join(cwd, 'bots/shop/run')).mode & 0o777, 0o755)
  assert.is(readlinkSync(join(cwd, 'bots/shop/LIESMICH.md')), 'README.md')
})

test('it says what to put where, and what comes next', async () => {
  const { stdout } = await run('new-bot', ['--name', 'shop-bot'], { cwd: garden() })
  for (const part of [
    'bots/shop-bot is made from bots/hello-bot.',
    'shop-bot: { host: vps1, source: bots/shop-bot }',
    'SHOP_BOT_TOKEN=',
    'bots/shop-bot/.env BOT_TOKEN=',
    'token: { command: npx zx playbooks/sandbox.ts token shop-bot }',
    'npx zx playbooks/bot.ts --name shop-bot\n',
    'cd bots/shop-bot && npm ci && npm test\n',
  ])
    assert.ok(stdout.replaceAll(/ +/g, ' ').includes(part), part)
})

for (const [workspaces, next] of [
  [['bots/*'], 'npm install && cd bots/shop && npm test'],
  [['bots/hello-bot'], 'cd bots/shop && npm ci && npm test'],
] as const) {
  test(`with the workspaces ${workspaces} the next step is ${next}`, async () => {
    const cwd = garden({ 'package.json': JSON.stringify({ workspaces }) })
    assert.match((await run('new-bot', ['--name', 'shop'], { cwd })).stdout, next)
  })
}

test('another bot can be the model; code knows its name only if it has a dash', async () => {
  const start = { 'bot.yaml': '# start\n', 'src/main.ts': "bot.command('start') // start\n" }
  const cwd = garden(Object.fromEntries(Object.entries(start).map(([path, text]) => [`else/start/${path}`, text])))
  assert.is((await run('new-bot', ['--name', 'my-shop', '--from', 'else/start/'], { cwd })).code, 0)
  assert.equal(filesIn(join(cwd, 'bots/my-shop')), { ...start, 'bot.yaml': '# my-shop\n' })
})

test('what a run that was cut has left is no hindrance, and goes', async () => {
  const cwd = garden({ 'bots/.shop.new/half.ts': '' })
  assert.is((await run('new-bot', ['--name', 'shop'], { cwd })).code, 0)
  assert.equal(readdirSync(join(cwd, 'bots')).sort(), ['hello-bot', 'shop'])
  assert.not.ok(Object.keys(filesIn(join(cwd, 'bots/shop'))).includes('half.ts'))
})

test('a copy that fails leaves nothing', async () => {
  const cwd = garden()
  execFileSync('mkfifo', [join(cwd, 'bots/hello-bot/src/pipe')])
  const { code, stderr } = await run('new-bot', ['--name', 'shop'], { cwd })
  assert.is(code, 3)
  assert.match(stderr, /^this machine: bots\/hello-bot cannot be copied to bots\/shop: /)
  assert.equal(readdirSync(join(cwd, 'bots')), ['hello-bot'])
})

const see = '\nsee: npx zx playbooks/new-bot.ts --help'
const refused: [line: string, message: string][] = [
  ['', '--name is missing: npx zx playbooks/new-bot.ts --name NAME'],
  ['--name Shop', '--name: should be of a-z, 0-9 and single "-", starting with a letter, found "Shop"'],
  ['--name 2nd', '--name: should be of a-z'],
  ['--name a--b', '--name: should be of a-z'],
  ['--name a_b', '--name: should be of a-z'],
  ['--name ../up', '--name: should be of a-z'],
  [`--name ${'a'.repeat(33)}`, '--name: should be at most 32 characters long, found "aaa'],
  ['--name postgres', '--name: should be not a name of the core, found "postgres"'],
  ['--name pg-shop', '--name: should be one that PostgreSQL does not keep for itself (pg-…, public, none)'],
  ['--name none', '--name: should be one that PostgreSQL does not keep'],
  ['--name constructor', '--name: should be one that can be a key, found "constructor"'],
  ['--name hello-bot', 'bots/hello-bot is there already'],
  ['--name shop --from bots/helo', '--from: no bot to copy at bots/helo: no such folder'],
  ['--name shop --from bots', '--from: no bot to copy at bots: no bot.yaml in it'],
  ['--nam shop', `unknown option "--nam" (did you mean "--name"?)${see}`],
  ['--check', `unknown option "--check"${see}`],
  ['--name', `--name needs a value: --name NAME${see}`],
  ['--name a --name b', `--name is given twice; it takes one NAME${see}`],
  ['shop', `unexpected "shop" (did you mean "--name shop"?)${see}`],
]
for (const [line, message] of refused) {
  test(`refuses "${line}" and touches nothing`, async () => {
    const cwd = garden()
    const { code, stdout, stderr } = await run('new-bot', line.split(' ').filter(Boolean), { cwd })
    assert.equal([code, stdout], [1, ''], stderr)
    assert.ok(stderr.startsWith(message), stderr)
    assert.equal(readdirSync(join(cwd, 'bots')), ['hello-bot'])
  })
}

test('the real model has a name that a copy takes over everywhere', async () => {
  const cwd = scratch()
  mkdirSync(join(cwd, 'bots'))
  assert.is((await run('new-bot', ['--name', 'shop', '--from', join(project, 'bots/hello-bot')], { cwd })).code, 0)
  const files = filesIn(join(cwd, 'bots/shop'))
  for (const file of ['package.json', 'package-lock.json', 'bot.yaml', 'Dockerfile', '.env.example', '.dockerignore'])
    assert.ok(file in files, file)
  assert.equal(
    Object.keys(files).filter((file) => files[file]?.includes('hello-bot')),
    [],
  )
})

test('the help names every option', async () => {
  const { code, stdout } = await run('new-bot', ['--help'])
  assert.is(code, 0)
  for (const option of ['--name NAME', '--from FOLDER', '--adopt FOLDER|GIT-URL', '-h, --help'])
    assert.match(stdout, option)
})

test.run()

/** A folder with a model in bots/, and these files. */
function garden(more: Readonly<Record<string, string>> = {}): string {
  const cwd = scratch()
  const models = Object.entries(model).map(([path, text]) => [`bots/hello-bot/${path}`, text] as const)
  for (const [path, text] of [...models, ...Object.entries(more)]) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  return cwd
}

function filesIn(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((file) => join(file.parentPath, file.name))
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]))
}
