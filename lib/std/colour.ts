import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'

type Style = 'dim' | 'green' | 'red' | 'yellow' | 'magenta' | 'cyan'

/** Colours a text, or leaves it as it is where no colours are wanted. */
export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_, text) => text

// What a host sends is told from our own colours by a number that is not known there.
const mark = `\x1b${randomUUID()}`

/** For what goes to this stream. NO_COLOR wins over FORCE_COLOR, and that over what the stream is. `visible` makes it a colour. */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  if (env.NO_COLOR) return plain
  const forced = env.FORCE_COLOR === undefined ? undefined : !['0', 'false'].includes(env.FORCE_COLOR)
  const coloured = forced ?? (stream.isTTY === true && env.TERM !== 'dumb')
  if (!coloured) return plain
  return (style, text) => {
    const [begin = 0, end = 0] = inspect.colors[style] ?? []
    return `${mark}${begin}m${text}${mark}${end}m`
  }
}

// Controls but tab and line feed, and what Unicode calls format or ignorable: signs that turn the order of text round, separate
// lines, join, or show nothing at all. An emoji that is made of several keeps those that it needs.
const lively = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]--[\t\n]]/v
const pieces = new RegExp(`${mark}(\\d+)m|\\p{RGI_Emoji}|${lively.source}`, 'gv')

/** The text with our own colours, and every control or invisible character as JSON writes it: `\u001b`. */
export function visible(text: string): string {
  if (!lively.test(text)) return text
  return text.replace(pieces, (found, colour?: string) => {
    if (colour !== undefined) return `\x1b[${colour}m`
    return [...found].length > 1 || !lively.test(found) ? found : escaped(found)
  })
}

function escaped(sign: string): string {
  return sign.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
