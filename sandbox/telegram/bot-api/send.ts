import { ApiError, badRequest, tooMany } from '../errors.ts'
import { message, messageIn, messageOf } from '../state/chats.ts'
import type { Entry } from '../state/state.ts'
import { runtimeOf, scaled } from '../state/world.ts'
import { integer, isObject, isTrue, json } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { parseMarkup } from './keyboard.ts'

/** What is new in a message that a bot sends: all but where to, the buttons, and what every message has. */
export type Sent = Omit<Entry, 'seq' | 'at' | 'update_id' | 'chat' | 'from' | 'kind' | 'message_id' | 'replyTo'>

/** Sends a message to the chat of the call, with the buttons that come with it. */
export function send(call: Call, sent: Sent): Answer {
  return answer(messageOf(call.bot, sendTo(call, targetOf(call), sent)))
}

export function sendTo({ world, bot }: Call, target: Target, sent: Sent): Entry {
  const { fields, ...rest } = target
  return message(world, bot, { ...rest, from: 'bot', ...sent, fields: { ...fields, ...sent.fields } })
}

export type Target = Pick<Entry, 'chat' | 'keyboard' | 'replyKeyboard' | 'replyTo' | 'fields'>

/** Where a message goes, and what comes with it. */
export function targetOf(call: Call): Target {
  const markup = parseMarkup(call.args)
  const chat = chatOf(call)
  const replyTo = repliedTo(call, chat)
  watchFlood(call, chat)
  const isProtected = isTrue(call.args.get('protect_content'))
  return {
    ...{ chat, ...markup },
    ...(replyTo !== undefined && { replyTo }),
    ...(isProtected && { fields: { has_protected_content: true } }),
  }
}

/** The chat that is written to: a bot can only write to who has written to it, and still wants to hear from it. */
export function chatOf({ bot, args }: Call, name = 'chat_id'): number {
  const text = args.get(name) ?? ''
  if (text === '') throw badRequest(`${name} is empty`)
  const chat = Number(text)
  if (bot.users[chat] === undefined) throw badRequest('chat not found')
  if (bot.blocked.includes(chat)) throw new ApiError(403, 'Forbidden: bot was blocked by the user')
  return chat
}

function repliedTo({ bot, args }: Call, chat: number): number | undefined {
  const given = json(args, 'reply_parameters', "can't parse reply parameters JSON object")
  if (given !== undefined && !isObject(given)) throw badRequest('object expected as reply parameters')
  const id = given === undefined ? integer(args, 'reply_to_message_id', 0) : Number(given.message_id)
  if (id === 0) return undefined
  if (messageIn(bot, chat, id) !== undefined) return id
  const may = given === undefined ? isTrue(args.get('allow_sending_without_reply')) : given.allow_sending_without_reply
  if (may !== true) throw badRequest('message to be replied not found')
  return undefined
}

function watchFlood({ world, bot }: Call, chat: number): void {
  const { chatInterval } = world.options
  if (chatInterval === 0) return
  const { lastSent } = runtimeOf(world, bot)
  const wait = (lastSent.get(chat) ?? 0) + scaled(world, chatInterval) - Date.now()
  if (wait > 0) throw tooMany(Math.ceil(wait / 1000))
  lastSent.set(chat, Date.now())
}
