import type { Script } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import type { Connection } from './connection.ts'
import { collecting } from './sections.ts'

/**
 * Runs a script up to its first failure and returns what it printed. Throws a `HostError` with that where it fails, which begins with
 * `name`, the host's, where it is given. `prelude`: shell text whose effects last as long as the connection, an open lock for one.
 */
export async function perform(connection: Connection, script: Script, given: Given = {}): Promise<string> {
  const { name, prelude } = given
  const sections = collecting()
  const status = await connection.request(() => `set -e\n${script.text}`, { text: sections.handlers.text }, prelude)
  const printed = sections.text('')
  const reason = printed.trim().split('\n').slice(-20).join('\n') || `exit code ${status}`
  if (status !== 0) throw new HostError(name === undefined ? reason : `${name}: ${reason}`)
  return printed
}

interface Given {
  readonly name?: string
  readonly prelude?: string
}

/** Runs a script on both hosts, side by side. Throws when both have answered: a connection takes one request at a time. */
export async function performBoth(here: Connection, there: Connection, script: Script): Promise<[string, string]> {
  const [one, other] = await Promise.allSettled([perform(here, script), perform(there, script)])
  if (one.status === 'rejected') throw one.reason
  if (other.status === 'rejected') throw other.reason
  return [one.value, other.value]
}
