import { HttpError, type MiddlewareFn, type Transformer } from 'grammy'
import { isAbortedTransactionError, sql } from 'kysely'
import { chatOf } from './chat.ts'
import type { BotContext } from './context.ts'
import type { Database, Work } from './database.ts'
import { isPassing } from './faults.ts'
import type { Log } from './log.ts'
import { logged } from './logged.ts'
import type { Outbox } from './outbox/index.ts'
import { createRecorder } from './outbox/record.ts'
import type { Row } from './outbox/table.ts'
import type { Signal } from './telegram.ts'

/** Calls that a handler makes directly, all of one update: less than idle_in_transaction_session_timeout. */
const secondsToCall = 12

/**
 * Every update takes effect once, although Telegram may send it more than once.
 *
 * One transaction holds the note that the update was processed, all that its handlers write, and the calls to Telegram
 * that they want, as rows of the outbox. Those are made after the commit, and repeated until Telegram has answered: a
 * process that is killed in between leaves them to the next one. A reply can come twice, and never fails to come.
 *
 * When this throws, nothing has taken effect, and the update must come again.
 */
export function once(
  { db, outbox, log }: { db: Database; outbox: Outbox; log: Log },
  seconds = secondsToCall,
): MiddlewareFn<BotContext> {
  return async (ctx, next) => {
    const { update_id } = ctx.update
    let mayBeKept = false
    try {
      const rows = await db.transaction().execute(async (work) => {
        if (!(await isNew(ctx, work))) return undefined
        const kept = await take(ctx, work, next, outbox, seconds)
        mayBeKept = kept.length > 0
        return kept
      })
      ctx.outcome = rows === undefined ? 'duplicate' : 'handled'
      outbox.send(rows ?? [])
    } catch (error) {
      if (!isBug(error)) {
        if (mayBeKept) outbox.doubt()
        throw error
      }
      log.error(logged(ctx.update, error instanceof Bug ? error.cause : error), 'a handler failed')
      // Sent again, it would fail again, and hold up its chat for a day: so it counts as processed, without its effects.
      await note(db, update_id)
      ctx.outcome = 'bug'
    }
  }
}

/** Returns the rows of the outbox. */
async function take(
  ctx: BotContext,
  work: Work,
  next: () => Promise<void>,
  outbox: Outbox,
  seconds: number,
): Promise<readonly Row[]> {
  const makers: (() => Promise<unknown>)[] = []
  const { transformer, record } = createRecorder(String(chatOf(ctx.update) ?? ''))
  ctx.api.config.use(within(seconds), transformer)
  ctx.db = work
  ctx.send = (call) => void makers.push(call)
  const calls = await next()
    .then(() => record(makers))
    .catch((error: unknown) => {
      throw isPassing(error) ? error : new Bug('a handler failed', { cause: error })
    })
  return outbox.keep(work, ctx.update.update_id, calls)
}

/** What a handler threw. Where the connection is gone, the rollback fails, and that is thrown instead: it was no bug. */
class Bug extends Error {}

/**
 * Also where a handler has caught an error of the database and gone on: all is lost by then. And where the commit finds
 * that a constraint is broken.
 */
function isBug(error: unknown): boolean {
  if (error instanceof Bug || isAbortedTransactionError(error)) return true
  return /^(25P02|23...)$/.test(String((error as { code?: unknown }).code))
}

/**
 * Telegram sends a chat's updates one after another, but gives up waiting after a while and sends again, and two
 * versions of the bot may run at once. So updates of a chat wait for each other here, in the database, and handlers
 * may read, decide and write. It ends with the transaction.
 */
async function isNew(ctx: BotContext, work: Work): Promise<boolean> {
  const chat = chatOf(ctx.update)
  if (chat === undefined) return note(work, ctx.update.update_id)
  const { rows } = await sql`
    with locked as materialized (select pg_advisory_xact_lock(${chat}::bigint))
    insert into processed_update (update_id) select ${ctx.update.update_id}::bigint from locked
    on conflict do nothing returning update_id`.execute(work)
  return rows.length > 0
}

async function note(db: Database, update_id: number): Promise<boolean> {
  const insert = db.insertInto('processed_update').values({ update_id })
  const row = await insert
    .onConflict((conflict) => conflict.doNothing())
    .returning('update_id')
    .executeTakeFirst()
  return row !== undefined
}

/** One clock for all direct calls of an update: it holds a connection. */
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
