import { Composer } from 'grammy'
import type { BotContext } from '../context.ts'

export const stats = new Composer<BotContext>()

stats.command('stats', async (ctx) => {
  const { users, greetings } = await ctx.db
    .selectFrom('users')
    .select((of) => [of.fn.countAll().as('users'), of.fn.sum('greetings').as('greetings')])
    .executeTakeFirstOrThrow()
  // A bigint, which pg gives as a string; a sum of nothing is null.
  ctx.send(() => ctx.reply(ctx.t.stats(Number(users), Number(greetings ?? 0))))
})
