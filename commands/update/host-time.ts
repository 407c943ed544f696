import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { HostError } from '../../lib/std/errors.ts'

/** The time of a host, by which its files are dated: in milliseconds since 1970. */
export async function hostTime(connection: Connection): Promise<number> {
  const told = Number(await ask(connection, sh`date +%s%3N`))
  if (!Number.isSafeInteger(told) || told <= 0) throw new HostError('the host does not tell its time')
  return told
}
