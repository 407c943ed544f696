import { Composer } from 'grammy'
import type { BotContext } from '../context.ts'

/** Comes last: buttons of messages from long ago, and what nobody has understood. */
export const fallback = new Composer<BotContext>()

fallback.on('callback_query', (ctx) => ctx.send(() => ctx.answerCallbackQuery(ctx.t.oldButton)))

// In groups it would answer to every word.
fallback.chatType('private').on('message', (ctx) => ctx.send(() => ctx.reply(ctx.t.unknown)))
