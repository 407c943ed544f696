import { randomBytes } from 'node:crypto'
import { contentOfResult } from '../bot-api/inline.ts'
import { badRequest } from '../errors.ts'
import { message, messageOf, userOf } from '../state/chats.ts'
import { type Bot, newest } from '../state/state.ts'
import { queueUpdate } from '../state/updates.ts'
import type { World } from '../state/world.ts'

/** The result that a person chooses: of the newest answered query, by its place from 0. */
export interface ChosenResult {
  readonly index: number
}

export function inlineQuery(world: World, bot: Bot, chat: number, query: string): number | undefined {
  const id = String(randomBytes(8).readBigUInt64BE() >> 1n)
  bot.inlineQueries = newest({ ...bot.inlineQueries, [id]: { chat, query, at: Date.now() } }, 1000)
  return queueUpdate(world, bot, chat, {
    inline_query: { id, from: userOf(bot, chat), chat_type: 'sender', query, offset: '' },
  })
}

/** Sends the result into the chat with the bot, which is told of the choice, and of the message as of any other there. */
export function choose(world: World, bot: Bot, chat: number, { index }: ChosenResult): number | undefined {
  const [query] = Object.values(bot.inlineQueries)
    .filter((each) => each.chat === chat && each.results !== undefined)
    .slice(-1)
  const result = query?.results?.[index]
  if (query === undefined || result === undefined) throw badRequest(`chat ${chat} shows no result ${index + 1}`)
  const sent = contentOfResult(bot, result)
  const inlineId = `AQAAA${randomBytes(15).toString('base64url')}`
  const entry = message(world, bot, { chat, from: 'user', ...sent, inlineId })
  queueUpdate(world, bot, chat, { message: messageOf(bot, entry) })
  return queueUpdate(world, bot, chat, {
    chosen_inline_result: {
      ...{ result_id: result.id, from: userOf(bot, chat), query: query.query },
      // Only a message with buttons can be edited by the bot later.
      ...(sent.keyboard && { inline_message_id: inlineId }),
    },
  })
}
