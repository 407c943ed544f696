import type { MessageEntity } from '@grammyjs/types'
import { bytesBefore, entityError, type Formatted } from './formatted.ts'

const ends: Readonly<Record<string, string>> = { '```': '```', '`': '`', '*': '*', _: '_', '[': ']' }
const types: Readonly<Record<string, 'pre' | 'code' | 'bold' | 'italic'>> = {
  ...{ '```': 'pre', '`': 'code', '*': 'bold', _: 'italic' },
}

/** Telegram's old Markdown: nothing in it can be nested. */
export function parseMarkdown(source: string): Formatted {
  let [text, i] = ['', 0]
  const entities: MessageEntity[] = []
  while (i < source.length) {
    if (source[i] === '\\' && /[_*`[]/.test(source[i + 1] ?? '')) {
      text += source[i + 1]
      i += 2
      continue
    }
    const begin = Object.keys(ends).find((each) => source.startsWith(each, i))
    if (begin === undefined) {
      text += source[i++]
      continue
    }
    const end = ends[begin] ?? ''
    const close = source.indexOf(end, i + begin.length)
    if (close < 0) throw entityError(`Can't find end of the entity starting at byte offset ${bytesBefore(source, i)}`)
    const body = source.slice(i + begin.length, close)
    const [offset, length] = [text.length, body.length]
    text += body
    i = close + end.length
    const type = types[begin]
    if (type !== undefined && length > 0) entities.push({ type, offset, length } as MessageEntity)
    const url = begin === '[' ? /^\(([^)]*)\)/.exec(source.slice(i)) : null
    if (url) {
      i += url[0].length
      if (length > 0 && url[1]) entities.push({ type: 'text_link', offset, length, url: url[1] })
    }
  }
  return { text, entities }
}
