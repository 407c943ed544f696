import { setTimeout as sleep } from 'node:timers/promises'
import { type ApiError, conflict } from '../errors.ts'
import type { Bot } from '../state/state.ts'
import { dropExpired, markHanded, parseAllowed } from '../state/updates.ts'
import { awaitChange, changed, type Runtime, runtimeOf, scaled, type World } from '../state/world.ts'
import { integer } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'

export async function getUpdates({ world, bot, args, signal }: Call): Promise<Answer> {
  const runtime = runtimeOf(world, bot)
  if (bot.webhook !== null) {
    const hint = 'use deleteWebhook to delete the webhook first'
    return failLate(world, runtime, conflict(`can't use getUpdates method while webhook is active; ${hint}`))
  }
  const allowed = parseAllowed(args.get('allowed_updates'))
  if (allowed !== undefined) bot.allowedUpdates = allowed
  confirm(bot, integer(args, 'offset', 0))
  changed(world, bot)
  const limit = integer(args, 'limit', 100, [1, 100])
  const seconds = integer(args, 'timeout', 0, [0, 50])
  const updates = await longPoll(world, bot, { seconds, signal }, () => bot.pending.slice(0, limit))
  for (const update of updates) markHanded(world, bot, update)
  return answer(updates.map(({ id, body }) => ({ update_id: id, ...body })))
}

/** Ends the long poll that waits: another client asks for the updates. */
export function endLongPoll(world: World, bot: Bot, error: ApiError): void {
  runtimeOf(world, bot).longPoll?.end(error)
}

/** An offset says what the bot has done with: everything before it; a negative one leaves that many at the end. */
function confirm(bot: Bot, offset: number): void {
  dropExpired(bot)
  if (offset < 0) bot.pending = bot.pending.slice(offset)
  // An offset in the future confirms nothing.
  if (offset > 0 && offset <= bot.last.update + 1) bot.pending = bot.pending.filter(({ id }) => id >= offset)
}

async function longPoll<T>(
  world: World,
  bot: Bot,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
  look: () => T[],
): Promise<T[]> {
  const runtime = runtimeOf(world, bot)
  if (seconds === 0 || look().length > 0) return look()
  const why = 'terminated by other getUpdates request; make sure that only one bot instance is running'
  endLongPoll(world, bot, conflict(why))
  const ended = new AbortController()
  let error: ApiError | undefined
  const self = {
    end(reason: ApiError) {
      error = reason
      ended.abort()
    },
  }
  runtime.longPoll = self
  const found = await awaitChange(runtime, { seconds, signal: AbortSignal.any([signal, ended.signal]) }, look)
  if (runtime.longPoll === self) runtime.longPoll = undefined
  return error === undefined ? found : failLate(world, runtime, error)
}

/** A conflict is told at once, a second one soon after it only 3 s later: two bots that fight should not do so fast. */
async function failLate(world: World, runtime: Runtime, error: ApiError): Promise<never> {
  if (Date.now() < runtime.nextConflictAt) await sleep(scaled(world, 3))
  else runtime.nextConflictAt = Date.now() + scaled(world, 3)
  throw error
}
