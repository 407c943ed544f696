import { Bot, type Composer, type MiddlewareFn } from 'grammy'
import type { BotContext } from './context.ts'
import type { Database } from './database.ts'
import { allFeatures } from './features/index.ts'
import type { Log } from './log.ts'
import { logged } from './logged.ts'
import { messagesFor } from './messages/index.ts'
import { once } from './once.ts'
import { createOutbox, type Outbox } from './outbox/index.ts'

/** The kinds of updates that the features need; the same stands in bot.yaml. */
export const allowedUpdates = ['message', 'callback_query'] as const

/**
 * The bot, not started: updates go into `bot.handleUpdate`, which throws where an update must come again. What the bot
 * says goes through the outbox.
 */
export function createBot(options: {
  token: string
  apiRoot: string
  db: Database
  log: Log
  /** Other ones than ours, for a test. */
  features?: Composer<BotContext>
  secondsToSend?: number
}): { bot: Bot<BotContext>; outbox: Outbox } {
  const { token, apiRoot, db, log, features = allFeatures, secondsToSend } = options
  // Longer than a long poll; other calls end sooner, see once.ts and outbox/sender.ts.
  const bot = new Bot<BotContext>(token, { client: { apiRoot, timeoutSeconds: 40 } })
  const outbox = createOutbox({ db, api: bot.api, log, secondsToSend })
  bot.use(journal(log), once({ db, outbox, log }, secondsToSend))
  bot.use((ctx, next) => {
    ctx.t = messagesFor(ctx.from?.language_code)
    return next()
  })
  bot.use(features)
  return { bot, outbox }
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
