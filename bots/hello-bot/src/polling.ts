import type { Api } from 'grammy'
import { GrammyError } from 'grammy'
import type { Update } from 'grammy/types'
import { allowedUpdates } from './bot.ts'
import type { Intake } from './intake.ts'
import type { Log } from './log.ts'
import { StartError } from './start-error.ts'
import { persistently, rest, type Signal, throwIfWrongToken } from './telegram.ts'

export interface PollOptions {
  readonly api: Api
  readonly take: Intake['take']
  readonly log: Log
  readonly signal: AbortSignal
  /** How long another poller may go on, in milliseconds. */
  readonly conflictLimit?: number
}

/**
 * Asks for updates until the signal. What was not confirmed when the process ends comes again at the next start, and
 * has no second effect.
 */
export async function poll({ api, take, log, signal, conflictLimit = 60_000 }: PollOptions): Promise<void> {
  // Telegram refuses to be polled while a webhook is set. What waits there is kept.
  await persistently('deleteWebhook', log, signal, (limited) =>
    api.deleteWebhook({ drop_pending_updates: false }, limited),
  )
  const conflict = conflictWatch(conflictLimit, log)
  let offset = 0
  let seconds = 1
  while (!signal.aborted) {
    try {
      const options = { offset, timeout: 25, allowed_updates: allowedUpdates }
      const updates = await api.getUpdates(options, signal as Signal)
      seconds = 1
      offset = await takeAll(updates, offset, take, signal)
    } catch (error) {
      if (signal.aborted) return
      throwIfWrongToken(error)
      if (error instanceof GrammyError && error.error_code === 409) conflict()
      else log.warn({ err: error, seconds }, 'getUpdates failed: trying again')
      await rest(seconds * 1_000, signal)
      seconds = Math.min(seconds * 2, 10)
    }
  }
}

/** One after another, and none is left out: an update that must come again is taken again before the next. */
async function takeAll(
  updates: readonly Update[],
  offset: number,
  take: Intake['take'],
  signal: AbortSignal,
): Promise<number> {
  let done = offset
  for (const update of updates) {
    for (let seconds = 1; (await take(update)) === 'again'; seconds = Math.min(seconds * 2, 30)) {
      await rest(seconds * 1_000, signal)
      if (signal.aborted) return done
    }
    done = update.update_id + 1
  }
  return done
}

/**
 * A poller that is being replaced meets its successor for a few seconds. Two that are there to stay would take updates
 * from each other for ever, each with a success now and then.
 */
function conflictWatch(limit: number, log: Log): () => void {
  let first = Number.NEGATIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  return () => {
    const now = performance.now()
    if (now - last > limit) first = now
    last = now
    if (now - first >= limit)
      throw new StartError('another process polls with this token: stop it, or give this bot a token of its own')
    log.warn('another process polls with this token: trying again')
  }
}
