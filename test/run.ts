// The tests: `node test/run.ts [unit|sandbox|faults]`, without an argument all but the faults. Each stage is a process of
// its own; the very last line is `N passed, N failed`.
import { globSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { up } from '../sandbox/index.ts'
import { ensureShellcheck } from './support/shellcheck/install.ts'
import { type Score, type Stage, scoreOf } from './support/stage.ts'

const root = resolve(import.meta.dirname, '..')

const types: Stage = { name: 'types', command: ['tsc', '--noEmit'], minutes: 10, counts: 'exit code' }
const lint: Stage = { name: 'lint', command: ['biome', 'check'], minutes: 10, counts: 'exit code' }
// The model app is a project of its own, with tests of its own.
const model: Stage = {
  name: 'hello-bot',
  command: ['npm', 'test', '--prefix', 'bots/hello-bot'],
  minutes: 15,
  counts: 'uvu totals',
}
// Two of a like length, side by side: each file mostly waits for the programs that it starts.
const unit = [
  uvu('unit', ['test', String.raw`\.test\.ts$`, '--ignore', '^(sandbox|faults|roles)/'], 15),
  uvu('unit: roles', ['test', String.raw`^roles/.*\.test\.ts$`], 15),
]

/** Those that take longer than their length says, the longest first. */
const slow = ['bots', 'backups', 'ufw', 'edge', 'site', 'database', 'guard', 'base'].map((name) => `${name}.test.ts`)

const scope = process.argv[2] ?? 'all'
const stages = stagesOf(scope)
const scores: Score[] = []
if (stages.some((stage) => unit.includes(stage))) await ensureShellcheck((line) => process.stdout.write(`${line}\n`))
// Those on the sandbox have a VPS each and mostly wait for it: three at a time, on a machine of two cores.
const alone = stages.filter(({ name }) => !name.startsWith('sandbox/'))
const paired = stages.filter((stage) => !alone.includes(stage))
// Its images are built, where they are missing, while the unit tests run.
const ready = paired.length > 1 ? up({ progress: (line) => process.stdout.write(`${line}\n`) }) : undefined
// A failure is reported below, when it is awaited.
ready?.catch(() => {})
// Types, lint and the model run beside the unit tests; the first of those is shown as it comes.
const [shown, ...beside] = unit.filter((stage) => alone.includes(stage))
const others = alone.filter((stage) => !unit.includes(stage))
await Promise.all([
  inOrder(shown ? [shown] : [], { whole: false }),
  ...beside.map((stage) => inOrder([stage], { whole: true })),
  inOrder(others, { whole: shown !== undefined }),
])
await ready
await Promise.all([next(), next(), next()])

async function inOrder(some: readonly Stage[], options: { whole: boolean }): Promise<void> {
  for (const stage of some) scores.push(await scoreOf(stage, root, options))
}

async function next(): Promise<void> {
  for (let stage = paired.shift(); stage; stage = paired.shift())
    scores.push(await scoreOf(stage, root, { whole: true }))
}

if (stages.length === 0) process.stderr.write(`no tests "${scope}": there are unit, sandbox, faults\n`)

const passed = scores.reduce((sum, score) => sum + score.passed, 0)
const failed = scores.reduce((sum, score) => sum + score.failed, stages.length === 0 ? 1 : 0)
process.exitCode = failed === 0 ? 0 : 1
process.stdout.write(`${passed} passed, ${failed} failed\n`)

function stagesOf(scope: string): Stage[] {
  if (scope === 'all') return [types, lint, ...unit, model, ...filesIn('sandbox', 45)]
  if (scope === 'unit') return unit
  if (scope === 'sandbox') return filesIn('sandbox', 45)
  return scope === 'faults' ? filesIn('faults', 60) : []
}

/** A process per file, the longest first: with some at a time the last one should be a short one. */
function filesIn(folder: string, minutes: number): Stage[] {
  const base = resolve(import.meta.dirname, folder)
  const rank = (file: string) => (slow.includes(file) ? 1e6 - slow.indexOf(file) : statSync(resolve(base, file)).size)
  const files = globSync('**/*.test.ts', { cwd: base }).sort((one, other) => rank(other) - rank(one))
  return files.map((file) => {
    const pattern = `^${file.replaceAll('.', String.raw`\.`)}$`
    return uvu(`${folder}/${file}`, [`test/${folder}`, pattern], minutes)
  })
}

function uvu(name: string, args: string[], minutes: number): Stage {
  // uvu colours its output, and that of whatever a test starts, unless it is told not to.
  const plain = process.stdout.isTTY ? [] : ['--no-color']
  return { name, command: ['uvu', ...args, ...plain], minutes, counts: 'uvu totals' }
}
