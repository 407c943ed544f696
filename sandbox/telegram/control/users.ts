import { randomBytes } from 'node:crypto'
import { badRequest } from '../errors.ts'
import { findButton, messageOf, say, userOf } from '../state/chats.ts'
import { type Bot, trim } from '../state/state.ts'
import { queueUpdate } from '../state/updates.ts'
import type { World } from '../state/world.ts'

/** What a person does in a private chat: writes, or presses a button. */
export interface UserAction {
  /** The id of the chat, and of the person. */
  readonly chat: number
  readonly text?: string
  /** The data of the button; without a message id the newest message that has it. */
  readonly data?: string
  readonly message_id?: number
  readonly language?: string
  readonly from?: Readonly<Record<string, unknown>>
}

/** Does it, and queues the update; undefined when the bot does not want that kind. */
export function act(
  world: World,
  bot: Bot,
  { chat, text, data, message_id, language, from }: UserAction,
): number | undefined {
  if (!Number.isSafeInteger(chat) || chat <= 0)
    throw badRequest(`chat: should be a number of at least 1, found ${chat}`)
  bot.users[chat] = {
    ...userOf(bot, chat),
    ...(language !== undefined && { language_code: language }),
    ...from,
    ...({ id: chat, is_bot: false } as const),
  }
  if (data !== undefined) return press(world, bot, chat, data, message_id)
  if (text === undefined || text === '') throw badRequest('an update needs text or data')
  const entry = say(world, bot, { chat, from: 'user', kind: 'text', message_id: ++bot.last.message, text })
  return queueUpdate(world, bot, chat, { message: messageOf(bot, entry) })
}

function press(world: World, bot: Bot, chat: number, data: string, messageId: number | undefined): number | undefined {
  const shown = findButton(bot, chat, data, messageId)
  const id = String(randomBytes(8).readBigUInt64BE() >> 1n)
  bot.presses[id] = { chat, message_id: shown.message_id, data }
  forgetOld(bot)
  say(world, bot, { chat, from: 'user', kind: 'press', message_id: shown.message_id, text: data })
  const query = { id, from: userOf(bot, chat), message: messageOf(bot, shown), chat_instance: String(chat), data }
  return queueUpdate(world, bot, chat, { callback_query: query })
}

function forgetOld(bot: Bot): void {
  const ids = Object.keys(bot.presses)
  trim(ids, 5000)
  if (ids.length < Object.keys(bot.presses).length)
    bot.presses = Object.fromEntries(ids.flatMap((id) => (bot.presses[id] ? [[id, bot.presses[id]]] : [])))
}
