import { UsageError } from '../std/errors.ts'
import { suggest } from '../std/suggest.ts'
import { bare, childAt, keysOf, type Shape, shapeOf } from './describe-schema.ts'
import type { RoleSchema } from './file-schema.ts'
import { levelsOf } from './hosts.ts'
import type { InventoryHost } from './inventory.ts'
import { entriesOf, type Group } from './merge-vars.ts'
import { type Node, plain } from './yaml.ts'

/** One variable of one host. Without an origin its value is the role's default; without a value it is not set at all. */
export interface Explained {
  readonly host: string
  readonly key: string
  readonly value?: unknown
  readonly origin?: Origin
  /** What that overrides, the nearest first. */
  readonly over: readonly Origin[]
}

interface Origin {
  /** `host vps1`, `group core` or `vars`. */
  readonly level: string
  /** `file:line:column` */
  readonly at: string
  readonly value: unknown
}

type Path = readonly string[]

/**
 * Shows where a variable (`docker.daemon`) and all that is below it come from. `root` is the inventory that the
 * hosts were read from. A key that no role has is a UsageError.
 */
export function explain(
  key: string,
  root: Node,
  hosts: readonly InventoryHost[],
  roles: readonly RoleSchema[],
): Explained[] {
  const known = roles.flatMap((role) => pathsOf(shapeOf(role.vars), [role.name]))
  const all = hosts.map((host) => ({ host, paths: leavesOf(host.vars, []) }))
  const names = [...known.map(({ path }) => dots(path)), ...all.flatMap(({ paths }) => paths.map(dots))]
  const within = known.some(({ path, open }) => open && isUnder(key, dots(path)))
  if (!within && !names.some((name) => isUnder(name, key)))
    throw unknown(key, [...names, ...roles.map(({ name }) => name)])
  return all.flatMap(({ host, paths }) => {
    const levels = levelsOf(root, host.name, roles).reverse()
    const leaves = paths.filter((path) => isUnder(dots(path), key))
    const unset = known.filter(
      ({ path }) => isUnder(dots(path), key) && !paths.some((leaf) => isUnder(dots(leaf), dots(path))),
    )
    if (leaves.length + unset.length === 0) return [{ host: host.name, key, over: [] }]
    return [
      ...leaves.map((path) => originOf(host, path, levels)),
      ...unset.map(({ path }) => ({ host: host.name, key: dots(path), over: [] })),
    ]
  })
}

/** As text: each variable once, and below it the hosts. */
export function explainedText(explained: readonly Explained[]): string {
  const width = Math.max(...explained.map(({ host }) => host.length))
  return [...Map.groupBy(explained, ({ key }) => key)]
    .map(([key, each]) => [key, ...each.flatMap((one) => linesOf(one, width))].join('\n'))
    .join('\n')
}

function linesOf({ host, value, origin, over }: Explained, width: number): string[] {
  const from = origin === undefined ? "the role's default" : `${origin.level}, ${origin.at}`
  const first = value === undefined ? 'not set' : `${JSON.stringify(value)}  (${from})`
  return [
    `  ${host.padEnd(width)}  ${first}`,
    ...over.map((below) => `  ${''.padEnd(width)}  over ${JSON.stringify(below.value)}  (${below.level}, ${below.at})`),
  ]
}

function originOf(host: InventoryHost, path: Path, levels: readonly Group[]): Explained {
  const [origin, ...over] = levels.flatMap(({ name, vars }) => {
    const node = nodeAt(vars, path)
    return node === undefined ? [] : [{ level: name, at: node.key, value: plain(node) }]
  })
  return { host: host.name, key: dots(path), value: valueAt(host.vars, path), ...(origin && { origin }), over }
}

/** Everything in a role's schema; what is `open` takes keys that the schema does not name. */
function pathsOf(shape: Shape, path: Path): { path: Path; open: boolean }[] {
  const keys = keysOf(shape)
  if (keys.length === 0) return [{ path, open: typeof bare(shape).additionalProperties === 'object' }]
  return keys.flatMap((key) => pathsOf(childAt(shape, key) ?? {}, [...path, key]))
}

function leavesOf(value: unknown, path: Path): Path[] {
  const inner = isPlain(value) ? Object.entries(value).filter(([, each]) => each !== undefined) : []
  if (inner.length === 0) return path.length > 1 ? [path] : []
  return inner.flatMap(([name, each]) => leavesOf(each, [...path, name]))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function nodeAt(root: Node, path: Path): Node | undefined {
  return path.reduce<Node | undefined>((node, key) => node && entriesOf(node).get(key), root)
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce((value, key) => (value as Record<string, unknown>)[key], root)
}

function isUnder(name: string, key: string): boolean {
  return name === key || name.startsWith(`${key}.`)
}

function dots(path: Path): string {
  return path.join('.')
}

function unknown(key: string, names: readonly string[]): UsageError {
  return new UsageError(`--explain: unknown variable "${key}"${suggest(key, new Set(names))}`)
}
