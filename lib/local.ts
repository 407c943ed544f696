import { $ as zx } from 'zx'
import { quote } from './sh.ts'

/**
 * Runs a command on this machine, quiet, with arguments quoted for a POSIX shell: zx's own quoting is for bash,
 * and a `sh` that is dash reads its `$'a b'` as `$a b`.
 */
export const local = zx({ shell: '/bin/sh', prefix: '', postfix: '', quote, verbose: false, quiet: true })
