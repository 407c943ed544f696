import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { local } from '../../lib/shell/local.ts'
import { CommandFailed, HostError } from '../../lib/std/errors.ts'
import { paths } from './paths.ts'

/** A command of this machine whose failure is an answer: nothing is printed and nothing thrown. */
export const here = local({ quiet: true, nothrow: true })

export interface Result {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** The output of a docker command on this machine; anything but exit code 0 is an error that shows what docker said. */
export async function docker(args: readonly string[], options: { seconds?: number } = {}): Promise<string> {
  const { status, stdout, stderr } = await tryDocker(args, options)
  if (status !== 0) throw new CommandFailed('this machine', status, `docker ${args.join(' ')}`, stderr)
  return stdout.trim()
}

/** A docker command whose failure is an answer, not an error; 124 when it did not end in time. */
export async function tryDocker(
  args: readonly string[],
  { seconds = 60, input = '' }: { seconds?: number; input?: string } = {},
): Promise<Result> {
  // A daemon that hangs ignores our end of the connection: `timeout` ends the client for certain.
  const result = await here({ input })`timeout -k 5 ${seconds} docker ${args}`
  const late = result.exitCode === 124 ? `no answer within ${seconds} s` : ''
  return { status: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr.trim() || late }
}

/**
 * Runs a long command with its whole output in a log file; a failure shows the last lines and names the file. Bound: it
 * ends at once when we are killed, so that nothing of it goes on beside the next run.
 */
export async function logged(
  name: string,
  seconds: number,
  command: readonly string[],
  { bound = true } = {},
): Promise<void> {
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 })
  const log = join(paths.logs, `${name}.log`)
  const bond = bound ? ['setpriv', '--pdeathsig', 'KILL'] : ['setsid', '-w']
  const words = [...bond, 'timeout', '-k', '10', seconds, ...(bound ? bond : []), ...command]
  const { exitCode } = await here`exec ${words} >${log} 2>&1 </dev/null`
  if (exitCode === 0) return
  const why = exitCode === 124 ? `did not end within ${seconds} s` : `exit code ${exitCode}`
  throw new HostError(`this machine: ${name}: ${why}\n${await lastLines(log)}\nthe whole log: ${log}`)
}

export async function lastLines(file: string, count = 15): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
