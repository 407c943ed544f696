import { autoRetry } from '@grammyjs/auto-retry'
import { HttpError, type MiddlewareFn, type Transformer } from 'grammy'
import { sql } from 'kysely'
import type { BotContext, Outcome } from './context.ts'
import type { Database, Work } from './database.ts'
import { isPassing } from './faults.ts'
import type { Log } from './log.ts'
import { logged } from './logged.ts'
import type { Signal } from './telegram.ts'

/** All calls to Telegram of one update: less than idle_in_transaction_session_timeout, and than Telegram's patience. */
const secondsToSend = 12

/**
 * Every update takes effect once, although Telegram may send it more than once.
 *
 * One transaction holds the note that the update was processed and all that its handlers write. Calls to Telegram are
 * queued and made at the end of it, *before* the commit: killed in between, the update comes again, and with it a second
 * reply. Made after the commit they could be lost, since the update would by then count as processed. The price is that
 * the connection is held while Telegram answers.
 *
 * When this throws, nothing has taken effect, and the update must come again.
 */
export function once(db: Database, log: Log, seconds = secondsToSend): MiddlewareFn<BotContext> {
  return async (ctx, next) => {
    ctx.outcome = await db.transaction().execute(async (work) => {
      await lockChat(ctx, work)
      if (!(await isNew(ctx, work))) return 'duplicate'
      ctx.api.config.use(autoRetry({ maxRetryAttempts: 1, maxDelaySeconds: 5 }), within(seconds))
      return take(ctx, work, next, log)
    })
  }
}

async function take(ctx: BotContext, work: Work, next: () => Promise<void>, log: Log): Promise<Outcome> {
  const calls: (() => Promise<unknown>)[] = []
  ctx.db = work
  ctx.send = (call) => void calls.push(call)
  await sql`savepoint handlers`.execute(work)
  try {
    await next()
    // This also fails where a handler has caught an error of the database and gone on: all is lost by then.
    await sql`release savepoint handlers`.execute(work)
  } catch (error) {
    if (isPassing(error)) throw error
    // Sent again, it would fail again, and hold up its chat for a day: so it counts as processed, without its effects.
    // Where the connection is gone this throws, and it was no bug.
    await sql`rollback to savepoint handlers`.execute(work)
    log.error(logged(ctx.update, error), 'a handler failed')
    return 'bug'
  }
  for (const call of calls) await send(ctx, call, log)
  return 'handled'
}

/** The user has blocked the bot, the message is gone: to try again would not help, and the effects stand. */
async function send(ctx: BotContext, call: () => Promise<unknown>, log: Log): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (isPassing(error)) throw error
    log.warn(logged(ctx.update, error), 'a call to Telegram was refused')
  }
}

/**
 * Telegram sends a chat's updates one after another, but gives up waiting after a while and sends again, and two
 * versions of the bot may run at once. So updates of a chat wait for each other here, in the database, and handlers
 * may read, decide and write. It ends with the transaction.
 */
async function lockChat(ctx: BotContext, work: Work): Promise<void> {
  const id = ctx.chat?.id ?? ctx.from?.id
  if (id !== undefined) await sql`select pg_advisory_xact_lock(${id}::bigint)`.execute(work)
}

/** Waits for a transaction that is at the same update: it is new if that one is rolled back. */
async function isNew(ctx: BotContext, work: Work): Promise<boolean> {
  const insert = work.insertInto('processed_update').values({ update_id: ctx.update.update_id })
  const row = await insert
    .onConflict((conflict) => conflict.doNothing())
    .returning('update_id')
    .executeTakeFirst()
  return row !== undefined
}

/** Auto-retry tries for ever where there is no network. One clock for all calls of an update ends that. */
function within(seconds: number): Transformer {
  const clock = AbortSignal.timeout(seconds * 1_000)
  return async (prev, method, payload, signal) => {
    try {
      return await prev(method, payload, signal ?? (clock as Signal))
    } catch (error) {
      throw error instanceof HttpError ? error : new HttpError(`${method}: no answer within ${seconds} s`, error)
    }
  }
}
