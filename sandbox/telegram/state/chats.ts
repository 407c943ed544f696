import { badRequest } from '../errors.ts'
import { meOf } from './bots.ts'
import { type Bot, type Button, type Entry, trim, type User } from './state.ts'
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

/** Replaces a message by its edited version, which is new again for readers of the chat. */
export function rewrite(world: World, bot: Bot, old: Entry, now: Pick<Entry, 'text' | 'keyboard'>): Entry {
  const { keyboard: _, ...rest } = old
  const entry = { ...rest, ...now, seq: ++bot.last.seq, editedAt: Date.now() }
  bot.log[bot.log.indexOf(old)] = entry
  changed(world, bot)
  return entry
}

export function messageIn(bot: Bot, chat: number, messageId: number): Entry | undefined {
  return bot.log.findLast((each) => each.kind === 'text' && each.chat === chat && each.message_id === messageId)
}

/** What is new in a chat, oldest first. */
export function entriesOf(bot: Bot, chat: number, after: number): Entry[] {
  return bot.log.filter((each) => each.chat === chat && each.seq > after).sort((one, other) => one.seq - other.seq)
}

export function userOf(bot: Bot, chat: number): User {
  return bot.users[chat] ?? { id: chat, is_bot: false, first_name: `User ${chat}` }
}

/** A message as the Bot API shows it. */
export function messageOf(bot: Bot, entry: Entry): Record<string, unknown> {
  const user = userOf(bot, entry.chat)
  const { id, first_name, last_name, username } = user
  const { is_bot, first_name: name, username: botName } = meOf(bot)
  const sender = entry.from === 'user' ? user : { id: bot.id, is_bot, first_name: name, username: botName }
  return {
    message_id: entry.message_id,
    from: sender,
    chat: {
      id,
      first_name,
      ...(last_name !== undefined && { last_name }),
      ...(username !== undefined && { username }),
      type: 'private',
    },
    date: seconds(entry.at),
    ...(entry.editedAt !== undefined && { edit_date: seconds(entry.editedAt) }),
    text: entry.text,
    ...entitiesOf(entry),
    ...(entry.keyboard && { reply_markup: { inline_keyboard: entry.keyboard } }),
  }
}

/** The button with this data on one message, or on the newest that has one. */
export function findButton(bot: Bot, chat: number, data: string, messageId?: number): Entry {
  const candidates = messageId === undefined ? bot.log.toReversed() : [messageIn(bot, chat, messageId)]
  const found = candidates.find(
    (each) => each?.chat === chat && each.keyboard?.flat().some((button: Button) => button.callback_data === data),
  )
  if (found === undefined) throw badRequest(`chat ${chat} shows no button with the data "${data}"`)
  return found
}

function entitiesOf({ from, text }: Entry) {
  if (from === 'bot') return {}
  const commands = [...text.matchAll(/(?<![^\s])\/[a-z0-9_]{1,32}(@\w+)?(?!\w)/gi)]
  if (commands.length === 0) return {}
  return {
    entities: commands.map(({ 0: word, index }) => ({ offset: index, length: word.length, type: 'bot_command' })),
  }
}

function seconds(at: number): number {
  return Math.floor(at / 1000)
}
