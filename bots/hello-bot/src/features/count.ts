import { Composer, InlineKeyboard } from 'grammy'
import type { BotContext } from '../context.ts'
import type { Messages } from '../messages/en.ts'

/** A button under a message, and what a press of it does: the example of an inline keyboard. */
export const count = new Composer<BotContext>()

count.command('count', async (ctx) => {
  if (ctx.from === undefined) return
  const user = await ctx.db.selectFrom('users').select('presses').where('id', '=', ctx.from.id).executeTakeFirst()
  ctx.send(() => ctx.reply(ctx.t.pressed(user?.presses ?? 0), { reply_markup: keyboard(ctx.t) }))
})

count.callbackQuery('count:press', async (ctx) => {
  const { presses } = await ctx.db
    .insertInto('users')
    .values({ id: ctx.from.id, presses: 1, language_code: ctx.from.language_code ?? null })
    .onConflict((conflict) => conflict.column('id').doUpdateSet((old) => ({ presses: old('users.presses', '+', 1) })))
    .returning('presses')
    .executeTakeFirstOrThrow()
  // Unanswered, the button would go on turning.
  ctx.send(() => ctx.answerCallbackQuery(ctx.t.thanks))
  ctx.send(() => ctx.editMessageText(ctx.t.pressed(presses), { reply_markup: keyboard(ctx.t) }))
})

function keyboard(t: Messages): InlineKeyboard {
  return new InlineKeyboard().text(t.press, 'count:press')
}
