import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { run, scratch } from './support.ts'

test('a folder becomes a bot where it is', async () => {
  const cwd = garden({
    'shop/.env.example': 'BOT_TOKEN=\nAPI_KEY=x\n',
    'shop/requirements.txt': 'aiogram\n',
    'shop/bot.py': 'start_polling()\n',
  })
  const { code, stdout, stderr } = await run('new-bot', ['--name', 'shop', '--adopt', 'shop'], { cwd })
  assert.equal([code, stderr], [0, ''])
  assert.equal(readdirSync(join(cwd, 'bots')), [])
  assert.equal(readdirSync(join(cwd, 'shop')).sort(), [
    '.dockerignore',
    '.env.example',
    'Dockerfile',
    'bot.py',
    'bot.yaml',
    'requirements.txt',
  ])
  assert.equal(parse(readFileSync(join(cwd, 'shop/bot.yaml'), 'utf8')).environment, {
    BOT_TOKEN: '${token}',
    API_KEY: '${secret.API_KEY}',
  })
  for (const part of [
    'shop is a bot now: Dockerfile, .dockerignore, bot.yaml are new there. Nothing of it was run.',
    'shop: { host: vps1, source: shop }',
    'API_KEY: { command: pass show shop/API_KEY }',
    'npx zx playbooks/bot.ts --name shop --check',
    'git -C shop pull',
  ])
    assert.ok(stdout.includes(part), part)
})

test('the folder may be bots/NAME', async () => {
  const cwd = garden({ 'bots/shop/a.py': '' })
  assert.is((await run('new-bot', ['--name', 'shop', '--adopt', 'bots/shop'], { cwd })).code, 0)
  assert.ok(existsSync(join(cwd, 'bots/shop/bot.yaml')))
})

test('an address is cloned into bots/NAME by the git that is here, which is told to run nothing', async () => {
  const cwd = garden({})
  const env = fakeGit(cwd, 'mkdir -p "$folder/.git" && echo BOT_TOKEN= >"$folder/.env.example"')
  const { code, stdout, stderr } = await run(
    'new-bot',
    ['--name', 'shop', '--adopt', 'https://git.example.org/a/shop.git'],
    { cwd, env },
  )
  assert.equal([code, stderr], [0, ''])
  assert.equal(readdirSync(join(cwd, 'bots')), ['shop'])
  assert.equal(readdirSync(join(cwd, 'bots/shop')).sort(), ['.env.example', '.git', 'bot.yaml'])
  assert.match(stdout, 'shop: { host: vps1, source: bots/shop }')
  const asked = readFileSync(join(cwd, 'asked'), 'utf8')
  for (const part of [
    '-c core.hooksPath=/dev/null',
    '--depth 1',
    '--no-recurse-submodules',
    '-- https://git.example.org/a/shop.git bots/.shop.new',
    'PROTOCOL=https:ssh',
    'PROMPT=0',
  ])
    assert.ok(asked.includes(part), `${part} in ${asked}`)
})

test('a clone that fails, or is no bot, leaves nothing', async () => {
  for (const [does, message, code] of [
    [
      'mkdir "$folder"; echo "fatal: not found" >&2; exit 128',
      /^this machine: git cannot clone ssh:\/\/git\.example\.org\/shop:\nfatal: not found/,
      3,
    ],
    ['mkdir "$folder"; echo x >"$folder/bot.yaml"', /bot\.yaml is there already, so it is a bot/, 1],
  ] as const) {
    const cwd = garden({})
    const result = await run('new-bot', ['--name', 'shop', '--adopt', 'ssh://git.example.org/shop'], {
      cwd,
      env: fakeGit(cwd, does),
    })
    assert.equal([result.code, result.stdout], [code, ''])
    assert.match(result.stderr, message)
    assert.equal(readdirSync(join(cwd, 'bots')), [])
  }
})

