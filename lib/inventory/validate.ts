import * as v from 'valibot'
import { suggest } from '../std/suggest.ts'
import {
  allowed,
  bare,
  childAt,
  found,
  isNamed,
  keysOf,
  quoteHint,
  type Shape,
  shapeAt,
  shapeOf,
} from './describe-schema.ts'
import { isList, isMapping, type Mapping, type Node, plain } from './yaml.ts'

/**
 * Checks part of a file against a closed schema. Faults come as lines, `file:line:column: path: what`; the value is
 * valid only when there is none.
 */
export function checked<Schema extends v.GenericSchema>(
  node: Node,
  schema: Schema,
): { value: v.InferOutput<Schema>; faults: string[] } {
  const shape = shapeOf(schema)
  const { output, issues = [] } = v.safeParse(schema, plain(node))
  const misshapen = misshapenIn(shape, node, [])
  const rest = issues.flatMap(leaves).filter(({ path }) => !misshapen.some((fault) => startsWith(path, fault.path)))
  const lines = [...misshapen, ...rest.map((issue) => faultOf(issue, shape, node))].map(lineOf)
  return { value: output, faults: [...new Set(lines)] }
}

/** `docker.registryMirrors[0]` */
export function dotted(path: readonly string[]): string {
  return path.map((key, i) => (/^\d+$/.test(key) && i > 0 ? `[${key}]` : i > 0 ? `.${key}` : key)).join('')
}

interface Fault {
  readonly where: string
  readonly path: readonly string[]
  readonly what: string
}

interface Leaf {
  readonly issue: v.BaseIssue<unknown>
  readonly path: readonly string[]
}

function lineOf({ where, path, what }: Fault): string {
  return `${where}: ${path.length === 0 ? '' : `${dotted(path)}: `}${what}`
}

/** What valibot lets pass or leaves out: it takes a list for a mapping, and names only the first of several unknown keys. */
function misshapenIn(shape: Shape, node: Node, path: readonly string[]): Fault[] {
  const { type, additionalProperties } = bare(shape)
  if (isList(node.value)) {
    if (type === 'object') return [{ where: node.where, path, what: instead(shape, node) }]
    return node.value.flatMap((each, i) => misshapenUnder(shape, String(i), each, path))
  }
  if (!isMapping(node.value) || type !== 'object') return []
  return [...node.value].flatMap(([key, child]) => {
    if (additionalProperties !== false || isNamed(shape, key)) return misshapenUnder(shape, key, child, path)
    return [{ where: child.key, path: [...path, key], what: unknownKey(key, keysOf(shape)) }]
  })
}

function misshapenUnder(shape: Shape, key: string, child: Node, path: readonly string[]): Fault[] {
  const inner = childAt(shape, key)
  return inner === undefined ? [] : misshapenIn(inner, child, [...path, key])
}

/** Of a union's options, only one that accepts the outermost mapping can report what is wrong inside. */
function leaves(issue: v.BaseIssue<unknown>): Leaf[] {
  const path = (issue.path ?? []).map((item) => String(item.key))
  const inner = (issue.issues ?? []).filter((each) => each.path !== undefined).flatMap(leaves)
  return inner.length === 0 ? [{ issue, path }] : inner.map((leaf) => ({ ...leaf, path: [...path, ...leaf.path] }))
}

function faultOf({ issue, path }: Leaf, shape: Shape, root: Node): Fault {
  const { node, missing } = locate(root, path)
  const wanted = shapeAt(shape, path)
  if (missing) return { where: node.key, path, what: `missing${wanted ? `: should be ${allowed(wanted)}` : ''}` }
  if (issue.expected === 'never' && !issue.message.startsWith('Invalid '))
    return { where: node.key, path, what: `unknown key: ${issue.message}` }
  if (issue.expected === 'never') {
    const known = shapeAt(shape, path.slice(0, -1))
    return {
      where: node.key,
      path,
      what: unknownKey(path.at(-1) ?? '', keysOf(known ?? shape)),
    }
  }
  const { where } = node
  if (issue.path?.at(-1)?.origin === 'key')
    return { where: node.key, path, what: `the name should be ${issue.message}` }
  // It says everything itself, and what was found may be a secret.
  if (issue.type === 'raw_check') return { where, path, what: issue.message }
  if (!issue.message.startsWith('Invalid ')) return { where, path, what: ownWords(issue.message, node) }
  if (issue.type === 'variant' || wanted === undefined) {
    const options = (issue.expected ?? 'something else').replaceAll(/[()]/g, '').replaceAll(' | ', ' or ')
    return { where, path, what: `should be ${options}, found ${found(node)}` }
  }
  return { where, path, what: instead(wanted, node) }
}

function instead(wanted: Shape, node: Node): string {
  return `should be ${allowed(wanted)}, found ${found(node)}${quoteHint(wanted, node)}`
}

/** A schema's own message says what is allowed (`http://HOST:PORT`) or, about a whole mapping or list, what is wrong. */
function ownWords(message: string, node: Node): string {
  if (isMapping(node.value) || isList(node.value)) return message
  return `${/^(should|must|may|can|is) /.test(message) ? '' : 'should be '}${message}, found ${found(node)}`
}

function unknownKey(key: string, known: readonly string[]): string {
  return `unknown key${suggest(key, known) || (known.length === 0 ? '' : ` (known: ${known.join(', ')})`)}`
}

/** The node at this path, or the closest one above it that exists. */
function locate(root: Node, path: readonly string[]): { node: Node; missing: boolean } {
  let node = root
  for (const key of path) {
    const next = childOf(node, key)
    if (next === undefined) return { node, missing: true }
    node = next
  }
  return { node, missing: false }
}

function childOf({ value }: Node, key: string): Node | undefined {
  if (isList(value)) return value[Number(key)]
  return isMapping(value) ? (value as Mapping).get(key) : undefined
}

function startsWith(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((key, i) => path[i] === key)
}
