import { at, type Found, numbered } from './finding.ts'

export interface GoProject {
  readonly version: Found<string> | undefined
  /** Paths of modules with their lines. */
  readonly dependencies: ReadonlyMap<string, string>
}

export function goMod(text: string, file: string): GoProject {
  const lines = numbered(text)
  const [said, number = 1] = lines.find(([line]) => /^go \d+\.\d+/.test(line)) ?? []
  const version = /^go (\d+\.\d+)/.exec(said ?? '')?.[1]
  const modules = lines.flatMap(([line, at1]) => {
    const [, path] = /^(?:require\s+|\s+)([\w.-]+\.[a-z]+\/\S+) v\S+/.exec(line) ?? []
    return path === undefined ? [] : [[path, at(file, at1)] as const]
  })
  return {
    version: version === undefined ? undefined : { value: version, from: at(file, number) },
    dependencies: new Map(modules),
  }
}
