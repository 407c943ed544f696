import type { Composer } from 'grammy'
import type { Update } from 'grammy/types'
import { startApp } from '../../src/app.ts'
import { createBot } from '../../src/bot.ts'
import type { Config } from '../../src/config.ts'
import type { BotContext } from '../../src/context.ts'
import type { Database } from '../../src/database.ts'
import { createLog } from '../../src/log.ts'
import { afterwards } from './cleanup.ts'
import { cleanDatabase, waiting } from './database.ts'
import { fakeTelegram } from './telegram.ts'
import { until } from './until.ts'

export const token = '123456:a-token-of-a-test'
export const secret = 'the-secret-of-the-webhook'

interface Options {
  features?: Composer<BotContext>
  db?: Database
  secondsToSend?: number
  mode?: Config['mode']
}

/**
 * A bot that is ready for updates, with a database, a Telegram and a log to look into. `bot.handleUpdate` comes back at
 * the commit, `handle` when the outbox is empty.
 */
export async function setUp({ db: given, ...options }: Options = {}) {
  const db = given ?? (await cleanDatabase())
  const telegram = await fakeTelegram()
  const lines: string[] = []
  const log = createLog({ level: 'debug', secrets: [token, secret], to: { write: (line) => void lines.push(line) } })
  const parts = createBot({ token, apiRoot: telegram.root, db, log, ...options })
  const { bot, outbox } = parts
  await bot.init()
  // Whatever a test leaves behind must not reach the Telegram of the next one.
  afterwards(() => outbox.close(0))
  const entries = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const handle = async (update: Update) => {
    await bot.handleUpdate(update)
    await until(async () => (await waiting(db)) === 0)
  }
  return { db, telegram, log, parts, bot, outbox, handle, text: () => lines.join(''), entries }
}

/** The same as a whole app that listens. */
export async function setUpApp(options: Options = {}) {
  const all = await setUp(options)
  const config: Config = {
    token,
    mode: options.mode ?? 'webhook',
    webhook: { path: '/webhook', secret },
    port: 0,
    apiRoot: all.telegram.root,
    logLevel: 'info',
    database: { kind: 'embedded', folder: 'unused' },
    secrets: [token, secret],
  }
  // The database belongs to all tests.
  const db = new Proxy(all.db, { get: (on, key) => (key === 'destroy' ? async () => {} : bound(on, key)) })
  const app = await startApp(config, all.log, { db, parts: all.parts })
  const url = `http://127.0.0.1:${app.port}`
  const post = (body: unknown, headers: Record<string, string> = { 'X-Telegram-Bot-Api-Secret-Token': secret }) =>
    fetch(`${url}/webhook`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers,
    })
  afterwards(app.stop)
  return { ...all, app, url, post }
}

function bound(on: Database, key: string | symbol): unknown {
  const value = Reflect.get(on, key) as unknown
  return typeof value === 'function' ? value.bind(on) : value
}
