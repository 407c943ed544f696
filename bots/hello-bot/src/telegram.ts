import { setTimeout as pause } from 'node:timers/promises'
import type { Bot } from 'grammy'
import type { BotContext } from './context.ts'
import { isWrongToken } from './faults.ts'
import type { Log } from './log.ts'
import { StartError } from './start-error.ts'

/** A signal as grammY's types want it: the same object, by another name. */
export type Signal = NonNullable<Parameters<Bot['api']['getMe']>[0]>

/** Asks Telegram who the bot is, until it answers. Without that no update can be handled. */
export async function introduce(bot: Bot<BotContext>, log: Log, signal: AbortSignal): Promise<void> {
  await persistently('getMe', log, signal, async (limited) => {
    bot.botInfo = await bot.api.getMe(limited)
  })
}

/** Tries until it works, ever less often. A wrong token is the operator's to mend, and ends it. */
export async function persistently(
  what: string,
  log: Log,
  signal: AbortSignal,
  call: (limited: Signal) => Promise<unknown>,
): Promise<void> {
  for (let seconds = 1; !signal.aborted; seconds = Math.min(seconds * 2, 30)) {
    try {
      await call(AbortSignal.any([signal, AbortSignal.timeout(10_000)]) as Signal)
      return
    } catch (error) {
      if (signal.aborted) return
      throwIfWrongToken(error)
      log.warn({ err: error, seconds }, `${what} failed: trying again`)
      await rest(seconds * 1_000, signal)
    }
  }
}

export function throwIfWrongToken(error: unknown): void {
  if (isWrongToken(error))
    throw new StartError('BOT_TOKEN: Telegram knows no bot with this token; ask BotFather for it')
}

/** Waits, but not past the signal. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => {})
}
