import { type Api, Context } from 'grammy'
import type { Update, UserFromGetMe } from 'grammy/types'

/** Where an update belongs: its chat, or else its user. What belongs together stays in order. */
export function chatOf(update: Update): number | undefined {
  // Neither of the two is asked for anything.
  const ctx = new Context(update, {} as Api, {} as UserFromGetMe)
  return ctx.chat?.id ?? ctx.from?.id
}
