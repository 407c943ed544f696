import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml'
import { InventoryError } from '../std/errors.ts'
import { suggest } from '../std/suggest.ts'
import { readText } from './read-text.ts'

/** A value of a YAML file and its position: `file:line:column`. */
export interface Node {
  readonly where: string
  /** The position of its key; of the value itself where it has no key. */
  readonly key: string
  readonly value: Mapping | readonly Node[] | string | number | boolean | bigint | null
  /** As written: `1.10`, not 1.1. */
  readonly source: string
}
export type Mapping = ReadonlyMap<string, Node>

// Written as "\0": the bytes of the file hold none.
const noNul = 'a NUL byte, which no program can be given'

/** Reads one YAML file. All its faults are one error, a line each; an empty file is one too. */
export async function readYaml(file: string): Promise<Node> {
  return parseYaml(await readText(file), file)
}

/** The same of a text, which is or will be that of the file. */
export function parseYaml(text: string, file: string): Node {
  const counter = new LineCounter()
  const where = (offset: number) => `${file}:${counter.linePos(offset).line}:${counter.linePos(offset).col}`
  const document = parse(file, text, counter)
  const faults = [...document.errors, ...document.warnings].map((fault) => `${where(fault.pos[0])}: ${wordsOf(fault)}`)
  throwAll(faults)
  if (document.contents === null) throw new InventoryError(`${file}: empty; it must name at least one host`)
  const reader = new Reader(where)
  const root = reader.read(document.contents)
  throwAll(reader.faults)
  return root
}

/** Throws what was collected, if anything was: a line each, none twice, in the order of the file. */
export function throwAll(faults: readonly string[]): void {
  const inOrder = [...new Set(faults)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  if (inOrder.length > 0) throw new InventoryError(inOrder.join('\n'))
}

/** The node as plain data. No key of it is one of Object.prototype: the reader refuses those. */
export function plain(node: Node): unknown {
  if (isMapping(node.value)) return Object.fromEntries([...node.value].map(([key, child]) => [key, plain(child)]))
  return isList(node.value) ? node.value.map(plain) : node.value
}

export function isMapping(value: Node['value']): value is Mapping {
  return value instanceof Map
}

export function isList(value: Node['value']): value is readonly Node[] {
  return Array.isArray(value)
}

function parse(file: string, text: string, lineCounter: LineCounter) {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false })
  } catch (error) {
    if (error instanceof RangeError) throw new InventoryError(`${file}: nested too deeply`)
    throw error
  }
}

function wordsOf({ code, message }: { code: string; message: string }): string {
  if (code === 'TAB_AS_INDENT') return 'a tab as indentation; use spaces'
  if (code === 'MULTIPLE_DOCS') return 'a second document starts here; keep one'
  if (code === 'TAG_RESOLVE_FAILED')
    return `${message.replace('Unresolved tag: ', 'unknown tag ')}; tags are not used here`
  return `not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
}

/** Turns the parser's nodes into ours. Aliases are followed; the limits stop files that unfold without end. */
class Reader {
  readonly faults: string[] = []
  readonly #anchors = new Map<string, ParsedNode>()
  readonly #open = new Set<ParsedNode>()
  readonly #where: (offset: number) => string
  #count = 0

  constructor(where: (offset: number) => string) {
    this.#where = where
  }

  read(node: ParsedNode, key?: string): Node {
    const where = this.#where(node.range[0])
    this.#count += 1
    if (this.#count > 50_000)
      throw new InventoryError(`${where}: more than 50000 values; does an alias repeat too much?`)
    if (isAlias(node)) return this.#aliased(node.source, where, key)
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    this.#open.add(node)
    const result = { where, key: key ?? where, value: this.#valueOf(node), source: sourceOf(node) }
    this.#open.delete(node)
    return result
  }

  #valueOf(node: Exclude<ParsedNode, { type: 'ALIAS' }>): Node['value'] {
    if (isSeq(node)) return node.items.map((item) => this.read(item))
    if (isMap(node)) return this.#mapping(node.items)
    if (isScalar(node) && String(node.value).includes('\0')) this.faults.push(`${this.#where(node.range[0])}: ${noNul}`)
    return isScalar(node) ? (node.value as Node['value']) : null
  }

  #mapping(pairs: readonly { key: ParsedNode; value: ParsedNode | null }[]): Mapping {
    const mapping = new Map<string, Node>()
    for (const { key, value } of pairs) {
      const where = this.#where(key.range[0])
      const name = sourceOf(key)
      const twin = mapping.get(name)
      if (!isScalar(key))
        this.faults.push(`${where}: a key must be text; templates like {{ x }} are not filled in here`)
      else if (name.includes('\0')) this.faults.push(`${where}: ${noNul}`)
      else if (name in Object.prototype) this.faults.push(`${where}: ${name}: this name cannot be a key`)
      else if (twin !== undefined) this.faults.push(`${where}: ${name}: is already at ${twin.key}; keep one`)
      else mapping.set(name, value === null ? nothing(where) : this.read(value, where))
    }
    return mapping
  }

  #aliased(name: string, where: string, key = where): Node {
    const node = this.#anchors.get(name)
    if (node !== undefined && !this.#open.has(node)) return { ...this.read(node), where, key }
    const problem = node === undefined ? `no anchor "&${name}" above` : 'this alias is inside the value that it repeats'
    this.faults.push(`${where}: ${problem}${node === undefined ? suggest(name, this.#anchors.keys()) : ''}`)
    return nothing(where)
  }
}

function nothing(where: string): Node {
  return { where, key: where, value: null, source: '' }
}

function sourceOf(node: ParsedNode): string {
  if (!isScalar(node)) return ''
  return node.type === 'PLAIN' ? (node.source ?? '') : String(node.value)
}
