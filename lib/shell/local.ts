import { type ProcessPromise, $ as zx } from 'zx'
import { HostError } from '../std/errors.ts'
import { quote } from './sh.ts'

/**
 * Runs a command on this machine, quiet, with arguments quoted for a POSIX shell: zx's own quoting is for bash,
 * and a `sh` that is dash reads its `$'a b'` as `$a b`.
 */
export const local = zx({ shell: '/bin/sh', prefix: '', postfix: '', quote, verbose: false, quiet: true })

/** Writes to the standard input of a command of `local`. A command that ends without reading all of it is not an error. */
export function withInput(command: ProcessPromise, input: string | Uint8Array): ProcessPromise {
  // Without a listener the EPIPE of such a command would end this process.
  command.stdin.on('error', () => {})
  command.stdin.end(input)
  return command
}

/** An error of a system call on this machine as one that the operator can act on; any other error as it is. */
export function localFault(error: unknown): unknown {
  const refused = error instanceof Error && 'syscall' in error
  return refused ? new HostError(`this machine: ${error.message}`, { cause: error }) : error
}
