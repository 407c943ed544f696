import { globSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'

/**
 * The unit test files, those from which a file is reached by the fewest imports first, of equally many the cheaper ones; the
 * unreached ones apart.
 */
export function testsFor(
  file: string,
  graph: Graph,
  costOf: (test: string) => number = () => 0,
): { near: string[]; rest: string[] } {
  const steps = new Map(graph.tests.map((test) => [test, distance(test, file, graph)]))
  const reaches = (test: string) => Number.isFinite(steps.get(test))
  const near = graph.tests
    .filter(reaches)
    .sort((one, other) => (steps.get(one) ?? 0) - (steps.get(other) ?? 0) || costOf(one) - costOf(other))
  return { near, rest: graph.tests.filter((test) => !reaches(test)) }
}

export interface Graph {
  readonly tests: readonly string[]
  readonly imports: ReadonlyMap<string, readonly string[]>
}

/**
 * What imports what; a template is imported by the sources of its role that name it, with or without its ending, and by tests that
 * name its folder too.
 */
export function graphOf(root: string): Graph {
  const files = globSync('{lib,roles,commands,playbooks,sandbox,test}/**/*.{ts,sh,awk,mustache}', { cwd: root })
  const templates = files.filter((file) => !file.endsWith('.ts'))
  const sources = files.filter((file) => file.endsWith('.ts'))
  const imports = new Map(
    sources.map((file) => {
      const text = readFileSync(join(root, file), 'utf8')
      const modules = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']*)'/g)].map(([, path = '']) =>
        join(dirname(file), path),
      )
      const named = templates.filter(
        (template) =>
          (template.startsWith(`${dirname(file)}/`) || text.includes(dirname(template))) &&
          (text.includes(basename(template)) || text.includes(`'${basename(template, extname(template))}'`)),
      )
      return [file, [...modules, ...named]]
    }),
  )
  const tests = sources.filter((file) => /^test\/(?!sandbox\/|faults\/).*\.test\.ts$/.test(file)).sort()
  return { tests, imports }
}

function distance(from: string, to: string, { imports }: Graph): number {
  const seen = new Map([[from, 0]])
  for (const [file, steps] of seen) {
    if (file === to) return steps
    for (const next of imports.get(file) ?? []) if (!seen.has(next)) seen.set(next, steps + 1)
  }
  return Number.POSITIVE_INFINITY
}
