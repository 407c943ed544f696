import { randomBytes } from 'node:crypto'
import { badRequest } from '../errors.ts'
import { findButton, message, messageOf, say, userOf } from '../state/chats.ts'
import { type Bot, type Entry, newest } from '../state/state.ts'
import { queueUpdate } from '../state/updates.ts'
import type { World } from '../state/world.ts'
import { type ChosenResult, choose, inlineQuery } from './inline.ts'
import { editOwn, react, vote } from './messages.ts'
import { type PayOrder, pay } from './pay.ts'
import { type SentFile, sendFile } from './send-file.ts'

/** What a person does in a private chat: one of these. */
export interface UserAction {
  /** The id of the chat, and of the person. */
  readonly chat: number
  readonly language?: string
  readonly from?: Readonly<Record<string, unknown>>
  /** The message that it is about; left out where there is a newest one that fits. */
  readonly message_id?: number
  /** Writes a message; with `edit` that becomes the text of the message with this id. */
  readonly text?: string
  readonly edit?: number
  /** Presses the button with this data. */
  readonly data?: string
  readonly file?: SentFile
  readonly contact?: Readonly<Record<string, unknown>>
  readonly location?: Readonly<Record<string, unknown>>
  /** Types the bot's name and these words into any chat. */
  readonly inline?: string
  readonly choose?: ChosenResult
  readonly pay?: PayOrder
  /** Votes for options of a poll, by their numbers from 0. */
  readonly vote?: readonly number[]
  /** An emoji; empty: takes the reaction away. */
  readonly reaction?: string
  /** What a Mini App that was opened by a button under the input field sends. */
  readonly webApp?: { readonly button_text: string; readonly data: string }
}

/** Does it, and queues the update; undefined when the bot does not want that kind. */
export async function act(world: World, bot: Bot, action: UserAction): Promise<number | undefined> {
  const { chat, language, from } = action
  if (!Number.isSafeInteger(chat) || chat <= 0)
    throw badRequest(`chat: should be a number of at least 1, found ${chat}`)
  bot.users[chat] = {
    ...userOf(bot, chat),
    ...(language !== undefined && { language_code: language }),
    ...from,
    ...({ id: chat, is_bot: false } as const),
  }
  return doIt(world, bot, action)
}

async function doIt(world: World, bot: Bot, action: UserAction): Promise<number | undefined> {
  const { chat, text, edit, data, message_id, file, contact, location, webApp } = action
  if (data !== undefined) return press(world, bot, chat, data, message_id)
  if (file !== undefined) return sendFile(world, bot, chat, file)
  if (action.inline !== undefined) return inlineQuery(world, bot, chat, action.inline)
  if (action.choose !== undefined) return choose(world, bot, chat, action.choose)
  if (action.pay !== undefined) return pay(world, bot, chat, action.pay, message_id)
  if (action.vote !== undefined) return vote(world, bot, chat, action.vote, message_id)
  if (action.reaction !== undefined) return react(world, bot, chat, action.reaction, message_id)
  if (contact !== undefined) {
    const own = { phone_number: '15550100', first_name: userOf(bot, chat).first_name, user_id: chat, ...contact }
    return write(world, bot, { chat, from: 'user', text: '', content: { contact: own } })
  }
  if (location !== undefined) {
    const here = { latitude: 52.52, longitude: 13.405, ...location }
    return write(world, bot, { chat, from: 'user', text: '', content: { location: here } })
  }
  if (webApp !== undefined)
    return write(world, bot, { chat, from: 'user', text: '', content: { web_app_data: webApp } })
  if (text === undefined || text === '') throw badRequest('an update needs text or data')
  if (edit !== undefined) return editOwn(world, bot, chat, edit, text)
  return write(world, bot, { chat, from: 'user', text })
}

/** A person's message, which the bot is told of. */
export function write(
  world: World,
  bot: Bot,
  said: Pick<Entry, 'chat' | 'from' | 'text' | 'content' | 'inlineId' | 'keyboard' | 'entities'>,
): number | undefined {
  const entry = message(world, bot, said)
  return queueUpdate(world, bot, said.chat, { message: messageOf(bot, entry) })
}

function press(world: World, bot: Bot, chat: number, data: string, messageId: number | undefined): number | undefined {
  const shown = findButton(bot, chat, data, messageId)
  const id = String(randomBytes(8).readBigUInt64BE() >> 1n)
  bot.presses = newest({ ...bot.presses, [id]: { chat, message_id: shown.message_id, data } }, 5000)
  say(world, bot, { chat, from: 'user', kind: 'press', message_id: shown.message_id, text: data })
  const about =
    shown.inlineId === undefined ? { message: messageOf(bot, shown) } : { inline_message_id: shown.inlineId }
  const query = { id, from: userOf(bot, chat), ...about, chat_instance: String(chat), data }
  return queueUpdate(world, bot, chat, { callback_query: query })
}
