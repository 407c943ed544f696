import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'kysely'
import { createBot } from './bot.ts'
import type { Config } from './config.ts'
import { connections, type Database, openDatabase } from './database.ts'
import { createIntake, type Intake } from './intake.ts'
import type { Log } from './log.ts'
import { poll } from './polling.ts'
import { createBotServer } from './server.ts'
import { StartError } from './start-error.ts'
import { introduce } from './telegram.ts'

export interface App {
  readonly port: number
  /** Settles when the bot ends by itself: it was stopped, or cannot go on, which is an error. */
  readonly ended: Promise<void>
  /** Lets what has begun come to its end, and takes nothing more. */
  stop(): Promise<void>
}

/** How long updates that have begun, and then their calls to Telegram, may take when the bot is stopped. */
const graceMs = 10_000

const tidyMs = 600_000

/** Starts to listen at once, so that health can be asked while Telegram or the database are not there yet. */
export async function startApp(config: Config, log: Log, given: Partial<Parts> = {}): Promise<App> {
  const db = given.db ?? (await openDatabase(config.database, log))
  const { bot, outbox } = given.parts ?? createBot({ token: config.token, apiRoot: config.apiRoot, db, log })
  const intake = createIntake((update) => bot.handleUpdate(update), connections - 1)
  const take: Intake['take'] = async (update) => (outbox.isFull() ? 'again' : intake.take(update))
  const stopping = new AbortController()
  const told = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
  const server = createBotServer({
    webhook: config.mode === 'webhook' ? config.webhook : undefined,
    take,
    unready,
    stopping: () => stopping.signal.aborted,
    log,
  })
  const port = await listen(server, config.port)
  log.info({ port, mode: config.mode, database: config.database.kind }, 'listening')
  const broom = setInterval(() => void forget(db, log), tidyMs).unref()

  async function unready(): Promise<string | undefined> {
    if (stopping.signal.aborted) return 'stopping'
    if (!bot.isInited()) return 'Telegram has not answered yet'
    try {
      await sql`select 1`.execute(db)
      return undefined
    } catch {
      return 'the database does not answer'
    }
  }

  async function work(): Promise<void> {
    await introduce(bot, log, stopping.signal)
    outbox.start()
    if (config.mode === 'webhook') return told
    await poll({ api: bot.api, take, log, signal: stopping.signal })
  }

  const ended = work()
  // It is awaited later, or not at all.
  ended.catch(() => {})

  let stopped: Promise<void> | undefined
  async function stop(): Promise<void> {
    stopping.abort()
    clearInterval(broom)
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeIdleConnections()
    const end = performance.now() + graceMs
    await intake.close(graceMs)
    await outbox.close(Math.max(0, end - performance.now()))
    await ended.catch(() => {})
    // The last answers are on their way out. Whoever does not read them is not waited for.
    setTimeout(() => server.closeAllConnections(), 1_000).unref()
    await closed
    await db.destroy()
  }

  return {
    port,
    ended,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new StartError(`PORT: cannot listen on ${port}: ${error.code}`))
    })
    server.listen(port, () => resolve((server.address() as AddressInfo).port))
  })
}

interface Parts {
  db: Database
  parts: ReturnType<typeof createBot>
}

/** Telegram keeps an update for a day at most. */
export async function forget(db: Database, log: Log): Promise<void> {
  try {
    await db.deleteFrom('processed_update').where('at', '<', sql<Date>`now() - interval '48 hours'`).execute()
  } catch (error) {
    log.warn({ err: error }, 'old entries of processed_update are still there')
  }
}
