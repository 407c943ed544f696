/** Everything that outlives a restart: plain data, saved as JSON. */
export interface State {
  readonly bots: Bot[]
}

export interface Bot {
  readonly id: number
  readonly name: string
  readonly username: string
  token: string
  /** By scope and language, as setMyCommands was told. */
  commands: Record<string, unknown>
  /** Null: Telegram's default. */
  allowedUpdates: string[] | null
  webhook: Webhook | null
  /** Neither confirmed by getUpdates nor answered by the webhook, in the order of their ids. */
  pending: Update[]
  users: Record<string, User>
  /** The chats that do not want to hear from this bot. */
  blocked: number[]
  /** What was said in the chats, by both sides: the newest only. */
  log: Entry[]
  /** Button presses by the id of their callback query. */
  presses: Record<string, Press>
  deliveries: Delivery[]
  /** How many deliveries ended with which HTTP status; those without one count as `error`. */
  counts: Record<string, number>
  last: { update: number; message: number; seq: number }
}

export interface Webhook {
  readonly url: string
  readonly secret: string
  readonly maxConnections: number
  /** The uploaded PEM: trusted instead of the public authorities. */
  readonly certificate: string | null
  ip: string
  /** Given by the caller: not looked up again. */
  readonly ipFixed: boolean
  lastError: { readonly date: number; readonly message: string } | null
  /** Milliseconds, as of Date.now(): since when it has answered nothing but 410. */
  goneSince: number | null
}

export interface Update {
  readonly id: number
  readonly chat: number
  /** What Telegram sends beside `update_id`. */
  readonly body: Readonly<Record<string, unknown>>
  readonly expiresAt: number
  failures: number
  /** Seconds that the last wait would have been; doubled by the next one. */
  delay: number
  wakeAt: number
}

export interface User {
  readonly id: number
  readonly is_bot: false
  readonly first_name: string
  readonly language_code?: string
  readonly [field: string]: unknown
}

/** One thing said in a chat. */
export interface Entry {
  /** Grows with every entry and every edit: what came after a number is what is new. */
  readonly seq: number
  readonly chat: number
  readonly from: 'user' | 'bot'
  /** A message, a button that the user pressed, or the words by which the bot answered the press. */
  readonly kind: 'text' | 'press' | 'notice'
  readonly message_id: number
  readonly text: string
  readonly keyboard?: readonly (readonly Button[])[]
  /** Milliseconds, as of Date.now(). */
  readonly at: number
  readonly editedAt?: number
  /** What the bot said: the update of this chat that it had got last. */
  readonly update_id?: number
}

export interface Button {
  readonly text: string
  readonly callback_data?: string
  readonly url?: string
  readonly [field: string]: unknown
}

export interface Press {
  readonly chat: number
  readonly message_id: number
  readonly data: string
  answer?: { readonly text: string; readonly alert: boolean; readonly at: number }
}

/** One attempt to hand an update to a webhook. */
export interface Delivery {
  readonly update_id: number
  readonly chat: number
  readonly attempt: number
  readonly status?: number
  readonly error?: string
  readonly ms: number
  readonly at: number
}

/** Keeps the newest of a list that would grow for ever. */
export function trim(list: unknown[], length: number): void {
  // Not one by one: every removal from the front moves the whole list.
  if (list.length > length * 1.1) list.splice(0, list.length - length)
}
