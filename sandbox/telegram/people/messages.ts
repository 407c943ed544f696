import { badRequest } from '../errors.ts'
import { chatWith, messageIn, messageOf, rewrite, userOf } from '../state/chats.ts'
import type { Bot, Entry } from '../state/state.ts'
import { queueUpdate } from '../state/updates.ts'
import { changed, type World } from '../state/world.ts'

/** A person edits a message of his own. */
export function editOwn(world: World, bot: Bot, chat: number, messageId: number, text: string): number | undefined {
  const old = messageIn(bot, chat, messageId)
  if (old?.from !== 'user') throw badRequest(`chat ${chat} has no message ${messageId} of the user`)
  const entry = rewrite(world, bot, old, { ...old, text, editedAt: Date.now() })
  return queueUpdate(world, bot, chat, { edited_message: messageOf(bot, entry) })
}

/** Votes in a poll: the bot is told how it stands, and who voted how unless that is anonymous. */
export function vote(
  world: World,
  bot: Bot,
  chat: number,
  option_ids: readonly number[],
  messageId: number | undefined,
): number | undefined {
  const old = newestOf(bot, chat, messageId, ({ content }) => content?.poll !== undefined)
  const poll = old?.content?.poll
  if (old === undefined || poll === undefined) throw badRequest(`chat ${chat} shows no poll`)
  if (poll.is_closed) throw badRequest('the poll is closed')
  const options = poll.options.map((option, index) => ({
    ...option,
    voter_count: option_ids.includes(index) ? 1 : 0,
  }))
  const now = { ...poll, options, total_voter_count: option_ids.length > 0 ? 1 : 0 }
  rewrite(world, bot, old, { ...old, content: { poll: now } })
  const told = queueUpdate(world, bot, chat, { poll: now })
  if (poll.is_anonymous) return told
  const option_persistent_ids = option_ids.map(String)
  const answer = { poll_id: poll.id, user: userOf(bot, chat), option_ids, option_persistent_ids }
  return queueUpdate(world, bot, chat, { poll_answer: answer })
}

export function react(
  world: World,
  bot: Bot,
  chat: number,
  emoji: string,
  messageId: number | undefined,
): number | undefined {
  const old = newestOf(bot, chat, messageId, ({ from }) => from === 'bot')
  if (old === undefined) throw badRequest(`chat ${chat} has no message to react to`)
  const { user: before, ...others } = old.reactions ?? {}
  // No news to who did it: its place among what was said stays.
  bot.log[bot.log.indexOf(old)] = { ...old, reactions: emoji === '' ? others : { ...others, user: emoji } }
  changed(world, bot)
  const typed = (each = '') => (each === '' ? [] : [{ type: 'emoji', emoji: each }])
  return queueUpdate(world, bot, chat, {
    message_reaction: {
      ...{ chat: chatWith(bot, chat), message_id: old.message_id, user: userOf(bot, chat) },
      ...{ date: Math.floor(Date.now() / 1000), old_reaction: typed(before), new_reaction: typed(emoji) },
    },
  })
}

function newestOf(
  bot: Bot,
  chat: number,
  messageId: number | undefined,
  fits: (entry: Entry) => boolean,
): Entry | undefined {
  if (messageId !== undefined) return messageIn(bot, chat, messageId)
  return bot.log.findLast((each) => each.kind === 'message' && each.chat === chat && fits(each))
}
