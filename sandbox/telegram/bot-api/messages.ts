import { ApiError, badRequest, tooMany } from '../errors.ts'
import { messageIn, messageOf, rewrite, say } from '../state/chats.ts'
import { runtimeOf, scaled } from '../state/world.ts'
import { integer, isTrue } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { parseKeyboard } from './keyboard.ts'

export async function sendMessage(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const text = textOf(args)
  const keyboard = parseKeyboard(args)
  const chat = chatOf(call)
  watchFlood(call, chat)
  const entry = say(world, bot, {
    ...{ chat, from: 'bot', kind: 'text', message_id: ++bot.last.message, text },
    ...(keyboard && { keyboard }),
  })
  return answer(messageOf(bot, entry))
}

export async function editMessageText(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const text = textOf(args)
  const keyboard = parseKeyboard(args)
  const chat = chatOf(call)
  const old = messageIn(bot, chat, integer(args, 'message_id', 0))
  if (old === undefined) throw badRequest('message to edit not found')
  if (old.from === 'user') throw badRequest("message can't be edited")
  if (old.text === text && JSON.stringify(old.keyboard) === JSON.stringify(keyboard)) {
    const same = 'specified new message content and reply markup are exactly the same as a current content'
    throw badRequest(`message is not modified: ${same} and reply markup of the message`)
  }
  return answer(messageOf(bot, rewrite(world, bot, old, { text, ...(keyboard && { keyboard }) })))
}

export async function answerCallbackQuery({ world, bot, args }: Call): Promise<Answer> {
  const press = bot.presses[args.get('callback_query_id') ?? '']
  if (press === undefined || press.answer !== undefined)
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  const text = args.get('text') ?? ''
  if (text.length > 200) throw badRequest('MESSAGE_TOO_LONG')
  press.answer = { text, alert: isTrue(args.get('show_alert')), at: Date.now() }
  say(world, bot, { chat: press.chat, from: 'bot', kind: 'notice', message_id: press.message_id, text })
  return answer(true)
}

export async function sendChatAction(call: Call): Promise<Answer> {
  chatOf(call)
  if (!call.args.get('action')) throw badRequest('wrong parameter action in request')
  return answer(true)
}

/** The chat that is written to: a bot can only write to who has written to it, and still wants to hear from it. */
function chatOf({ bot, args }: Call): number {
  const text = args.get('chat_id') ?? ''
  if (text === '') throw badRequest('chat_id is empty')
  const chat = Number(text)
  if (bot.users[chat] === undefined) throw badRequest('chat not found')
  if (bot.blocked.includes(chat)) throw new ApiError(403, 'Forbidden: bot was blocked by the user')
  return chat
}

function textOf(args: ReadonlyMap<string, string>): string {
  const given = args.get('text') ?? ''
  const text = (args.get('parse_mode')?.toLowerCase() === 'html' ? withoutTags(given) : given).trim()
  if (text === '') throw badRequest('message text is empty')
  if (text.length > 4096) throw badRequest('message is too long')
  return text
}

/** As the message reads; what the tags do is not kept. */
function withoutTags(html: string): string {
  const signs: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' }
  return html.replace(/<\/?[a-z][^>]*>/gi, '').replace(/&(lt|gt|amp|quot);/g, (_, name: string) => signs[name] ?? '')
}

function watchFlood({ world, bot }: Call, chat: number): void {
  const { chatInterval } = world.options
  if (chatInterval === 0) return
  const { lastSent } = runtimeOf(world, bot)
  const wait = (lastSent.get(chat) ?? 0) + scaled(world, chatInterval) - Date.now()
  if (wait > 0) throw tooMany(Math.ceil(wait / 1000))
  lastSent.set(chat, Date.now())
}
