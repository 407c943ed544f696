import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { afterwards, cleanUp } from './support/cleanup.ts'
import { emptyFolder } from './support/folder.ts'
import { secret, token } from './support/setup.ts'
import { fakeTelegram } from './support/telegram.ts'
import { until } from './support/until.ts'
import { message } from './support/updates.ts'

test.after.each(cleanUp)

/** A script as a process of its own, with no more of an environment than is given. */
function run(script: string, env: Record<string, string>, folder = emptyFolder()) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src', script)], { cwd: folder, env })
  afterwards(() => child.kill('SIGKILL'))
  const outputs = Promise.all([text(child.stdout), text(child.stderr)])
  const exit = once(child, 'exit') as Promise<[number | null]>
  return { child, ended: Promise.all([exit, outputs]).then(([[code], [out, err]]) => ({ code, out, err })) }
}

/** Quicker than an embedded one, where a test needs none. */
const noDatabase = { PGHOST: '/nowhere', PGUSER: 'hello', PGDATABASE: 'hello' }

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return String(port)
}

async function isUp(port: string, path: string): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}${path}`).then(
    ({ ok }) => ok,
    () => false,
  )
}

test('with a token and nothing else it polls, keeps its data in a folder, and stops when told to', async () => {
  const telegram = await fakeTelegram()
  const folder = emptyFolder()
  for (const reply of ['Hello, Anna!', 'Hello again, Anna!']) {
    telegram.updates([message('/start')])
    const port = await freePort()
    const { child, ended } = run('main.ts', { BOT_TOKEN: token, TELEGRAM_API_ROOT: telegram.root, PORT: port }, folder)
    await until(() => isUp(port, '/readyz'))
    await until(() => telegram.texts().some((sent) => sent.startsWith(reply)))
    child.kill('SIGTERM')
    const { code, out, err } = await ended
    assert.equal([code, err], [0, ''])
    assert.match(out, '"outcome":"handled"')
    for (const word of ['Anna', '/start', token]) assert.not.match(out, word)
  }
})

test('a token that Telegram does not know is said in one line, exit code 1', async () => {
  const telegram = await fakeTelegram()
  telegram.answer('getMe', { error_code: 401 })
  const env = { ...noDatabase, BOT_TOKEN: token, TELEGRAM_API_ROOT: telegram.root, PORT: await freePort() }
  const { code, err } = await run('main.ts', env).ended
  assert.equal([code, err], [1, 'hello-bot: BOT_TOKEN: Telegram knows no bot with this token; ask BotFather for it\n'])
})

for (const mode of ['polling', 'webhook']) {
  test(`a Telegram that is not there is waited for: alive, not ready, and it stops at once (${mode})`, async () => {
    const port = await freePort()
    const env = { ...noDatabase, BOT_TOKEN: token, BOT_MODE: mode, WEBHOOK_SECRET: secret, PORT: port }
    const { child, ended } = run('main.ts', { ...env, TELEGRAM_API_ROOT: 'http://127.0.0.1:1' })
    await until(() => isUp(port, '/healthz'))
    assert.not(await isUp(port, '/readyz'))
    const told = performance.now()
    child.kill('SIGINT')
    const { code, out } = await ended
    assert.is(code, 0)
    assert.ok(performance.now() - told < 5_000)
    for (const word of ['getMe failed: trying again', 'ECONNREFUSED']) assert.match(out, word)
    assert.not.match(out, token)
  })
}

test('a wrong configuration is said in one message, exit code 1', async () => {
  const { code, err } = await run('main.ts', { PORT: 'x' }).ended
  const lines = ['hello-bot: the configuration is wrong', '  BOT_TOKEN: is missing; set it, or BOT_TOKEN_FILE']
  assert.equal([code, err], [1, [...lines, '  PORT: should be a port, 1 to 65535', ''].join('\n')])
})

test('a port that is taken is said so', async () => {
  const telegram = await fakeTelegram()
  const { port } = new URL(telegram.root)
  const { code, err } = await run('main.ts', { ...noDatabase, BOT_TOKEN: token, PORT: port }).ended
  assert.equal([code, err], [1, `hello-bot: PORT: cannot listen on ${port}: EADDRINUSE\n`])
})

test('the migrations as a command: what ran, then nothing', async () => {
  const folder = emptyFolder()
  const out = 'migrated: 2026-11-24-hello\nmigrated: 2026-11-25-outbox\n'
  assert.equal(await run('migrate.ts', {}, folder).ended, { code: 0, out, err: '' })
  assert.equal(await run('migrate.ts', {}, folder).ended, { code: 0, out: 'nothing to migrate\n', err: '' })
})

test('migrations without a server: why, and exit code 1', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'password'), 'a-password\n')
  const env = { PGHOST: folder, PGUSER: 'hello', PGDATABASE: 'hello', PGPASSWORD_FILE: join(folder, 'password') }
  const { code, out, err } = await run('migrate.ts', env).ended
  assert.equal([code, out], [1, ''])
  assert.match(err, /^hello-bot: migration not begun: connect ENOENT .*PGSQL\.5432\n$/)
})

test.run()
