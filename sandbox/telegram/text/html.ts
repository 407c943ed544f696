import type { MessageEntity } from '@grammyjs/types'
import type { ApiError } from '../errors.ts'
import { bytesBefore, entityError, type Formatted, sorted } from './formatted.ts'

type Type = MessageEntity['type']

const types: Readonly<Record<string, Type>> = {
  ...{ b: 'bold', strong: 'bold', i: 'italic', em: 'italic', u: 'underline', ins: 'underline' },
  ...{ s: 'strikethrough', strike: 'strikethrough', del: 'strikethrough', 'tg-spoiler': 'spoiler', span: 'spoiler' },
  ...{ a: 'text_link', code: 'code', pre: 'pre', blockquote: 'blockquote', 'tg-emoji': 'custom_emoji' },
}
const signs: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' }

interface Open {
  readonly tag: string
  readonly attributes: string
  readonly offset: number
}

/** Telegram's HTML: the text as it reads, and what the tags say of it. */
export function parseHtml(html: string): Formatted {
  let text = ''
  const entities: MessageEntity[] = []
  const open: Open[] = []
  // A tag, a character reference, or any other sign.
  for (const { 0: word, 1: slash, 2: tag = '', 3: attributes = '', 4: name, index } of html.matchAll(
    /<(\/?)([^\s>]*)([^>]*)>|&(#x?[\da-f]+|[a-z]+);?|[\s\S]/gi,
  )) {
    const at = () => bytesBefore(html, index)
    if (name !== undefined) text += characterOf(word, name)
    else if (word === '<') throw unclosed(html.slice(index), at())
    else if (slash === undefined) text += word
    else if (slash === '') {
      if (types[tag.toLowerCase()] === undefined) throw unsupported(tag, at())
      open.push({ tag: tag.toLowerCase(), attributes, offset: text.length })
    } else {
      const last = open.pop()
      if (last === undefined) throw entityError(`Unexpected end tag at byte offset ${at()}`)
      if (tag !== '' && tag.toLowerCase() !== last.tag)
        throw entityError(`Unmatched end tag at byte offset ${at()}, expected "</${last.tag}>", found "</${tag}>"`)
      entities.push(...entityOf(last, text))
    }
  }
  const [left] = open.slice(-1)
  if (left !== undefined) throw entityError(`Can't find end tag corresponding to start tag "${left.tag}"`)
  return { text, entities: sorted(entities) }
}

/** Nothing ends it; that its name is none is seen first, if the name is whole. */
function unclosed(rest: string, at: number): ApiError {
  const [, tag = '', after] = /^<([^\s>]*)(\s?)/.exec(rest) ?? []
  if (after !== '' && types[tag.toLowerCase()] === undefined) return unsupported(tag, at)
  return entityError(`Unclosed start tag at byte offset ${at}`)
}

function unsupported(tag: string, at: number): ApiError {
  return entityError(`Unsupported start tag "${tag.toLowerCase()}" at byte offset ${at}`)
}

function entityOf({ tag, attributes, offset }: Open, text: string): MessageEntity[] {
  const length = text.length - offset
  const type = types[tag]
  if (length === 0 || type === undefined) return []
  const value = (name: string) => new RegExp(`${name}=["']?([^"'>]*)`).exec(attributes)?.[1] ?? ''
  if (type === 'text_link') {
    // Without an address the text is one, or nothing.
    const url = value('href') || text.slice(offset)
    return /^[a-z]+:|\./i.test(url) ? [{ type, offset, length, url: url.replaceAll('&amp;', '&') }] : []
  }
  if (type === 'custom_emoji') return [{ type, offset, length, custom_emoji_id: value('emoji-id') }]
  if (type === 'pre' || tag === 'code') {
    const language = value('class').replace(/^language-/, '')
    return [
      type === 'pre' && language ? { type, offset, length, language } : ({ type, offset, length } as MessageEntity),
    ]
  }
  if (tag === 'blockquote' && /expandable/.test(attributes)) return [{ type: 'expandable_blockquote', offset, length }]
  return [{ type, offset, length } as MessageEntity]
}

function characterOf(word: string, name: string): string {
  if (!name.startsWith('#')) return signs[name.toLowerCase()] ?? word
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code > 0 && code < 0x10_ff_ff ? String.fromCodePoint(code) : word
}
