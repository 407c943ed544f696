import { badRequest } from '../errors.ts'
import { shown } from '../files/shown.ts'
import { say } from '../state/chats.ts'
import type { Bot, Content, Entry } from '../state/state.ts'
import { changed } from '../state/world.ts'
import { argumentsIn, isObject, list } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { parseMarkup } from './keyboard.ts'
import { captionOf, textOf } from './text.ts'

type Result = Readonly<Record<string, unknown>>

const types = `article photo gif mpeg4_gif video audio voice document location venue contact game sticker`.split(' ')

export async function answerInlineQuery({ world, bot, args }: Call): Promise<Answer> {
  const results = list(args, 'results')
  if (results.length > 50) throw badRequest('too many inline query results specified')
  const checked = results.map(checkResult)
  if (new Set(checked.map(({ id }) => id)).size < checked.length) throw badRequest('RESULT_ID_DUPLICATE')
  // What could not be sent when it is chosen is refused now.
  for (const result of checked) contentOfResult(bot, result)
  const query = bot.inlineQueries[args.get('inline_query_id') ?? '']
  if (query === undefined || query.results !== undefined)
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  query.results = checked
  say(world, bot, {
    chat: query.chat,
    from: 'bot',
    kind: 'results',
    message_id: 0,
    text: query.query,
    results: checked,
  })
  changed(world, bot)
  return answer(true)
}

/** The message that a result becomes when a user chooses it. */
export function contentOfResult(bot: Bot, result: Result): Pick<Entry, 'text' | 'entities' | 'content' | 'keyboard'> {
  const args = argumentsIn(result)
  const { keyboard } = parseMarkup(args)
  const { input_message_content: given } = result
  const content = contentIn(bot, result)
  if (result.type === 'article' && !isObject(given)) throw badRequest('message content must be specified for articles')
  const said = isObject(given)
    ? 'message_text' in given
      ? textOf(new Map([...argumentsIn(given), ['text', String(given.message_text)]]))
      : { text: '', content: given as Content }
    : { ...captionOf(args), ...(content && { content }) }
  return { ...said, ...(keyboard && { keyboard }) }
}

/** A file that the bot has sent before is shown as such; one that is only a URL stays a URL. */
function contentIn(bot: Bot, result: Result): Content | undefined {
  const { type } = result
  if (type === 'location') return { location: result as unknown as NonNullable<Content['location']> }
  if (type === 'contact') return { contact: result as unknown as NonNullable<Content['contact']> }
  const id = result[`${type}_file_id`]
  if (id === undefined) return undefined
  const file = bot.files[String(id)]
  if (file === undefined) throw badRequest('wrong file identifier/HTTP URL specified')
  return shown(file)
}

function checkResult(result: unknown): Result {
  if (!isObject(result)) throw badRequest("can't parse inline query result: Inline query result must be an object")
  const { type, id } = result
  if (typeof type !== 'string' || !types.includes(type))
    throw badRequest(`can't parse inline query result: unallowed result type specified`)
  if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > 64) throw badRequest('RESULT_ID_INVALID')
  if (type === 'article' && !result.title) throw badRequest('RESULT_TITLE_EMPTY')
  return result
}
