import { local } from '../shell/local.ts'
import type { Script } from '../shell/sh.ts'
import { ConnectError, UsageError } from '../std/errors.ts'
import { handedOver } from '../std/output.ts'
import { sshArguments, type Target } from './ssh-arguments.ts'

/** What becomes of the output of a console that is not a terminal. */
export interface ConsoleOutput {
  /** Gets what is printed; left out: it goes where this process's own output goes, as it is. */
  readonly out?: (bytes: Buffer) => void
  readonly err?: (bytes: Buffer) => void
}

/** The greatest length of a script, in bytes: it is one argument of the shell on the host. */
const longest = 90_000

/**
 * Runs a script as root on a host, with this process's standard input, by a login of its own. `terminal`: in a terminal
 * there that is this one. Returns its exit status, but for 255, by which ssh tells its own failures: the script must not end with
 * it.
 */
export async function runConsole(
  target: Target,
  script: Script,
  { terminal, out, err }: { terminal: boolean } & ConsoleOutput,
): Promise<number> {
  const text = Buffer.from(script.text).toString('base64')
  if (text.length > longest) throw new UsageError(`the command is too long: it may have ${longest} bytes in all`)
  const stdio = [
    handedOver,
    out === undefined ? handedOver : ('pipe' as const),
    err === undefined ? handedOver : ('pipe' as const),
  ]
  // In the process group of the terminal, which is its own.
  const ssh = local({ stdio, nothrow: true, detached: false })
  const running = ssh`exec ssh ${sshArguments(target, { terminal })} ${consoleCommand(text)}`
  if (out) running.child?.stdout?.on('data', out)
  if (err) running.child?.stderr?.on('data', err)
  const { exitCode } = await running
  if (exitCode === null || exitCode === 255) throw new ConnectError(`${target.name}: the connection was lost`)
  return exitCode
}

/** One line that every login shell reads alike: all special characters are in the base64, or between single quotes. */
export function consoleCommand(base64: string): string {
  return `exec sh -c '[ "$(id -u)" = 0 ] && sudo= || sudo="sudo -n"; exec $sudo sh -c "$(echo ${base64} | base64 -d)"'`
}
