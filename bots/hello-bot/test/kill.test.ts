// The process is killed under load, at moments that nobody chose. Runs with TEST_DATABASE_URL, on a database of its own;
// KILLS says how often.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Update } from 'grammy/types'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { afterwards, cleanUp } from './support/cleanup.ts'
import { greetings, processed, serverDatabase, waiting } from './support/database.ts'
import { secret, token } from './support/setup.ts'
import { fakeTelegram } from './support/telegram.ts'
import { until } from './support/until.ts'
import { anna, message } from './support/updates.ts'

const { TEST_DATABASE_URL: url = '', KILLS: kills = '3' } = process.env
const real = url === '' ? test.skip : test

test.after.each(cleanUp)

const port = 20_000 + (process.pid % 10_000)
const chats = 40

function startBot(telegram: string): ChildProcess {
  const env = { BOT_TOKEN: token, BOT_MODE: 'webhook', WEBHOOK_SECRET: secret, PORT: `${port}`, DATABASE_URL: url }
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts')], {
    env: { ...env, TELEGRAM_API_ROOT: telegram, LOG_LEVEL: 'error' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  afterwards(() => child.kill('SIGKILL'))
  return child
}

/** As Telegram does: until it is taken, and a chat's updates one after another. */
async function deliver(update: Update): Promise<void> {
  const headers = { 'X-Telegram-Bot-Api-Secret-Token': secret }
  const options = { method: 'POST', body: JSON.stringify(update), headers }
  const taken = () =>
    fetch(`http://127.0.0.1:${port}/webhook`, options).then(
      ({ status }) => status === 200,
      () => false,
    )
  while (!(await taken())) await pause(20)
}

real('killed under load, every update has one effect, and at least one reply, in order', async () => {
  const db = await serverDatabase(url)
  const telegram = await fakeTelegram()
  telegram.delay(20)
  let child = startBot(telegram.root)
  let going = true
  const sent = Array<number>(chats).fill(0)
  const load = sent.map(async (_, chat) => {
    for (; going; sent[chat] = (sent[chat] ?? 0) + 1) await deliver(message('/start', { ...anna, id: chat + 1 }))
  })
  let processedBefore = 0
  for (let kill = 0; kill < Number(kills); kill++) {
    // Only a process that works can be killed in the middle of its work.
    await until(async () => (await processed(db)) > processedBefore + 20, 60)
    await pause(Math.random() * 500)
    child.kill('SIGKILL')
    await once(child, 'exit')
    processedBefore = await processed(db)
    child = startBot(telegram.root)
  }
  going = false
  await Promise.all(load)
  await until(async () => (await waiting(db)) === 0, 60)
  child.kill('SIGTERM')
  await once(child, 'exit')
  assert.equal(await greetings(db), sent)
  const replies = (chat: number) =>
    telegram.calls().flatMap(({ payload }) => (payload.chat_id === chat + 1 ? [numberIn(String(payload.text))] : []))
  for (const [chat, count] of sent.entries()) {
    const firsts = [...new Set(replies(chat))]
    assert.equal(
      firsts,
      Array.from({ length: count }, (_, n) => n + 1),
      `chat ${chat}`,
    )
  }
  const all = telegram.calls().length
  const total = sent.reduce((sum, count) => sum + count, 0)
  process.stdout.write(`  ${total} updates, ${all} replies, ${all - total} of them twice, ${kills} kills\n`)
})

/** Which greeting it was. */
function numberIn(text: string): number {
  return Number(/met (\d+) times/.exec(text)?.[1] ?? 1)
}

test.run()