const addresses = '--adopt: should be a folder, https://…, ssh://… or git@HOST:PATH, found '
const refused: [argv: string[], message: string][] = [
  [['--adopt', 'nowhere'], '--adopt: no repository at nowhere: no such folder'],
  [['--adopt', 'file'], '--adopt: no repository at file: no folder'],
  [
    ['--adopt', 'done'],
    '--adopt: done/bot.yaml is there already, so it is a bot: name the folder by "source:" in the inventory, or copy it by --from',
  ],
  [['--adopt', 'inner'], '--adopt: inner/app/bot.yaml is there already, so it is a bot'],
  [['--adopt', 'http://example.org/x'], `${addresses}"http://example.org/x"`],
  [['--adopt', 'file:///etc'], `${addresses}"file:///etc"`],
  [['--adopt', 'ext::sh -c id'], `${addresses}"ext::sh -c id"`],
  [['--adopt', 'git://example.org/x'], `${addresses}"git://example.org/x"`],
  [['--adopt', 'ssh://-oProxyCommand=id/x'], `${addresses}"ssh://-oProxyCommand=id/x"`],
  [['--adopt', 'https://me:heron@example.org/x'], '--adopt: has a user or a password in the URL'],
  [['--adopt', 'ssh://me:heron@example.org/x'], '--adopt: has a user or a password in the URL'],
  [['--adopt', 'ftp://me:heron@example.org/x'], `${addresses}"ftp://***@example.org/x"`],
  [['--adopt', 'a@b:x\u001b[2J y'], `${addresses}"a@b:x\\u001b[2J y"`],
  [
    ['--adopt', 'plain', '--from', 'done'],
    '--from copies a bot and --adopt makes one of a repository: give one of them',
  ],
  [['--adopt'], '--adopt needs a value: --adopt FOLDER|GIT-URL'],
  [['--adopt', 'plain', '--name', 'taken'], 'bots/taken is there already'],
]
for (const [argv, message] of refused)
  test(`refuses ${JSON.stringify(argv.join(' '))} and touches nothing`, async () => {
    const cwd = garden({
      file: '',
      'done/bot.yaml': '',
      'plain/a.py': '',
      'bots/taken/x': '',
      'inner/app/bot.yaml': '',
      'inner/app/Dockerfile': 'FROM x\nCMD x\n',
      'inner/compose.yml': 'services: { bot: { build: app } }',
    })
    const env = fakeGit(cwd, 'exit 1')
    const name = argv.includes('--name') ? [] : ['--name', 'shop']
    const { code, stdout, stderr } = await run('new-bot', [...name, ...argv], { cwd, env })
    assert.equal([code, stdout], [1, ''], stderr)
    assert.ok(stderr.startsWith(message), stderr)
    assert.not(stderr.includes('heron'))
    assert.not(existsSync(join(cwd, 'asked')))
    assert.equal([readdirSync(join(cwd, 'bots')), readdirSync(join(cwd, 'plain'))], [['taken'], ['a.py']])
  })

test.run()

/** A checkout with these files and a folder bots/. */
function garden(files: Readonly<Record<string, string>>): string {
  const cwd = scratch()
  mkdirSync(join(cwd, 'bots'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(cwd, path, '..'), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  return cwd
}

/** The environment with a `git` that notes what it is asked for, and does this with "$folder". */
function fakeGit(cwd: string, does: string): NodeJS.ProcessEnv {
  const bin = join(cwd, 'bin')
  mkdirSync(bin)
  const note = `echo "$* PROTOCOL=$GIT_ALLOW_PROTOCOL PROMPT=$GIT_TERMINAL_PROMPT" >'${join(cwd, 'asked')}'`
  writeFileSync(join(bin, 'git'), `#!/bin/sh\n${note}\nfor folder; do :; done\n${does}\n`)
  chmodSync(join(bin, 'git'), 0o755)
  return { PATH: `${bin}:${process.env.PATH}` }
}
