import { badRequest } from '../errors.ts'
import { message, notice } from '../state/chats.ts'
import { changed } from '../state/world.ts'
import { isObject, isTrue, json } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { contentOfResult } from './inline.ts'
import { chatOf, send } from './send.ts'
import { textOf } from './text.ts'

export async function sendMessage(call: Call): Promise<Answer> {
  return send(call, textOf(call.args))
}

export async function answerCallbackQuery({ world, bot, args }: Call): Promise<Answer> {
  const press = bot.presses[args.get('callback_query_id') ?? '']
  if (press === undefined || press.answer !== undefined)
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  const text = args.get('text') ?? ''
  if (text.length > 200) throw badRequest('MESSAGE_TOO_LONG')
  press.answer = { text, alert: isTrue(args.get('show_alert')), at: Date.now() }
  notice(world, bot, press.chat, text, press.message_id)
  return answer(true)
}

const actions = `typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker
  find_location record_video_note upload_video_note`.split(/\s+/)

export async function sendChatAction(call: Call): Promise<Answer> {
  chatOf(call)
  if (!actions.includes(call.args.get('action') ?? '')) throw badRequest('wrong parameter action in request')
  return answer(true)
}

/** What a Mini App chose to send, on behalf of the user who has it open. */
export async function answerWebAppQuery({ world, bot, args }: Call): Promise<Answer> {
  const id = args.get('web_app_query_id') ?? ''
  const chat = bot.webAppQueries[id]
  const result = json(args, 'result', "can't parse InlineQueryResult JSON object")
  if (!isObject(result)) throw badRequest('object expected as inline query result')
  if (chat === undefined) throw badRequest('query is too old and response timeout expired or query ID is invalid')
  const sent = contentOfResult(bot, result)
  delete bot.webAppQueries[id]
  const inlineId = `AQAAA${id}`
  message(world, bot, { chat, from: 'user', ...sent, inlineId })
  changed(world, bot)
  return answer({ inline_message_id: inlineId })
}
