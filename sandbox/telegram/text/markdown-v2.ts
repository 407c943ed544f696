import type { MessageEntity } from '@grammyjs/types'
import { bytesBefore, entityError, type Formatted, sorted } from './formatted.ts'

/** What begins an entity, its end, and Telegram's name for it. The longer ones first. */
const marks: readonly [begin: string, end: string, type: MessageEntity['type'], name: string][] = [
  ['```', '```', 'pre', 'Pre'],
  ['`', '`', 'code', 'Code'],
  ['__', '__', 'underline', 'Underline'],
  ['_', '_', 'italic', 'Italic'],
  ['*', '*', 'bold', 'Bold'],
  ['~', '~', 'strikethrough', 'Strikethrough'],
  ['||', '||', 'spoiler', 'Spoiler'],
  ['![', ']', 'custom_emoji', 'CustomEmoji'],
  ['[', ']', 'text_link', 'TextUrl'],
]

interface Open {
  readonly end: string
  readonly type: MessageEntity['type']
  readonly name: string
  readonly offset: number
  readonly at: number
  readonly language: string
}

/** Telegram's MarkdownV2, in which every sign that could mean something must be escaped. */
export function parseMarkdownV2(source: string): Formatted {
  let [text, i] = ['', 0]
  const entities: MessageEntity[] = []
  const open: Open[] = []
  let quote: number | undefined
  const endQuote = () => {
    if (quote !== undefined && text.length > quote)
      entities.push({ type: 'blockquote', offset: quote, length: text.length - quote })
    quote = undefined
  }
  while (i < source.length) {
    const [sign = '', top] = [source[i], open.at(-1)]
    const isCode = top?.type === 'code' || top?.type === 'pre'
    const isLineStart = i === 0 || source[i - 1] === '\n'
    if (sign === '\\' && (source[i + 1] ?? '\x7f') < '\x7f') {
      text += source[i + 1]
      i += 2
    } else if (top !== undefined && source.startsWith(top.end, i) && !(top.end === '_' && source[i + 1] === '_')) {
      open.pop()
      i += top.end.length
      const { argument, next } = top.end === ']' ? linkAt(source, i) : { argument: top.language, next: i }
      i = next
      entities.push(...entityOf(top, text, argument))
    } else if (isCode || !'_*[]()~`>#+-=|{}.!'.includes(sign)) {
      if (isLineStart && !isCode) endQuote()
      text += sign
      i++
    } else if (sign === '>' && isLineStart) {
      quote ??= text.length
      i++
    } else {
      if (isLineStart) endQuote()
      const mark = marks.find(([begin]) => source.startsWith(begin, i))
      if (mark === undefined) throw reserved(sign)
      const [begin, end, type, name] = mark
      const language = type === 'pre' ? (/^```([^\s`]+)\n/.exec(source.slice(i))?.[1] ?? '') : ''
      open.push({ end, type, name, offset: text.length, at: bytesBefore(source, i), language })
      i += begin.length + language.length
      if (type === 'pre' && source[i] === '\n') i++
    }
  }
  const left = open.at(-1)
  if (left !== undefined) throw entityError(`Can't find end of ${left.name} entity at byte offset ${left.at}`)
  endQuote()
  return { text, entities: sorted(entities) }
}

/** The address behind the text of a link, if there is one. */
function linkAt(source: string, at: number): { argument: string; next: number } {
  if (source[at] !== '(') return { argument: '', next: at }
  let [url, i] = ['', at + 1]
  for (; i < source.length && source[i] !== ')'; i++) url += source[i] === '\\' ? source[++i] : source[i]
  if (i >= source.length) throw entityError(`Can't find end of a URL at byte offset ${bytesBefore(source, at)}`)
  return { argument: url, next: i + 1 }
}

function entityOf({ type, offset }: Open, text: string, argument: string): MessageEntity[] {
  const length = text.length - offset
  if (length === 0) return []
  if (type === 'text_link') {
    const url = argument || text.slice(offset)
    return /^[a-z]+:|\./i.test(url) ? [{ type, offset, length, url }] : []
  }
  if (type === 'custom_emoji')
    return [{ type, offset, length, custom_emoji_id: /[?&]id=(\d+)/.exec(argument)?.[1] ?? '' }]
  if (type === 'pre') return [{ type, offset, length, ...(argument !== '' && { language: argument }) }]
  return [{ type, offset, length } as MessageEntity]
}

function reserved(sign: string) {
  return entityError(`Character '${sign}' is reserved and must be escaped with the preceding '\\'`)
}
