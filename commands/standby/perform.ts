import type { Script } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { collecting } from '../../lib/ssh/sections.ts'
import { HostError } from '../../lib/std/errors.ts'

/** Runs a script up to its first failure and returns what it printed. Throws a `HostError` with that where it fails. */
export async function perform(connection: Connection, name: string, script: Script): Promise<string> {
  const sections = collecting()
  const status = await connection.request(() => `(\nset -e\n${script.text}\n)`, { text: sections.handlers.text })
  const printed = sections.text('')
  if (status !== 0)
    throw new HostError(`${name}: ${printed.trim().split('\n').slice(-20).join('\n') || `exit code ${status}`}`)
  return printed
}
