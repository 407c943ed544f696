import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, type Pair, type ParsedNode, parseDocument, stringify, type YAMLMap } from 'yaml'

type Map = YAMLMap.Parsed
type Entry = Pair<ParsedNode, ParsedNode | null>

/** A value of a key in a YAML file; undefined: the key goes. */
export interface Edit {
  readonly path: readonly string[]
  readonly value: string | undefined
}

/**
 * The text with these edits, and every other character as it was: comments, quotes and blank lines stay. Undefined where that
 * cannot be done, as in a file with aliases: the result has been parsed and compared.
 */
export function editYaml(text: string, edits: readonly Edit[]): string | undefined {
  let edited = text
  for (const { path, value } of edits) {
    const next = edit(edited, path, value)
    if (parseDocument(next).errors.length > 0) return undefined
    if (!isDeepStrictEqual(dataOf(next), withValue(dataOf(edited), path, value))) return undefined
    edited = next
  }
  return edited
}

/** The value at this path as plain data; undefined where there is none. */
export function valueAt(text: string, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), dataOf(text))
}

function edit(text: string, path: readonly string[], value: string | undefined): string {
  if (valueAt(text, path) === value) return text
  const { contents } = parseDocument(text)
  if (!isMap(contents)) return value === undefined ? text : `${withLineEnd(text)}${block(path, value, 0)}`
  let map: Map = contents
  for (const [depth, key] of path.entries()) {
    const found = map.items.find((each) => isScalar(each.key) && String(each.key.value) === key)
    const rest = path.slice(depth + 1)
    if (found === undefined) return value === undefined ? text : added(text, map, path.slice(depth), value)
    const node = found.value
    if (rest.length === 0) return value === undefined ? removed(text, map, found) : replaced(text, found, value)
    if (isMap(node)) map = node
    else return value === undefined ? text : filled(text, map, found, rest, value)
  }
  return text
}

/** Behind the last entry of a mapping, as its others are written. */
function added(text: string, map: Map, path: readonly string[], value: string): string {
  const last = map.items.at(-1)
  if (map.flow) {
    const end = map.range[1] - 1
    const before = text.slice(0, end).trimEnd()
    return `${before}${last === undefined ? '' : ','} ${inFlow(path, value)} ${text.slice(end)}`
  }
  return insertedAfter(text, last === undefined ? map.range[1] : endOf(last), block(path, value, columnOf(text, map)))
}

function replaced(text: string, { key, value: node }: Entry, value: string): string {
  if (node === null || text.slice(node.range[0], node.range[1]) === '')
    return `${text.slice(0, key.range[1])}: ${scalar(value)}${text.slice(key.range[1]).replace(/^\s*:/, '')}`
  return `${text.slice(0, node.range[0])}${scalar(value)}${text.slice(node.range[1])}`
}

/** Below a key that has nothing yet. */
function filled(text: string, map: Map, { key }: Entry, path: readonly string[], value: string): string {
  const colon = text.indexOf(':', key.range[1]) + 1
  if (map.flow) return `${text.slice(0, colon)} { ${inFlow(path, value)} }${text.slice(colon)}`
  return insertedAfter(text, colon, block(path, value, columnOf(text, map) + 2))
}

function removed(text: string, map: Map, entry: Entry): string {
  const start = entry.key.range[0]
  if (!map.flow) {
    const lineStart = text.lastIndexOf('\n', start) + 1
    return text.slice(0, lineStart) + text.slice(lineEndAfter(text, endOf(entry)))
  }
  const isLast = map.items.at(-1) === entry
  const before = isLast ? text.slice(0, start).replace(/,?\s*$/, ' ') : text.slice(0, start)
  return before + (isLast ? text.slice(endOf(entry)).trimStart() : text.slice(endOf(entry)).replace(/^\s*,\s*/, ''))
}

function insertedAfter(text: string, offset: number, lines: string): string {
  const at = lineEndAfter(text, offset)
  return `${withLineEnd(text.slice(0, at))}${lines}${text.slice(at)}`
}

/** Behind the line break of the line that has this offset, which may be right behind its end. */
function lineEndAfter(text: string, offset: number): number {
  const end = text.indexOf('\n', text[offset - 1] === '\n' ? offset - 1 : offset)
  return end < 0 ? text.length : end + 1
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}

function endOf({ key, value }: Entry): number {
  return value === null ? key.range[1] : value.range[1]
}

function columnOf(text: string, map: Map): number {
  const start = map.items[0]?.key.range[0] ?? map.range[0]
  return start - (text.lastIndexOf('\n', start - 1) + 1)
}

function block(path: readonly string[], value: string, indent: number): string {
  return path
    .map((key, i) => `${' '.repeat(indent + 2 * i)}${key}:${i < path.length - 1 ? '' : ` ${scalar(value)}`}\n`)
    .join('')
}

function inFlow([key = '', ...rest]: readonly string[], value: string): string {
  return `${key}: ${rest.length === 0 ? scalar(value) : `{ ${inFlow(rest, value)} }`}`
}

/** On one line, and right inside brackets as well. */
function scalar(value: string): string {
  const plain = stringify(value, { lineWidth: 0 }).trimEnd()
  return /[\n,[\]{}]/.test(plain) ? JSON.stringify(value) : plain
}

function dataOf(text: string): unknown {
  return parseDocument(text).toJS()
}

function withValue(data: unknown, [key = '', ...rest]: readonly string[], value: string | undefined): unknown {
  const now = isObject(data) ? data : {}
  if (rest.length > 0) {
    if (value === undefined && !isObject(now[key])) return data
    return { ...now, [key]: withValue(now[key], rest, value) }
  }
  const { [key]: _, ...others } = now
  return value === undefined ? others : { ...now, [key]: value }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
