import { isDeepStrictEqual } from 'node:util'
import { dotted } from './validate.ts'
import { isMapping, type Mapping, type Node, plain } from './yaml.ts'

/** A group of a host with the vars that it holds. */
export interface Group {
  readonly name: string
  readonly vars: Node
}

/**
 * The vars of one host: `all < group < host`. Mappings merge by key; lists and scalars are replaced. Every value keeps
 * the place in the file that it came from.
 */
export function layered(all: Node, groups: readonly Group[], host: Node): Node {
  return mergeInto(mergeInto(all, groups.map((group) => group.vars).reduce(mergeInto, emptyAt(all))), host)
}

/**
 * The vars that two groups of one host set to different values: groups have no order. A value that the host sets itself
 * settles it.
 */
export function disagreements(groups: readonly Group[], host: Node): string[] {
  return groups.flatMap((one, i) => groups.slice(i + 1).flatMap((other) => between(one, other, host)))
}

/** What a mapping holds; nothing at all (`docker:`) reads as an empty one. */
export function entriesOf({ value }: Node): Mapping {
  return isMapping(value) ? value : new Map()
}

function mergeInto(under: Node, upper: Node): Node {
  if (!isMapping(under.value) || !isMapping(upper.value)) return upper
  const merged = new Map(under.value)
  for (const [key, node] of upper.value) {
    const below = merged.get(key)
    merged.set(key, below === undefined ? node : mergeInto(below, node))
  }
  return { ...upper, value: merged }
}

function between(one: Group, other: Group, host: Node): string[] {
  return clashes(one.vars, other.vars, host, []).map(
    ({ path, first, second }) =>
      `${first.key}: ${dotted(path)}: the groups "${one.name}" and "${other.name}" of one host disagree: ` +
      `the other value is at ${second.key}; set it in one of them, or in the host`,
  )
}

interface Clash {
  readonly path: readonly string[]
  readonly first: Node
  readonly second: Node
}

function clashes(first: Node, second: Node, host: Node | undefined, path: readonly string[]): Clash[] {
  if (path.length > 0 && host !== undefined && !isMapping(host.value)) return []
  if (!isMapping(first.value) || !isMapping(second.value)) {
    return isDeepStrictEqual(plain(first), plain(second)) ? [] : [{ path, first, second }]
  }
  const right = second.value
  return [...first.value].flatMap(([key, node]) => {
    const twin = right.get(key)
    const own = host === undefined ? undefined : entriesOf(host).get(key)
    return twin === undefined ? [] : clashes(node, twin, own, [...path, key])
  })
}

function emptyAt(node: Node): Node {
  return { ...node, value: new Map() }
}
