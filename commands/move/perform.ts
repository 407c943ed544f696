import type { Script } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { collecting } from '../../lib/ssh/sections.ts'
import { HostError } from '../../lib/std/errors.ts'

/** Runs a script up to its first failure and returns what it printed. Throws a `HostError` with that where it fails. */
export async function perform(connection: Connection, script: Script, prelude?: string): Promise<string> {
  const sections = collecting()
  const status = await connection.request(() => `set -e\n${script.text}`, { text: sections.handlers.text }, prelude)
  const printed = sections.text('')
  if (status !== 0) throw new HostError(printed.trim().split('\n').slice(-20).join('\n') || `exit code ${status}`)
  return printed
}

/** Runs a script on both hosts, side by side. Throws when both have answered: a connection takes one request at a time. */
export async function performBoth(here: Connection, there: Connection, script: Script): Promise<[string, string]> {
  const [one, other] = await Promise.allSettled([perform(here, script), perform(there, script)])
  if (one.status === 'rejected') throw one.reason
  if (other.status === 'rejected') throw other.reason
  return [one.value, other.value]
}
