import { badRequest } from '../errors.ts'
import { messageIn, messageOf, rewrite } from '../state/chats.ts'
import type { Entry } from '../state/state.ts'
import { changed } from '../state/world.ts'
import { integer, isObject, list } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { chatOf, type Sent, sendTo, targetOf } from './send.ts'
import { captionOf } from './text.ts'

export async function deleteMessage(call: Call): Promise<Answer> {
  const found = messageIn(call.bot, chatOf(call), integer(call.args, 'message_id', 0))
  if (found === undefined) throw badRequest('message to delete not found')
  if (Date.now() - found.at > 48 * 3600 * 1000) throw badRequest("message can't be deleted for everyone")
  remove(call, found)
  return answer(true)
}

/** Those that are not there are overlooked. */
export async function deleteMessages(call: Call): Promise<Answer> {
  const chat = chatOf(call)
  for (const id of idsIn(call)) {
    const found = messageIn(call.bot, chat, id)
    if (found !== undefined) remove(call, found)
  }
  return answer(true)
}

export async function forwardMessage(call: Call): Promise<Answer> {
  const [entry] = forward(call, [integer(call.args, 'message_id', 0)])
  if (entry === undefined) throw badRequest('message to forward not found')
  return answer(messageOf(call.bot, entry))
}

export async function forwardMessages(call: Call): Promise<Answer> {
  return answer(forward(call, idsIn(call)).map(({ message_id }) => ({ message_id })))
}

export async function copyMessage(call: Call): Promise<Answer> {
  const caption = call.args.has('caption') ? captionOf(call.args) : {}
  const [entry] = copy(call, [integer(call.args, 'message_id', 0)], (old) => (old.content ? caption : {}))
  if (entry === undefined) throw badRequest('message to copy not found')
  return answer({ message_id: entry.message_id })
}

export async function copyMessages(call: Call): Promise<Answer> {
  return answer(copy(call, idsIn(call), () => ({})).map(({ message_id }) => ({ message_id })))
}

export async function pinChatMessage(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const chat = chatOf(call)
  const id = integer(args, 'message_id', 0)
  if (messageIn(bot, chat, id) === undefined) throw badRequest('message to pin not found')
  bot.pins[chat] = [...(bot.pins[chat] ?? []).filter((each) => each !== id), id]
  changed(world, bot)
  return answer(true)
}

export async function unpinChatMessage(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const chat = chatOf(call)
  const pins = bot.pins[chat] ?? []
  const id = args.has('message_id') ? integer(args, 'message_id', 0) : pins.at(-1)
  if (id === undefined || !pins.includes(id)) throw badRequest('message to unpin not found')
  bot.pins[chat] = pins.filter((each) => each !== id)
  changed(world, bot)
  return answer(true)
}

export async function unpinAllChatMessages(call: Call): Promise<Answer> {
  call.bot.pins[chatOf(call)] = []
  changed(call.world, call.bot)
  return answer(true)
}

/** A bot can set one reaction, and none to take it away. */
export async function setMessageReaction(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const given = list(args, 'reaction')
  const found = messageIn(bot, chatOf(call), integer(args, 'message_id', 0))
  if (found === undefined) throw badRequest('message to react not found')
  if (given.length > 1) throw badRequest('REACTIONS_TOO_MANY')
  const [emoji] = given.map((each) => (isObject(each) && each.type === 'emoji' ? each.emoji : undefined))
  if (given.length > 0 && (typeof emoji !== 'string' || emoji === '')) throw badRequest('REACTION_INVALID')
  const { bot: _, ...others } = found.reactions ?? {}
  const reactions = typeof emoji === 'string' ? { ...others, bot: emoji } : others
  rewrite(world, bot, found, { ...found, reactions })
  return answer(true)
}

function remove({ world, bot }: Call, found: Entry): void {
  const pins = bot.pins[found.chat]
  if (pins !== undefined) bot.pins[found.chat] = pins.filter((each) => each !== found.message_id)
  rewrite(world, bot, found, { ...found, kind: 'deleted' })
}

function forward(call: Call, ids: readonly number[]): Entry[] {
  return again(call, ids, 'forwarded', (old) => {
    const { from: sender_user, date } = messageOf(call.bot, old) as { from: { id: number }; date: number }
    const origin = { type: 'user', sender_user, date } as NonNullable<Entry['fields']>['forward_origin']
    return {
      ...contentOf(old),
      fields: { ...old.fields, forward_origin: old.fields?.forward_origin ?? origin },
    } as Sent
  })
}

function copy(call: Call, ids: readonly number[], change: (old: Entry) => Partial<Sent>): Entry[] {
  return again(call, ids, 'copied', (old) => {
    if (old.content?.invoice !== undefined) throw badRequest("message can't be copied")
    return { ...contentOf(old), ...change(old) }
  })
}

function again(call: Call, ids: readonly number[], done: string, sent: (old: Entry) => Sent): Entry[] {
  const from = chatOf(call, 'from_chat_id')
  const found = ids.flatMap((id) => messageIn(call.bot, from, id) ?? [])
  if (found.length === 0) return []
  const target = targetOf(call)
  return found.map((old) => {
    if (old.fields?.has_protected_content) throw badRequest(`message can't be ${done}`)
    return sendTo(call, target, sent(old))
  })
}

function contentOf({ text, entities, content }: Entry): Sent {
  return { text, ...(entities && { entities }), ...(content && { content }) }
}

function idsIn({ args }: Call): number[] {
  const ids = list(args, 'message_ids').map(Number)
  if (ids.length === 0) throw badRequest('there are no message identifiers specified')
  if (ids.length > 100) throw badRequest('too many message identifiers specified')
  return ids
}
