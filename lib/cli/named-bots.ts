import { UsageError } from '../std/errors.ts'
import { suggest } from '../std/suggest.ts'
import type { Session } from './session.ts'

/** The bots that `--name` names, each as often as it does. */
export function namedBots({ options }: Pick<Session, 'options'>): string[] {
  return (options.own.get('name') ?? []).flatMap((each) => each.split(',')).map((each) => each.trim())
}

/** The bots of an inventory's hosts. */
export function knownBots({ inventory }: Pick<Session, 'inventory'>): string[] {
  return inventory.hosts.flatMap(({ bots }) => bots.map(({ name }) => name))
}

/** Throws a `UsageError`, with a line for each, where the inventory lacks some of these bots. */
export function refuseUnknownBots(session: Pick<Session, 'inventory'>, names: readonly string[]): void {
  const known = knownBots(session)
  const has = `${session.inventory.file} has ${known.join(', ') || 'no bots'}`
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new UsageError(unknown.map((name) => `unknown bot "${name}"${suggest(name, known)}: ${has}`).join('\n'))
}
