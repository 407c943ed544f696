import type { MessageEntity } from '@grammyjs/types'
import { badRequest } from '../errors.ts'
import { detected } from '../text/detected.ts'
import { type Formatted, sorted } from '../text/formatted.ts'
import { parseHtml } from '../text/html.ts'
import { parseMarkdown } from '../text/markdown.ts'
import { parseMarkdownV2 } from '../text/markdown-v2.ts'
import { isObject, list } from './arguments.ts'

/** The text of a message, formatted by `parse_mode` or by `entities`. */
export function textOf(args: ReadonlyMap<string, string>): Formatted {
  const formatted = trimmed(parse(args, args.get('text') ?? '', 'entities'))
  if (formatted.text === '') throw badRequest('message text is empty')
  if (formatted.text.length > 4096) throw badRequest('message is too long')
  return formatted
}

/** The caption of a message, which may have none. */
export function captionOf(args: ReadonlyMap<string, string>): Formatted {
  const formatted = trimmed(parse(args, args.get('caption') ?? '', 'caption_entities'))
  if (formatted.text.length > 1024) throw badRequest('message caption is too long')
  return formatted
}

function parse(args: ReadonlyMap<string, string>, source: string, entitiesName: string): Formatted {
  const mode = args.get('parse_mode') ?? ''
  const given = list(args, entitiesName).filter(isObject) as unknown as MessageEntity[]
  return given.length > 0 && mode === '' ? { text: source, entities: given } : parseBy(mode, source)
}

function parseBy(mode: string, source: string): Formatted {
  switch (mode.toLowerCase()) {
    case '':
    case 'none':
      return { text: source, entities: [] }
    case 'html':
      return parseHtml(source)
    case 'markdown':
      return parseMarkdown(source)
    case 'markdownv2':
      return parseMarkdownV2(source)
    default:
      throw badRequest(`unsupported parse_mode`)
  }
}

/** Without white space around it, and with what Telegram finds in it by itself. */
function trimmed({ text, entities }: Formatted): Formatted {
  const start = text.length - text.trimStart().length
  const short = text.trim()
  const moved = entities
    .map((entity) => {
      const from = Math.max(0, entity.offset - start)
      const to = Math.min(short.length, entity.offset + entity.length - start)
      return { ...entity, offset: from, length: to - from }
    })
    .filter(({ length }) => length > 0)
  const isFree = (found: MessageEntity) =>
    !moved.some(
      ({ type, offset, length }) =>
        ['code', 'pre', 'text_link'].includes(type) &&
        found.offset < offset + length &&
        offset < found.offset + found.length,
    )
  return { text: short, entities: sorted([...moved, ...detected(short).filter(isFree)]) }
}
