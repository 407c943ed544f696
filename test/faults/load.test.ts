// Needs a bare VPS of its own: `load`, the sandbox's certificate authority and its Telegram. Twenty updates a second, each
// from another person, while everything that an operator does is done: bounded to 3000 updates.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps, telegramControlUrl } from '../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, run } from '../support/runner.ts'

const host = 'load'
// The sandbox's Telegram remembers earlier runs.
const name = `load-${process.pid}`
const model = resolve(import.meta.dirname, '../../bots/hello-bot')
const folder = mkdtempSync(join(tmpdir(), 'load-test-'))
const env: Record<string, string> = {}
let telegram: TelegramClient
let sent = 0

const vars = {
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 5, drain: 20 },
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
}
const inventory = (source: string) =>
  inventoryOf(host, vars, {
    hosts: { [host]: { domain: `${host}.sandbox` } },
    bots: { 'hello-bot': { host, source } },
  })
const before = inventory(model)
const after = inventory(join(folder, 'next'))
const deploy = (file: string, ...more: string[]) =>
  run(['playbooks/bot.ts', '-i', file, '--json', '--name', 'hello-bot', ...more], env)
const count = async (table: string) =>
  Number(
    (
      await inVps(
        host,
        `docker exec botgarden-postgres psql -XAtU postgres hello_bot -c "select count(*) from ${table}"`,
      )
    ).stdout,
  )

test.before(async () => {
  cpSync(model, join(folder, 'next'), { recursive: true, filter: (path) => !path.includes('node_modules') })
  const file = join(folder, 'next/src/messages/en.ts')
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('Hello', 'Welcome'))
  await freshVps(host)
  telegram = telegramAt(await telegramControlUrl())
  env.HELLO_BOT_TOKEN = (await telegram.ensureBot(name)).token
  for (const ran of [await run(['playbooks/site.ts', '-i', before, '--json']), await deploy(before)])
    if (ran.code !== 0) throw new Error(ran.stdout + ran.stderr)
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

for (const [what, act, only2xx] of [
  ['a new version is released', () => deploy(after), true],
  ['it is rolled back', () => deploy(before, '--rollback'), true],
  ['site.ts runs', () => run(['playbooks/site.ts', '-i', before, '--json']), true],
  ['the database server restarts', () => restartPostgres(), false],
] as const)
  test(`twenty updates a second, and ${what}: every one takes effect once, and is answered`, async () => {
    const [was, statuses] = [sent, await counts()]
    let going = true
    const load = (async () => {
      const start = performance.now()
      // Never for longer than half a minute after the act, and never more than 750.
      for (let i = 0; going && i < 750; i++) {
        await telegram.act(name, { chat: 100_000 + ++sent, text: '/start', language: 'en' })
        await pause(Math.max(0, start + (i + 1) * 50 - performance.now()))
      }
    })()
    await pause(2000)
    const result = await act()
    await pause(2000)
    going = false
    await load
    assert.is(result.code, 0, result.stdout + result.stderr)
    await drained()
    const now = await counts()
    const fresh = Object.fromEntries(
      Object.entries(now)
        .map(([status, n]) => [status, n - (statuses[status] ?? 0)])
        .filter(([, n]) => n !== 0),
    )
    process.stdout.write(`  ${what}: ${sent - was} updates, answers ${JSON.stringify(fresh)}\n`)
    const allowed = only2xx ? /^2\d\d$/ : /^(2\d\d|503)$/
    assert.equal(
      Object.keys(fresh).filter((status) => !allowed.test(status)),
      [],
    )
    assert.is(await count('processed_update'), sent)
    const { sent: replies } = await telegram.report(name)
    assert.is(Object.keys(replies.byChat).length, sent)
    process.stdout.write(`  replies: ${replies.total} to ${sent} people\n`)
  })

async function restartPostgres(): Promise<Run> {
  const { status, stdout, stderr } = await inVps(host, 'docker restart botgarden-postgres', { seconds: 60 })
  return { code: status, stdout, stderr }
}

async function counts(): Promise<Record<string, number>> {
  return (await telegram.report(name)).counts
}

async function drained(): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const { pending, sent: replies } = await telegram.report(name)
    // Replies follow the answer to the update.
    if (pending === 0 && Object.keys(replies.byChat).length >= sent) return
    await pause(500)
  }
  throw new Error('updates still wait at Telegram, or for their reply, after two minutes')
}

test.run()
