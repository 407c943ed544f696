import { at, type Found, numbered } from './finding.ts'
import { itemsOf, jsonIn, mappingOf, memberOf, textOf } from './untyped.ts'

export interface NodeProject {
  readonly file: string
  readonly scripts: ReadonlyMap<string, Found<string>>
  /** Names of packages with their lines. */
  readonly dependencies: ReadonlyMap<string, string>
  readonly developmentOnly: ReadonlySet<string>
  readonly node: string | undefined
  /** As `pnpm@9.1.0`. */
  readonly packageManager: string | undefined
  readonly main: string | undefined
  readonly workspaces: boolean
}

/** A package.json; undefined where it is no JSON. */
export function nodeProject(text: string, file: string): NodeProject | undefined {
  const json = mappingOf(jsonIn(text))
  if (json === undefined) return undefined
  const places = placesIn(text)
  const lineOf = (key: string, group: string) => at(file, places.get(`${group}/${key}`) ?? 1)
  const entries = (group: string) => Object.entries(mappingOf(json[group]) ?? {})
  const packages = ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((group) =>
    entries(group).map(([name]) => [name, lineOf(name, group)] as const),
  )
  return {
    file,
    scripts: new Map(
      entries('scripts').map(([name, said]) => [name, { value: textOf(said) ?? '', from: lineOf(name, 'scripts') }]),
    ),
    dependencies: new Map(packages),
    developmentOnly: new Set(entries('devDependencies').map(([name]) => name)),
    node: textOf(memberOf(json.engines, 'node')) ?? textOf(memberOf(json.volta, 'node')),
    packageManager: textOf(json.packageManager),
    main: textOf(json.main),
    workspaces: itemsOf(json.workspaces).length > 0,
  }
}

/** The lines of keys, by `GROUP/KEY`, in a file that is laid out as npm does. */
function placesIn(text: string): ReadonlyMap<string, number> {
  let group = ''
  return new Map(
    numbered(text).flatMap(([line, number]) => {
      const [, key = '', opens] = /^\s*"([^"]+)"\s*:\s*(\{\s*$)?/.exec(line) ?? []
      if (opens !== undefined) group = key
      return key === '' ? [] : [[`${group}/${key}`, number] as const]
    }),
  )
}
