import { randomBytes } from 'node:crypto'
import type { Poll } from '@grammyjs/types'
import { badRequest } from '../errors.ts'
import { messageIn, rewrite } from '../state/chats.ts'
import { integer, isObject, isTrue, json, list } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { parseKeyboard } from './keyboard.ts'
import { chatOf, send } from './send.ts'

export async function sendPoll(call: Call): Promise<Answer> {
  const { args } = call
  const question = args.get('question') ?? ''
  if (question === '') throw badRequest('poll question must be non-empty')
  if (question.length > 300) throw badRequest('poll question length must not exceed 300')
  // An option is a text, or since Bot API 7.3 an object with one.
  const options = list(args, 'options').map((each) => (isObject(each) ? String(each.text ?? '') : String(each)))
  if (options.length < 2) throw badRequest('poll must have at least 2 option')
  if (options.length > 12) throw badRequest("poll can't have more than 12 options")
  if (options.some((text) => text === '')) throw badRequest('poll options must be non-empty')
  if (options.some((text) => text.length > 100)) throw badRequest('poll options length must not exceed 100')
  return send(call, { text: '', content: { poll: pollOf(args, question, options) } })
}

export async function stopPoll(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const keyboard = parseKeyboard(args)
  const old = messageIn(bot, chatOf(call), integer(args, 'message_id', 0))
  const poll = old?.content?.poll
  if (old === undefined || poll === undefined) throw badRequest('message with poll to stop not found')
  if (poll.is_closed) throw badRequest('poll has already been closed')
  const closed = { ...poll, is_closed: true }
  rewrite(world, bot, old, { ...old, content: { poll: closed }, ...(keyboard && { keyboard }) })
  return answer(closed)
}

function pollOf(args: ReadonlyMap<string, string>, question: string, options: readonly string[]): Poll {
  const type = args.get('type') === 'quiz' ? 'quiz' : 'regular'
  const explanation = args.get('explanation')
  return {
    id: String(randomBytes(8).readBigUInt64BE() >> 1n),
    question,
    options: options.map((text, index) => ({ persistent_id: String(index), text, voter_count: 0 })),
    ...{ total_voter_count: 0, is_closed: isTrue(args.get('is_closed')), type },
    is_anonymous: !args.has('is_anonymous') || isTrue(args.get('is_anonymous')),
    allows_multiple_answers: type === 'regular' && isTrue(args.get('allows_multiple_answers')),
    ...{ allows_revoting: type === 'regular', members_only: false },
    ...(type === 'quiz' && { correct_option_ids: correctIn(args, options.length) }),
    ...(explanation && { explanation }),
  }
}

function correctIn(args: ReadonlyMap<string, string>, count: number): number[] {
  const given = json(args, 'correct_option_ids', "can't parse correct option IDs JSON object") ?? [
    integer(args, 'correct_option_id', -1),
  ]
  const ids = Array.isArray(given) ? given.map(Number) : []
  if (ids.length === 0 || ids.some((id) => !(id >= 0 && id < count)))
    throw badRequest('wrong correct option ID specified')
  return ids
}
