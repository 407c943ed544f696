import type { Invoice, MenuButton, Message, MessageEntity } from '@grammyjs/types'

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
  /** Name, descriptions and administrator rights, each by its kind and language: `name en`. */
  profile: Record<string, unknown>
  /** By chat; that of chats without one is `0`. */
  menuButtons: Record<string, MenuButton>
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
  /** Files by their file_id; what is in them is kept elsewhere. */
  files: Record<string, StoredFile>
  /** The pinned messages of each chat, the newest last. */
  pins: Record<string, number[]>
  inlineQueries: Record<string, InlineQuery>
  /** Invoices that createInvoiceLink has made, by the last part of their link. */
  invoiceLinks: Record<string, Order>
  /** What is being paid, by the id of the query that the bot has to answer next. */
  checkouts: Record<string, Checkout>
  payments: Payment[]
  /** The chats of Mini Apps that were opened, by the query id in their launch data. */
  webAppQueries: Record<string, number>
  /** How often the bot has called methods that Telegram has and this server does not. */
  missing: Record<string, number>
  /** Milliseconds, as of Date.now(): after logOut every method is refused until then. */
  loggedOutUntil: number
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

/** What a message holds besides its text or caption, in the fields that the Bot API has for it. */
export type Content = Partial<
  Pick<
    Message,
    | ('photo' | 'document' | 'video' | 'audio' | 'voice' | 'animation' | 'sticker' | 'video_note')
    | ('poll' | 'location' | 'venue' | 'contact' | 'dice')
    | ('invoice' | 'successful_payment' | 'refunded_payment' | 'web_app_data')
  >
>

/** One thing said in a chat. */
export interface Entry {
  /** Grows with every entry and every edit: what came after a number is what is new. */
  readonly seq: number
  readonly chat: number
  readonly from: 'user' | 'bot'
  /**
   * A message, or one that was deleted; a button that the user pressed; what the bot or Telegram told the user without a
   * message; the results of an inline query, which the user chooses from.
   */
  readonly kind: 'message' | 'deleted' | 'press' | 'notice' | 'results'
  readonly message_id: number
  /** The text, or the caption. */
  readonly text: string
  readonly entities?: readonly MessageEntity[]
  /** Left out: nothing but text. */
  readonly content?: Content
  readonly keyboard?: readonly (readonly Button[])[]
  /** The buttons under the input field from now on; none: they are taken away. */
  readonly replyKeyboard?: readonly (readonly Button[])[]
  /** Further fields of the message, as the Bot API has them. */
  readonly fields?: Readonly<
    Partial<Pick<Message, 'media_group_id' | 'forward_origin' | 'has_media_spoiler' | 'has_protected_content'>>
  >
  readonly replyTo?: number
  /** Of a message that came by inline mode or by answerWebAppQuery: the id by which the bot may edit it. */
  readonly inlineId?: string
  /** What its pay button sells. */
  readonly order?: Order
  readonly results?: readonly Readonly<Record<string, unknown>>[]
  /** The reaction of each side. */
  readonly reactions?: Readonly<Partial<Record<'user' | 'bot', string>>>
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
  readonly web_app?: { readonly url: string }
  readonly pay?: boolean
  readonly [field: string]: unknown
}

export interface Press {
  readonly chat: number
  readonly message_id: number
  readonly data: string
  answer?: { readonly text: string; readonly alert: boolean; readonly at: number }
}

export type FileKind = 'photo' | 'document' | 'video' | 'audio' | 'voice' | 'animation' | 'sticker' | 'video_note'

export interface StoredFile {
  readonly file_id: string
  readonly file_unique_id: string
  readonly kind: FileKind
  /** As getFile tells it. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly name: string
  readonly mime: string
  /** Pixels. */
  readonly width: number
  readonly height: number
}

export interface InlineQuery {
  readonly chat: number
  readonly query: string
  /** Milliseconds, as of Date.now(). */
  readonly at: number
  results?: readonly Readonly<Record<string, unknown>>[]
}

/** What is to be paid for, and what of the buyer the bot wants to know. */
export interface Order {
  readonly invoice: Invoice
  readonly payload: string
  /** Whether the bot is asked for shipping options first. */
  readonly isFlexible: boolean
  readonly needs: readonly ('name' | 'phone_number' | 'email' | 'shipping_address')[]
}

export interface Checkout {
  readonly chat: number
  readonly order: Order
  readonly asked: 'shipping' | 'payment'
  /** In the smallest units of the currency, with shipping. */
  readonly total: number
  readonly shippingOption?: string
  /** Milliseconds, as of Date.now(). */
  readonly at: number
}

export interface Payment {
  readonly chargeId: string
  readonly chat: number
  readonly currency: string
  readonly total: number
  readonly payload: string
  /** Milliseconds, as of Date.now(). */
  readonly at: number
  refundedAt?: number
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

/** The newest of a record that would grow for ever. Its keys are too long to be indices, so they stay in their order. */
export function newest<T>(record: Readonly<Record<string, T>>, length: number): Record<string, T> {
  const entries = Object.entries(record)
  return entries.length > length * 1.1 ? Object.fromEntries(entries.slice(-length)) : record
}
