import { Composer } from 'grammy'
import type { BotContext } from '../context.ts'

/** Greets the user, and remembers that it did. Names are not kept: Telegram tells them each time. */
export const start = new Composer<BotContext>()

start.command('start', async (ctx) => {
  if (ctx.from === undefined) return
  const { id, first_name, language_code = null } = ctx.from
  const { greetings } = await ctx.db
    .insertInto('users')
    .values({ id, language_code, greetings: 1 })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((old) => ({ language_code, greetings: old('users.greetings', '+', 1) })),
    )
    .returning('greetings')
    .executeTakeFirstOrThrow()
  ctx.send(() => ctx.reply(greetings === 1 ? ctx.t.hello(first_name) : ctx.t.helloAgain(first_name, greetings)))
})
