import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { parseOrder } from '../../sandbox/cli/parse.ts'
import { sideBySide } from '../../sandbox/images/side-by-side.ts'
import { containerOf, network, paths } from '../../sandbox/machine/paths.ts'
import { together } from '../../sandbox/machine/together.ts'
import { askedStandIns, askStandIns } from '../../sandbox/services/asked-stand-ins.ts'
import { telegramAt } from '../../sandbox/telegram/client.ts'
import { optionsOf } from '../../sandbox/telegram/options.ts'
import { serve } from '../../sandbox/telegram/server.ts'
import { sshConfigOf } from '../../sandbox/vps/ssh-access.ts'
import { rejects, thrown } from '../support/errors.ts'
import { callApi } from '../telegram/support.ts'
import { run, scratch } from './support.ts'

const standard = {
  ...{ word: undefined, command: [], hosts: undefined, memory: undefined, with: [], as: 1, language: 'en' },
}
const right: [line: string, expected: object | 'help'][] = [
  ['up', { action: 'up' }],
  ['up --hosts 3 --memory 1g', { action: 'up', hosts: 3, memory: '1g' }],
  ['up --with python,valkey', { action: 'up', with: ['python', 'valkey'] }],
  ['ssh', { action: 'ssh' }],
  ['ssh vps2 -- uptime --pretty', { action: 'ssh', word: 'vps2', command: ['uptime', '--pretty'] }],
  ['chat hello-bot', { action: 'chat', word: 'hello-bot' }],
  ['chat hello-bot --as 7 --language pt-br', { action: 'chat', word: 'hello-bot', as: 7, language: 'pt-br' }],
  ['token hello-bot', { action: 'token', word: 'hello-bot' }],
  ['down --images', { action: 'down', images: true }],
  ['chat --help', 'help'],
]
for (const [line, expected] of right) {
  test(`takes "${line}"`, () => {
    const order = typeof expected === 'string' ? expected : { ...standard, images: false, ...expected }
    assert.equal(parseOrder(line.split(' ')), order)
  })
}

const wrong: [line: string, message: string][] = [
  ['', 'unknown action ""'],
  ['tokn hello-bot', 'unknown action "tokn" (did you mean "token"?): one of up, status'],
  ['chat', 'sandbox.ts chat needs a BOT: npx zx playbooks/sandbox.ts chat BOT'],
  ['token', 'sandbox.ts token needs a BOT'],
  ['token one two', 'sandbox.ts token: stray argument "two"'],
  ['token one -- two', 'sandbox.ts token: stray argument "two"'],
  ['status vps1', 'sandbox.ts status: stray argument "vps1"'],
  ['token hello-bot --as 7', 'sandbox.ts token has no --as'],
  ['chat hello-bot --hosts 2', 'sandbox.ts chat has no --hosts'],
  ['chat hello-bot --langage ru', `Unknown option '--langage' (did you mean "--language"?)`],
  ['chat hello-bot -x', "Unknown option '-x'"],
  ['chat hello-bot --as', "Option '--as <value>' argument missing"],
  ['chat hello-bot --as me', '--as: should be a whole number of at least 1, found "me"'],
  ['chat hello-bot --as 0', '--as: should be a whole number of at least 1, found "0"'],
  ['chat hello-bot --language e', '--language: should be a language like en or pt-br, found "e"'],
  ['up --hosts many', '--hosts: should be a whole number of at least 1, found "many"'],
]
for (const [line, message] of wrong) {
  test(`refuses "${line}"`, () => {
    const error = thrown(() => parseOrder(line.split(' ')), UsageError)
    assert.ok(error.message.startsWith(message), error.message)
  })
}

test('ssh reads of its config how each VPS is reached', async () => {
  const file = join(scratch(), 'ssh_config')
  writeFileSync(
    file,
    sshConfigOf([
      { name: 'vps1', port: 22_001 },
      { name: 'vps2', port: 22_002 },
    ]),
  )
  for (const [name, port] of Object.entries({ vps1: 22_001, vps2: 22_002 })) {
    const settings = (await local`ssh -G -F ${file} ${name}`).stdout.split('\n')
    for (const setting of [
      ...['hostname 127.0.0.1', `port ${port}`, 'user root', `identityfile ${paths.key}`, 'identitiesonly yes'],
      ...[`userknownhostsfile ${paths.knownHosts}`, 'stricthostkeychecking true'],
    ])
      assert.ok(settings.includes(setting), setting)
  }
})

test('images are built side by side, one that several wait for once, and counted from the start', async () => {
  const lines: string[] = []
  const made: string[] = []
  const base = gate()
  const ensure = sideBySide()
  const image = (name: string, make: () => Promise<void>, isThere = false) =>
    ensure({ name, isThere: async () => isThere, make }, (line) => lines.push(line))
  const onBase = (name: string) =>
    image(name, async () => {
      await image('base', () => base.opened.then(() => void made.push('base')))
      made.push(name)
    })
  const all = [onBase('nginx'), onBase('node'), image('vps', async () => {}, true)]
  base.open()
  await Promise.all(all)
  assert.equal(made, ['base', 'nginx', 'node'])
  assert.equal(lines, ['[#--] 1 of 3 images: base', '[##-] 2 of 3 images: nginx', '[###] 3 of 3 images: node'])
  await image('telegram', async () => {})
  assert.is(lines.at(-1), '[#] 1 of 1 images: telegram')
})

