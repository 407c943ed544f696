import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import type { Node } from './yaml.ts'
import { isList, isMapping } from './yaml.ts'

/** What a valibot schema takes, as JSON Schema. A rule that is code (`v.check`) has no place there. */
export type Shape = JsonSchema

export function shapeOf(schema: v.GenericSchema): Shape {
  return toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore' })
}

/** The schema without its option `null`. */
export function bare(shape: Shape): Shape {
  const [inner, other, ...more] = optionsOf(shape)
  return inner !== undefined && other?.type === 'null' && more.length === 0 ? bare(inner) : shape
}

/** The keys that a mapping may have, as far as its schema names them: of a union those of its one mapping. */
export function keysOf(shape: Shape): string[] {
  const properties = propertiesOf(bare(shape))
  return Object.keys(properties).filter((key) => !isRefused(properties[key]))
}

/** Whether the schema names the key, be it only to say what it is called here (`v.never`). */
export function isNamed(shape: Shape, key: string): boolean {
  return Object.hasOwn(propertiesOf(bare(shape)), key)
}

function propertiesOf({ properties, ...others }: Shape): Readonly<Record<string, unknown>> {
  const mappings = optionsOf(others).flatMap((option) => (bare(option).properties === undefined ? [] : [bare(option)]))
  return properties ?? (mappings.length === 1 ? mappings[0]?.properties : undefined) ?? {}
}

function isRefused(shape: unknown): boolean {
  return isShape(shape as Shape | boolean) && 'not' in (shape as Shape)
}

/** The schema of the value under this key of a mapping, or at this index of a list. */
export function childAt(shape: Shape, key: string): Shape | undefined {
  const { properties = {}, additionalProperties, items } = bare(shape)
  const child = Object.hasOwn(properties, key) ? properties[key] : (items ?? additionalProperties)
  return isShape(child) ? child : undefined
}

/** The schema of the value at this path, as far as it is known without the data. */
export function shapeAt(shape: Shape, path: readonly string[]): Shape | undefined {
  const [key, ...rest] = path
  if (key === undefined) return shape
  const options = optionsOf(bare(shape))
  if (options.length > 0) return first(options, (option) => shapeAt(option, path))
  const inner = childAt(shape, key)
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

/** The hint for the most common mistake: missing or surplus quotes. */
export function quoteHint(shape: Shape, { value }: Node): string {
  const { type, enum: options } = bare(shape)
  const fits = (other: string | number) => options === undefined || options.includes(other)
  if (type === 'string' && ['number', 'bigint', 'boolean'].includes(typeof value) && fits(String(value)))
    return '; put it in quotes'
  const isNumber = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) && fits(Number(value))
  return (type === 'number' || type === 'integer') && isNumber ? '; leave out the quotes' : ''
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
  object: 'a mapping',
  uri: 'a URL',
  email: 'an email address',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
}

function nameOf(shape: Shape): string {
  const base = bare(shape)
  return base.description ?? nouns[base.format ?? ''] ?? nounOf(base)
}

function nounOf(shape: Shape): string {
  const { type, items, enum: values, const: literal } = shape
  if (type === 'array' && isShape(items)) return `a list of ${plural(nameOf(items))}`
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' or ')
  if (literal !== undefined) return JSON.stringify(literal)
  return optionsOf(shape).map(allowed).join(' or ') || (nouns[String(type)] ?? 'something else')
}

function plural(noun: string): string {
  if (!/^an? /.test(noun)) return noun
  const [, word, rest] = /^an? (.*?)( of .*)?$/.exec(noun) ?? []
  return `${word}${word?.endsWith('s') ? 'es' : 's'}${rest ?? ''}`
}

function limitsOf(shape: Shape): string[] {
  const { minimum, maximum, pattern, minLength, minItems, maxLength, maxItems } = bare(shape)
  const [least, most] = [minLength ?? minItems, maxLength ?? maxItems]
  return [
    minimum === undefined ? '' : `of at least ${minimum}`,
    maximum === undefined ? '' : `of at most ${maximum}`,
    pattern === undefined ? '' : `like /${pattern}/`,
    least === undefined ? '' : least === 1 ? 'that is not empty' : `with at least ${least}`,
    most === undefined ? '' : `with at most ${most}`,
  ].filter((limit) => limit !== '')
}

function optionsOf({ anyOf, oneOf }: Shape): Shape[] {
  return (anyOf ?? oneOf ?? []).filter(isShape)
}

function isShape(value: Shape['items'] | Shape['not']): value is Shape {
  return typeof value === 'object' && !Array.isArray(value)
}

function first<T, R>(items: readonly T[], pick: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = pick(item)
    if (result !== undefined) return result
  }
  return undefined
}
