import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { HostError } from '../../lib/std/errors.ts'

/** Runs a script on a host, and returns what it printed. Throws a `HostError` with that where it fails. */
export async function perform(connection: Connection, name: string, script: Script): Promise<string> {
  const told = await ask(
    connection,
    sh`( set -e; ${script}
    ) 2>&1; echo "ended $?"`,
  )
  const [, output = '', status] = /^([\s\S]*)ended (\d+)\s*$/.exec(told) ?? []
  if (status !== '0') throw new HostError(`${name}: ${output.trim() || 'the connection was lost'}`)
  return output
}
