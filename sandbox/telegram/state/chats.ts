import { badRequest } from '../errors.ts'
import { detected } from '../text/detected.ts'
import { botUser } from './bots.ts'
import { type Bot, type Entry, trim, type User } from './state.ts'
import { changed, runtimeOf, type World } from './world.ts'

type Said = Omit<Entry, 'seq' | 'at' | 'update_id'>

/** Writes down what was said in a chat. */
export function say(world: World, bot: Bot, said: Said): Entry {
  const update = said.from === 'bot' ? runtimeOf(world, bot).handed.get(said.chat) : undefined
  const entry = { seq: ++bot.last.seq, ...said, at: Date.now(), ...(update !== undefined && { update_id: update }) }
  bot.log.push(entry)
  trim(bot.log, 20_000)
  changed(world, bot)
  return entry
}

/** Writes down a new message. */
export function message(world: World, bot: Bot, said: Omit<Said, 'kind' | 'message_id'>): Entry {
  return say(world, bot, { ...said, kind: 'message', message_id: ++bot.last.message })
}

/** Tells the user something that is no message. */
export function notice(world: World, bot: Bot, chat: number, text: string, message_id = 0): Entry {
  return say(world, bot, { chat, from: 'bot', kind: 'notice', message_id, text })
}

/** Replaces an entry by another one, which is new again for readers of the chat. */
export function rewrite(world: World, bot: Bot, old: Entry, now: Omit<Entry, 'seq'>): Entry {
  const entry = { ...now, seq: ++bot.last.seq }
  bot.log[bot.log.indexOf(old)] = entry
  changed(world, bot)
  return entry
}

export function messageIn(bot: Bot, chat: number, messageId: number): Entry | undefined {
  return bot.log.findLast((each) => each.kind === 'message' && each.chat === chat && each.message_id === messageId)
}

/** What is new in a chat, oldest first. */
export function entriesOf(bot: Bot, chat: number, after: number): Entry[] {
  return bot.log.filter((each) => each.chat === chat && each.seq > after).sort((one, other) => one.seq - other.seq)
}

export function userOf(bot: Bot, chat: number): User {
  return bot.users[chat] ?? { id: chat, is_bot: false, first_name: `User ${chat}` }
}

/** The private chat with a person, as messages show it. */
export function chatWith(bot: Bot, chat: number): Record<string, unknown> {
  const { id, first_name, last_name, username } = userOf(bot, chat)
  return {
    ...{ id, first_name },
    ...(last_name !== undefined && { last_name }),
    ...(username !== undefined && { username }),
    type: 'private',
  }
}

/** A message as the Bot API shows it. */
export function messageOf(bot: Bot, entry: Entry): Record<string, unknown> {
  const { text, content, replyTo } = entry
  const repliedTo = replyTo === undefined ? undefined : messageIn(bot, entry.chat, replyTo)
  const entities = entry.entities ?? (entry.from === 'user' ? detected(text) : [])
  const [textName, entitiesName] = content === undefined ? ['text', 'entities'] : ['caption', 'caption_entities']
  return {
    message_id: entry.message_id,
    from: entry.from === 'user' ? userOf(bot, entry.chat) : botUser(bot),
    chat: chatWith(bot, entry.chat),
    date: seconds(entry.at),
    ...(entry.editedAt !== undefined && { edit_date: seconds(entry.editedAt) }),
    ...(entry.inlineId !== undefined && { via_bot: botUser(bot) }),
    ...(repliedTo && { reply_to_message: messageOf(bot, { ...repliedTo, replyTo: 0 }) }),
    ...entry.fields,
    ...content,
    ...((content === undefined || text !== '') && { [textName]: text }),
    ...(entities.length > 0 && { [entitiesName]: entities }),
    ...(entry.keyboard && { reply_markup: { inline_keyboard: entry.keyboard } }),
  }
}

/** The button with this data on one message, or on the newest that has one. */
export function findButton(bot: Bot, chat: number, data: string, messageId?: number): Entry {
  const candidates = messageId === undefined ? bot.log.toReversed() : [messageIn(bot, chat, messageId)]
  const found = candidates.find(
    (each) =>
      each?.kind === 'message' &&
      each.chat === chat &&
      each.keyboard?.flat().some((button) => button.callback_data === data),
  )
  if (found === undefined) throw badRequest(`chat ${chat} shows no button with the data "${data}"`)
  return found
}

function seconds(at: number): number {
  return Math.floor(at / 1000)
}
