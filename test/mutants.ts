// How much the unit tests notice: `npm run test:mutants -- [--seed N] [--count N] [--only PATH] [--near N] [--seconds N] [--list]`.
// Small changes to lib/, roles/ and commands/, drawn with a seed, each in a copy of the tree; one is caught if a unit test fails.
// All tests run once, to see which of them run which place, and how long they take; a mutant then meets these, the nearest first, up
// to --seconds of them (default 90, or all): one that is not caught by then counts as survived. For work on one file, --near runs
// only the N test files that are nearest to it by imports. --named tries a kept list instead, on the sandbox as well, unless --here
// says not to.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Executed, readersOf, runCounted } from './mutants/coverage.ts'
import { lineOf, mutated } from './mutants/mutant.ts'
import { tryNamed } from './mutants/named.ts'
import { graphOf, testsFor } from './mutants/reach.ts'
import { type Scratch, scratchOf } from './mutants/scratch.ts'
import { allSites, draw, type Site } from './mutants/sites.ts'

const root = join(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '150' },
    only: { type: 'string', default: '' },
    near: { type: 'string', default: 'all' },
    seconds: { type: 'string', default: '90' },
    list: { type: 'boolean', default: false },
    named: { type: 'boolean', default: false },
    here: { type: 'boolean', default: false },
  },
})
const limit = values.near === 'all' ? undefined : Number(values.near)
const most = values.seconds === 'all' ? Number.POSITIVE_INFINITY : Number(values.seconds)
const say = (line: string) => void process.stdout.write(`${line}\n`)
if (values.named) process.exit(await tryNamed(root, values, say))

const sites = allSites(root).filter(({ file }) => file.startsWith(values.only))
const left = draw(sites, Number(values.seed), Number(values.count))
const total = left.length
const graph = graphOf(root)
const started = Date.now()
const survivors: Site[] = []
say(`${total} of ${sites.length} places, seed ${values.seed}`)

// More than processors: tests mostly wait.
const workers = Array.from({ length: 4 }, () => scratchOf(root))
process.on('exit', () => workers.forEach(({ remove }) => void remove()))
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))

const executed = new Executed()
const readers = readersOf(root, graph)
const before = limit === undefined ? await counted() : undefined
if (before === undefined) await Promise.all(workers.map(work))
else say(before)

if (values.list) for (const site of survivors) say(`\n${shown(site)}`)
say(`\n${total - survivors.length} of ${total} caught in ${seconds()} s, seed ${values.seed}`)
const [passed, failed] = before === undefined ? [total - survivors.length, survivors.length] : [0, 1]
process.exitCode = failed === 0 ? 0 : 1
say(`${passed} passed, ${failed} failed`)

async function work(scratch: Scratch): Promise<void> {
  for (let site = left.shift(); site; site = left.shift()) {
    const by = await caughtBy(site, scratch)
    if (by === undefined) survivors.push(site)
    say(`${place(site)}  ${site.mutant.operator}  ${by === undefined ? 'SURVIVED' : `caught by ${by}`}`)
  }
}

/** Runs all unit tests once; how they fail, if they do. */
async function counted(): Promise<string | undefined> {
  const tests = [...graph.tests]
  const sites = [...left]
  try {
    await Promise.all(workers.map((scratch) => runCounted(tests, sites, scratch, executed)))
    say(`what each of ${graph.tests.length} test files runs is known after ${seconds()} s`)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function seconds(): number {
  return Math.round((Date.now() - started) / 1000)
}

/** The nearest tests first: most mutants are caught by these. A test that does not run the place cannot notice. */
async function caughtBy(site: Site, scratch: Scratch): Promise<string | undefined> {
  const { file, mutant } = site
  const source = scratch.read(file)
  scratch.write(file, mutated(source, mutant))
  try {
    const tests = limit === undefined ? executed.testsOf(site, graph, readers) : testsFor(file, graph).near
    const batches = limit === undefined ? growing(tests) : [tests.slice(0, limit)]
    for (const batch of batches) {
      const failure = await scratch.fails(batch)
      if (failure !== undefined) return failure
    }
    return undefined
  } finally {
    scratch.write(file, source)
  }
}

/**
 * Tests of a few seconds, then of more, up to the limit: a process costs a second to start, and most mutants are caught by the first.
 * The nearest test is always run.
 */
function growing(tests: readonly string[]): string[][] {
  let sum = 0
  const sums = tests.map((test) => (sum += executed.secondsOf(test)))
  const batchOf = (_: string, i: number) => [3, 12].filter((seconds) => (sums[i] ?? 0) > seconds).length
  const within = tests.filter((_, i) => i === 0 || (sums[i] ?? 0) <= most)
  return [...Map.groupBy(within, batchOf).values()]
}

function place({ file, mutant }: Site): string {
  return `${file}:${lineOf(readFileSync(join(root, file), 'utf8'), mutant.start)}`
}

/** The whole lines before and after. */
function shown(site: Site): string {
  const source = readFileSync(join(root, site.file), 'utf8')
  const { start, end, operator } = site.mutant
  const from = source.lastIndexOf('\n', start - 1) + 1
  const to = source.indexOf('\n', Math.max(start, end - 1))
  const after = mutated(source, site.mutant).slice(from, to - source.length)
  const marked = (sign: string, text: string) => text.replace(/^/gm, `${sign} `)
  return `${place(site)}  ${operator}\n${marked('-', source.slice(from, to))}\n${marked('+', after)}`
}
