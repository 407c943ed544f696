import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import { sourceOf } from './bot-source.ts'
import { tokenOf } from './secret-sources.ts'

/** Two bots with one token would take each other's updates away: told before any host is touched. */
export async function refuseSharedToken(
  deliveries: ReadonlyMap<string, Deployment>,
  others: readonly BotEntry[] = [],
): Promise<void> {
  // Of bots that are not deployed now a token that cannot be had is no matter.
  const tokens = await Promise.all(
    others
      .filter(({ name }) => !deliveries.has(name))
      .map(async (entry) => [entry.name, await tokenIfAny(entry)] as const),
  )

  const byId = Map.groupBy(
    [...[...deliveries].map(([name, { token }]) => [name, token] as const), ...tokens].flatMap(([name, token]) =>
      token === undefined ? [] : [{ name, id: idOf(token) }],
    ),
    ({ id }) => id,
  )
  const twins = [...byId].filter(([, bots]) => bots.length > 1)
  if (twins.length === 0) return
  const lines = twins.map(
    ([id, bots]) =>
      `${bots.map(({ name }) => name).join(' and ')} have the token of one bot (${id}): each needs its own, from BotFather`,
  )
  throw new InventoryError(lines.join('\n'))
}

async function tokenIfAny(entry: BotEntry): Promise<Secret | undefined> {
  try {
    return await tokenOf(entry, sourceOf(entry))
  } catch {
    return undefined
  }
}

/** What stands before the colon is a bot's number, and no secret. */
export function idOf(token: Secret): string {
  return token.reveal().split(':')[0] ?? ''
}
