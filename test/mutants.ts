// How much the unit tests notice: `npm run test:mutants -- [--seed N] [--count N] [--only PATH] [--near N] [--list]`.
// Small changes to lib/, roles/ and commands/, drawn with a seed, each in a copy of the tree; one is caught if a unit test fails. For work
// on one file, --near runs only the N test files that are nearest to it by imports. --named tries a kept list instead, on the
// sandbox as well, unless --here says not to.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
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
    list: { type: 'boolean', default: false },
    named: { type: 'boolean', default: false },
    here: { type: 'boolean', default: false },
  },
})
const limit = values.near === 'all' ? undefined : Number(values.near)
const say = (line: string) => void process.stdout.write(`${line}\n`)
if (values.named) process.exit(await tryNamed(root, values, say))

const sites = allSites(root).filter(({ file }) => file.startsWith(values.only))
const left = draw(sites, Number(values.seed), Number(values.count))
const total = left.length
const graph = graphOf(root)
const started = Date.now()
const survivors: Site[] = []
say(`${total} of ${sites.length} places, seed ${values.seed}`)

const workers = [scratchOf(root), scratchOf(root)]
process.on('exit', () => workers.forEach(({ remove }) => void remove()))
process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))

const before = limit === undefined ? await workers[0]?.fails(graph.tests) : undefined
if (before === undefined) await Promise.all(workers.map(work))
else say(`the unit tests fail before anything is changed: ${before}`)

if (values.list) for (const site of survivors) say(`\n${shown(site)}`)
const seconds = Math.round((Date.now() - started) / 1000)
say(`\n${total - survivors.length} of ${total} caught in ${seconds} s, seed ${values.seed}`)
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

/** The nearest tests first: most mutants are caught by these. */
async function caughtBy({ file, mutant }: Site, scratch: Scratch): Promise<string | undefined> {
  const { near, rest } = testsFor(file, graph)
  const source = scratch.read(file)
  scratch.write(file, mutated(source, mutant))
  try {
    const batches = limit === undefined ? [near.slice(0, 3), near.slice(3), rest] : [near.slice(0, limit)]
    for (const tests of batches) {
      const failure = await scratch.fails(tests)
      if (failure !== undefined) return failure
    }
    return undefined
  } finally {
    scratch.write(file, source)
  }
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
