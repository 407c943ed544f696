import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const checkout = join(import.meta.dirname, '..')

export interface Timed {
  readonly seconds: number
  /** The most memory that the process itself had, in MB. */
  readonly megabytes: number
  readonly stdout: string
}

/** Runs a command in the checkout, as an operator would, but without a terminal. An exit code that is not good is an error. */
export async function timed(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { good = [0] }: { good?: readonly number[] } = {},
): Promise<Timed> {
  const [program = '', ...args] = argv
  const started = performance.now()
  const child = spawn(program, args, {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutNpm(), NO_COLOR: '1', ...env },
  })
  let [stdout, stderr, megabytes] = ['', '', 0]
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const printed = new Promise((resolve) => child.stdout.once('end', resolve))
  // The kernel keeps the peak: the last look tells it.
  const look = setInterval(() => (megabytes = Math.max(megabytes, peakOf(child.pid))), 50)
  const ended = new Promise<number | null>((resolve, reject) => {
    // Not `close`: a connection that is kept for the next run holds the pipes open.
    child.once('exit', (code) => resolve(code))
    child.once('error', reject)
  }).finally(() => clearInterval(look))
  const code = await ended
  const seconds = (performance.now() - started) / 1000
  // What is printed is read to its end; what a kept connection still holds has no end.
  await Promise.race([printed, new Promise((resolve) => setTimeout(resolve, 2000))])
  child.stdout.destroy()
  child.stderr.destroy()
  if (code === null || !good.includes(code))
    throw new Error(`${argv.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return { seconds, megabytes, stdout }
}

/** What npm tells the scripts that it runs would be taken for flags of the playbook. */
function withoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
  } catch {
    return 0
  }
}
