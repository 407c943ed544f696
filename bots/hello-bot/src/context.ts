import type { Context } from 'grammy'
import type { Work } from './database.ts'
import type { Messages } from './messages/en.ts'

/** What became of an update. */
export type Outcome = 'handled' | 'duplicate' | 'bug'

/** What handlers get, on top of what grammY gives them. */
export interface Extras {
  /** The transaction of this update: what is written here takes effect once, or not at all. */
  db: Work
  /** The messages in the user's language. */
  t: Messages
  /**
   * Calls Telegram after the commit, until it has answered: `ctx.send(() => ctx.reply('Hello'))`. Calls in there have no
   * answer. Call directly (`await ctx.api…`) where the answer decides what to do, or to upload a file: that is done at
   * once, and cannot be rolled back.
   */
  send: (call: () => Promise<unknown>) => void
  outcome: Outcome
}

export type BotContext = Context & Extras
