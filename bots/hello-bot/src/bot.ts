import { Bot, type Composer, type MiddlewareFn } from 'grammy'
import type { BotContext } from './context.ts'
import type { Database } from './database.ts'
import { allFeatures } from './features/index.ts'
import type { Log } from './log.ts'
import { logged } from './logged.ts'
import { messagesFor } from './messages/index.ts'
import { once } from './once.ts'

/** The kinds of updates that the features need; the same stands in bot.yaml. */
export const allowedUpdates = ['message', 'callback_query'] as const

/** The bot, not started: updates go into `bot.handleUpdate`, which throws where an update must come again. */
export function createBot(options: {
  token: string
  apiRoot: string
  db: Database
  log: Log
  /** Other ones than ours, for a test. */
  features?: Composer<BotContext>
  secondsToSend?: number
}): Bot<BotContext> {
  const { token, apiRoot, db, log, features = allFeatures, secondsToSend } = options
  // Longer than a long poll; calls of handlers end sooner, see once.ts.
  const bot = new Bot<BotContext>(token, { client: { apiRoot, timeoutSeconds: 40 } })
  bot.use(journal(log), once(db, log, secondsToSend))
  bot.use((ctx, next) => {
    ctx.t = messagesFor(ctx.from?.language_code)
    return next()
  })
  bot.use(features)
  return bot
}

/** A line for each update: what it was, how long it took and what became of it; nothing of what is in it. */
function journal(log: Log): MiddlewareFn<BotContext> {
  return async (ctx, next) => {
    const start = performance.now()
    const ms = () => Math.round(performance.now() - start)
    try {
      await next()
      log.info({ ...logged(ctx.update), ms: ms(), outcome: ctx.outcome }, 'update')
    } catch (error) {
      log.error({ ...logged(ctx.update, error), ms: ms(), outcome: 'again' }, 'update')
      throw error
    }
  }
}
