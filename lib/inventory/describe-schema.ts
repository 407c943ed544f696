import * as v from 'valibot'
import type { Node } from './yaml.ts'
import { isList, isMapping } from './yaml.ts'

/** As much of a valibot schema as is needed to walk it and to say in words what it allows. */
export interface Shape {
  readonly kind: string
  readonly type: string
  readonly entries?: Readonly<Record<string, Shape>>
  readonly item?: Shape
  readonly value?: Shape
  readonly wrapped?: Shape
  readonly options?: readonly unknown[]
  readonly literal?: unknown
  readonly pipe?: readonly Shape[]
  readonly requirement?: unknown
}

export function shapeOf(schema: v.GenericSchema): Shape {
  return schema as unknown as Shape
}

/** The schema without what makes it optional or nullable. */
export function bare(shape: Shape): Shape {
  return shape.wrapped === undefined ? shape : bare(shape.wrapped)
}

/** The schema of what stands at this path, as far as it can be told without the data. */
export function shapeAt(shape: Shape, path: readonly string[]): Shape | undefined {
  const [key, ...rest] = path
  const { type, entries, item, value, options } = bare(shape)
  if (key === undefined) return shape
  if (type === 'union' || type === 'variant') return first(options as Shape[], (option) => shapeAt(option, path))
  const inner = entries === undefined ? (item ?? value) : entries[key]
  return inner === undefined ? undefined : shapeAt(inner, rest)
}

/** What a schema allows, in words: `a list of URLs`, `"up" or "down"`, `a whole number of at least 1`. */
export function allowed(shape: Shape): string {
  return [nameOf(shape), ...limitsOf(shape)].join(' ')
}

/** What was found instead, in words: `the text "yes"`, `the number 1.10`. */
export function found({ value, source }: Node): string {
  if (isMapping(value)) return 'a mapping'
  if (isList(value)) return 'a list'
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`
  if (value === null) return 'nothing'
  return typeof value === 'boolean' ? String(value) : `the number ${source}`
}

/** The most common slip of all: quotes too few or too many. */
export function quoteHint(shape: Shape, { value }: Node): string {
  const { type } = bare(shape)
  if (type === 'string' && ['number', 'bigint', 'boolean'].includes(typeof value)) return '; put it in quotes'
  return type === 'number' && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? '; leave out the quotes' : ''
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  null: 'nothing',
  url: 'a URL',
  email: 'an email address',
  ip: 'an IP address',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  integer: 'a whole number',
  strict_object: 'a mapping',
  record: 'a mapping',
}

function nameOf(shape: Shape): string {
  const base = bare(shape)
  const described = v.getDescription(base as unknown as v.GenericSchema)
  if (described !== undefined) return described
  const known = (base.pipe ?? []).map((action) => (action.kind === 'validation' ? nouns[action.type] : undefined))
  return known.find((noun) => noun !== undefined) ?? nounOf(base)
}

function nounOf({ type, item, options, literal }: Shape): string {
  if (type === 'array' && item !== undefined) return `a list of ${plural(nameOf(item))}`
  if (type === 'picklist') return (options ?? []).map((option) => JSON.stringify(option)).join(' or ')
  if (type === 'literal') return JSON.stringify(literal)
  if (type === 'union') return (options as Shape[]).map(allowed).join(' or ')
  return nouns[type] ?? 'something else'
}

function plural(noun: string): string {
  if (!/^an? /.test(noun)) return noun
  const [, word, rest] = /^an? (.*?)( of .*)?$/.exec(noun) ?? []
  return `${word}${word?.endsWith('s') ? 'es' : 's'}${rest ?? ''}`
}

function limitsOf(shape: Shape): string[] {
  return (bare(shape).pipe ?? []).flatMap(({ type, requirement }) => {
    if (type === 'min_value') return [`of at least ${requirement}`]
    if (type === 'max_value') return [`of at most ${requirement}`]
    if (type === 'regex') return [`like ${requirement}`]
    if (type === 'non_empty') return ['that is not empty']
    if (type === 'min_length') return [`with at least ${requirement}`]
    return type === 'max_length' ? [`with at most ${requirement}`] : []
  })
}

function first<T, R>(items: readonly T[], pick: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = pick(item)
    if (result !== undefined) return result
  }
  return undefined
}
