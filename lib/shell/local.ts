import { $ as zx } from 'zx'
import { HostError } from '../std/errors.ts'
import { quote } from './sh.ts'

/**
 * Runs a command on this machine, quiet, with arguments quoted for a POSIX shell: zx's own quoting is for bash,
 * and a `sh` that is dash reads its `$'a b'` as `$a b`.
 */
export const local = zx({ shell: '/bin/sh', prefix: '', postfix: '', quote, verbose: false, quiet: true })

/** An error of a system call on this machine as one that the operator can act on; any other error as it is. */
export function localFault(error: unknown): unknown {
  const refused = error instanceof Error && 'syscall' in error
  return refused ? new HostError(`this machine: ${error.message}`, { cause: error }) : error
}
