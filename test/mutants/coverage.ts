import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Graph, testsFor } from './reach.ts'
import type { Scratch } from './scratch.ts'
import type { Site } from './sites.ts'

/** The tests that run the code of each site, by what V8 counts while each test file and the programs that it starts run alone. */
export class Executed {
  readonly #tests = new Map<Site, Set<string>>()
  readonly #seconds = new Map<string, number>()

  /** How long a test file took alone. */
  secondsOf(test: string): number {
    return this.#seconds.get(test) ?? 0
  }

  add(test: string, sites: readonly Site[], seconds: number): void {
    this.#seconds.set(test, Math.max(this.secondsOf(test), seconds))
    for (const site of sites) this.#tests.set(site, (this.#tests.get(site) ?? new Set()).add(test))
  }

  /**
   * The tests that can notice a change of this site, the nearest by imports first, of these the quickest. Text that no engine counts, as a script of
   * shell, is judged by imports. `readers` look at the sources themselves.
   */
  testsOf(site: Site, graph: Graph, readers: readonly string[]): string[] {
    const { near } = testsFor(site.file, graph, (test) => this.secondsOf(test))
    const counted = site.file.endsWith('.ts')
    const ran = this.#tests.get(site) ?? new Set()
    const first = near.filter((test) => !counted || ran.has(test))
    return [...first, ...[...ran, ...readers].filter((test) => !first.includes(test))]
  }
}

/** Tests that read the tree's sources, or have the compiler read them. */
export function readersOf(root: string, { tests }: Graph): string[] {
  return tests.filter((test) =>
    /\btsc\b|globSync|\/(lib|roles|commands)\/\S+\.ts'/.test(readFileSync(join(root, test), 'utf8')),
  )
}

/** Runs each of these test files alone. Throws where one fails. */
export async function runCounted(
  tests: string[],
  sites: readonly Site[],
  scratch: Scratch,
  executed: Executed,
): Promise<void> {
  for (let test = tests.shift(); test; test = tests.shift()) {
    const began = performance.now()
    const { failure, folder } = await scratch.counts(test)
    const seconds = (performance.now() - began) / 1000
    if (failure !== undefined) throw new Error(`the unit tests fail before anything is changed: ${failure}`)
    for (const name of readdirSync(folder))
      executed.add(test, sitesRun(join(folder, name), sites, scratch.folder), seconds)
    scratch.forget(folder)
  }
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly { readonly ranges: readonly Range[] }[]
  }[]
}

/** The sites that a process has run. Types are blanked before a file is run, so offsets are those of the source. */
function sitesRun(file: string, sites: readonly Site[], folder: string): Site[] {
  const { result } = JSON.parse(readFileSync(file, 'utf8')) as Coverage
  return result.flatMap(({ url, functions }) => {
    const path = url.replace(`file://${folder}/`, '')
    const ranges = functions.flatMap((each) => each.ranges)
    return sites.filter((site) => site.file === path && isRun(ranges, site.mutant.start))
  })
}

/** The smallest range around a place says how often it was run. */
function isRun(ranges: readonly Range[], at: number): boolean {
  const around = ranges.filter(({ startOffset, endOffset }) => startOffset <= at && at < endOffset)
  const inner = around.toSorted((one, other) => one.endOffset - one.startOffset - (other.endOffset - other.startOffset))
  return (inner[0]?.count ?? 0) > 0
}
