import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import { sourceOf } from './bot-source.ts'
import { tokenOf } from './secret-sources.ts'

/** Throws an `InventoryError` where bots use the same token: they would take updates from each other. */
export async function refuseSharedToken(
  deployments: ReadonlyMap<string, Deployment>,
  others: readonly BotEntry[] = [],
): Promise<void> {
  // For bots that are not deployed now, a token that is not available does not matter.
  const tokens = await Promise.all(
    others
      .filter(({ name }) => !deployments.has(name))
      .map(async (entry) => [entry.name, await tokenIfAny(entry)] as const),
  )

  const byId = Map.groupBy(
    [...[...deployments].map(([name, { token }]) => [name, token] as const), ...tokens].flatMap(([name, token]) =>
      token === undefined ? [] : [{ name, id: idOf(token) }],
    ),
    ({ id }) => id,
  )
  const twins = [...byId].filter(([, bots]) => bots.length > 1)
  if (twins.length === 0) return
  const lines = twins.map(
    ([id, bots]) =>
      `${bots.map(({ name }) => name).join(' and ')} use the same token of bot ${id}: get a separate token for each from BotFather`,
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

/** The id of the bot, before the colon of its token. It is not a secret. */
export function idOf(token: Secret): string {
  return token.reveal().split(':')[0] ?? ''
}
