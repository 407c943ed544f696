import type { Bot, Update } from './state.ts'
import { changed, runtimeOf, scaled, type World } from './world.ts'

const updateTypes =
  `message edited_message channel_post edited_channel_post inline_query chosen_inline_result callback_query custom_event
  custom_query shipping_query pre_checkout_query poll poll_answer my_chat_member chat_member chat_join_request chat_boost
  removed_chat_boost message_reaction message_reaction_count business_connection business_message edited_business_message
  deleted_business_messages purchased_paid_media managed_bot guest_message`.split(/\s+/)

/** What a bot gets that never said what it wants. */
const standard = updateTypes.filter(
  (type) => !['chat_member', 'message_reaction', 'message_reaction_count'].includes(type),
)

/** Queues an update; undefined when the bot does not want its kind, which Telegram decides here and not when it sends. */
export function queueUpdate(world: World, bot: Bot, chat: number, body: Record<string, unknown>): number | undefined {
  if (!Object.keys(body).some((type) => (bot.allowedUpdates ?? standard).includes(type))) return undefined
  const now = Date.now()
  const expiresAt = now + scaled(world, 24 * 3600)
  bot.pending.push({ id: ++bot.last.update, chat, body, expiresAt, failures: 0, delay: 1, wakeAt: now })
  changed(world, bot)
  runtimeOf(world, bot).worker?.wake()
  return bot.last.update
}

/** Drops updates that were not fetched for a day. */
export function dropExpired(bot: Bot): void {
  const now = Date.now()
  if (bot.pending.some(({ expiresAt }) => expiresAt < now))
    bot.pending = bot.pending.filter(({ expiresAt }) => expiresAt >= now)
}

/** Remembers what the bot got last from a chat, for telling upon which update it said something. */
export function markHanded(world: World, bot: Bot, { chat, id }: Update): void {
  runtimeOf(world, bot).handed.set(chat, id)
}

/** `allowed_updates` as Telegram takes it: undefined is "as before", an empty list the default, unknown kinds nothing. */
export function parseAllowed(text: string | undefined): string[] | null | undefined {
  const wanted = parseList(text)
  if (wanted === undefined) return undefined
  const known = updateTypes.filter((type) => wanted.includes(type))
  return known.length === 0 || String(known) === String(standard) ? null : known
}

function parseList(text = ''): string[] | undefined {
  try {
    const list: unknown = JSON.parse(text)
    if (!Array.isArray(list) || !list.every((each) => typeof each === 'string')) return undefined
    return list.map((each) => each.toLowerCase())
  } catch {
    return undefined
  }
}