test('one that could not be built is built anew when it is asked for again', async () => {
  const ensure = sideBySide()
  const image = (make: () => Promise<void>) => ensure({ name: 'x', isThere: async () => false, make }, () => {})
  const failing = async () => {
    throw new Error('no mirror')
  }
  await rejects(image(failing), /no mirror/)
  const made: string[] = []
  await image(async () => void made.push('x'))
  assert.equal(made, ['x'])
})

test('what goes on beside a failure has ended when the failure is told', async () => {
  const slow = gate()
  const seen: string[] = []
  const failing = Promise.reject(new Error('broken'))
  const told = together([failing, slow.opened.then(() => seen.push('ended'))]).catch(() => seen.push('told'))
  await failing.catch(() => {})
  await setImmediate()
  assert.equal(seen, [])
  slow.open()
  await told
  assert.equal(seen, ['ended', 'told'])
})

test('an image that the registry cannot have is suggested another', async () => {
  const before = askedStandIns()
  const message = /^no stand-in "pyton" \(did you mean "python"\?\): one of python, valkey, node20/
  await rejects(askStandIns(['valkey', 'pyton']), message, UsageError)
  assert.equal(askedStandIns(), before)
})

test('a token is all that is printed, and the same one again', async () => {
  await withTelegram(async ({ client, env }) => {
    const first = await run('sandbox', ['token', 'shop-bot'], { env })
    assert.match(first.stdout, /^\d+:[\w-]{35}\n$/)
    assert.equal({ ...first, stdout: '' }, { code: 0, stdout: '', stderr: '' })
    assert.equal(await run('sandbox', ['token', 'shop-bot'], { env }), first)
    assert.equal(
      (await client.bots()).map(({ name, token }) => [name, `${token}\n`]),
      [['shop-bot', first.stdout]],
    )
  })
})

test('a name that no inventory takes makes no bot', async () => {
  await withTelegram(async ({ client, env }) => {
    const { code, stdout, stderr } = await run('sandbox', ['token', 'Shop'], { env })
    assert.equal([code, stdout], [1, ''])
    assert.match(stderr, /^"Shop" cannot be the name of a bot: of a-z, 0-9 and single "-", starting with a letter\n$/)
    assert.equal(await client.bots(), [])
  })
})

test('a chat by a pipe is with the bot, as this user in this language', async () => {
  await withTelegram(async ({ client, call, env }) => {
    const { token } = await client.ensureBot('hello-bot')
    const chat = run('sandbox', ['chat', 'hello-bot', '--as', '7', '--language', 'ru'], { env, input: '/start\n' })
    const [{ message }] = await call(token, 'getUpdates', { timeout: 50 })
    assert.equal([message.from.id, message.from.language_code, message.text], [7, 'ru', '/start'])
    await call(token, 'sendMessage', { chat_id: 7, text: 'Hello' })
    assert.equal(await chat, { code: 0, stdout: 'Hello\n', stderr: '' })
  })
})

test('a bot that is not there is suggested another', async () => {
  await withTelegram(async ({ client, env }) => {
    await client.ensureBot('hello-bot')
    const { code, stderr } = await run('sandbox', ['chat', 'helo-bot'], { env })
    assert.is(code, 1)
    assert.match(stderr, 'has no bot "helo-bot" (did you mean "hello-bot"?)')
  })
})

for (const line of ['token hello-bot', 'chat hello-bot']) {
  test(`"${line}" says how to start a sandbox that is down`, async () => {
    const next = "the sandbox's Telegram is down; start it: npx zx playbooks/sandbox.ts up\n"
    for (const env of [fakeDocker('exit 1'), fakeDocker(`echo '${seenAs(false)}'`)])
      assert.equal(await run('sandbox', line.split(' '), { env }), { code: 1, stdout: '', stderr: next })
  })
}

test('the help names every action', async () => {
  const { code, stdout } = await run('sandbox', ['--help'])
  assert.is(code, 0)
  for (const action of ['up', 'status', 'ssh', 'chat', 'token', 'down']) assert.match(stdout, `sandbox.ts ${action} `)
})

test.run()

/** A promise that is kept when it is opened. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** A Telegram on loopback, and a Docker that says it is the sandbox's. */
async function withTelegram(use: (it: Awaited<ReturnType<typeof begin>>) => Promise<void>): Promise<void> {
  const it = await begin()
  await use(it).finally(it.close)
}

async function begin() {
  const { apiPort, controlPort, close } = await serve(optionsOf({}), { host: '127.0.0.1', apiPort: 0, controlPort: 0 })
  const env = fakeDocker(`case $1 in inspect) echo '${seenAs(true)}';; port) echo 127.0.0.1:${controlPort};; esac`)
  const call = async (token: string, method: string, args: object) =>
    (await callApi(`http://127.0.0.1:${apiPort}/bot${token}/${method}`, args)).result
  return { client: telegramAt(`http://127.0.0.1:${controlPort}`), call, env, close }
}

function seenAs(running: boolean): string {
  const networks = { [network]: { Aliases: ['telegram.sandbox'] } }
  return JSON.stringify({ name: `/${containerOf('telegram')}`, running, ports: {}, networks })
}

function fakeDocker(script: string): NodeJS.ProcessEnv {
  const folder = join(scratch(), 'bin')
  mkdirSync(folder)
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return { PATH: `${folder}:${process.env.PATH}` }
}
