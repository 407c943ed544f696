import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'

export interface Stage {
  readonly name: string
  readonly command: readonly string[]
  /** uvu has no time limit, and a test that hangs must not hang the run. */
  readonly minutes: number
  readonly counts: 'exit code' | 'uvu totals'
}

export interface Score {
  readonly passed: number
  readonly failed: number
}

/** Runs a stage in a process group of its own, and counts. Its output is shown as it comes, or whole at its end. */
export async function scoreOf(stage: Stage, cwd: string, { whole = false } = {}): Promise<Score> {
  const title = `\n== ${stage.name}\n`
  if (!whole) process.stdout.write(title)
  const { code, output } = await run(stage, cwd, whole)
  if (whole) process.stdout.write(title + output)
  if (stage.counts === 'uvu totals') return parseTotals(output, code)
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

/** uvu ends without totals when a file fails to load or a test never settles: that is one failure, not none. */
export function parseTotals(output: string, code: number | null): Score {
  const text = stripVTControlCharacters(output)
  const last = (label: string) => Number([...text.matchAll(new RegExp(`${label}: +(\\d+)`, 'g'))].at(-1)?.[1])
  const [total, passed, skipped] = [last('Total'), last('Passed'), last('Skipped')] as const
  if (Number.isNaN(total + passed + skipped) || total + skipped === 0) return { passed: 0, failed: 1 }
  return { passed, failed: Math.max(total - passed, code === 0 ? 0 : 1) }
}

async function run({ command: [program = '', ...args], minutes }: Stage, cwd: string, whole: boolean) {
  const modules = join(cwd, 'node_modules')
  const env = {
    ...{ ...process.env, CI: 'true', PATH: `${join(modules, '.bin')}:${process.env.PATH}` },
    // Hundreds of programs load the same modules.
    NODE_COMPILE_CACHE: join(modules, '.cache/compile'),
  }
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = () => void killGroup(child)
  const timer = setTimeout(() => {
    process.stdout.write(`\nstopped: took longer than ${minutes} minutes\n`)
    stop()
  }, minutes * 60_000)
  process.once('exit', stop).once('SIGINT', interrupted).once('SIGTERM', interrupted)

  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data
    if (!whole) process.stdout.write(data)
  })
  child.stderr.on('data', (data: Buffer) => {
    if (whole) output += data
    else process.stderr.write(data)
  })
  const closed = once(child, 'close')
  const [code] = (await once(child, 'exit').catch((error) => [String(error)])) as [number | null | string]
  if (typeof code === 'string') process.stdout.write(`${code}\n`)
  // A daemon that a test left behind may hold the pipes open for ever.
  await Promise.race([closed.catch(() => undefined), pause(2000, undefined, { ref: false })])
  child.stdout.destroy()
  child.stderr.destroy()
  clearTimeout(timer)
  process.off('exit', stop).off('SIGINT', interrupted).off('SIGTERM', interrupted)
  return { code: typeof code === 'string' ? 1 : code, output }
}

/** Ctrl-C reaches only our own group; leaving by `exit` takes the stage's along. */
function interrupted(): void {
  process.exit(130)
}

/** SIGKILL to a process and all that it has started, where it leads a group of its own. One that has ended already is left. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
