import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { BotEntry, Role } from '../../lib/model/role.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { botRole } from '../../roles/bot/index.ts'
import { isLarge } from '../../roles/bot/spec/build-context.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { loadBot } from './load-bot.ts'
import { loginsOf } from './secret-sources.ts'
import { ship } from './ship-image.ts'
import { refuseSharedToken } from './unique-tokens.ts'

/** Deployments of these bots, by name, from their sources on this machine. Throws an `InventoryError`, as for a token that two bots use. */
export async function deploymentsOf(
  bots: readonly BotEntry[],
  all: readonly BotEntry[] = bots,
): Promise<ReadonlyMap<string, Deployment>> {
  const deployments = new Map<string, Deployment>()
  for (const entry of bots) deployments.set(entry.name, await loadBot(entry))
  await refuseSharedToken(deployments, all)
  return deployments
}

/** For a host: uploads images and build contexts that are too large for a script, then returns the role with the deployments. */
export function deployRoles(
  session: Session,
  deployments: ReadonlyMap<string, Deployment>,
  { buildsHere }: { buildsHere: boolean },
) {
  const { options, report } = session
  return async (host: InventoryHost, connection: Connection): Promise<readonly Role[]> => {
    const logins = await loginsOf(host.vars.bot as BotVars)
    const own = [...deployments].filter(([name]) => host.bots.some((each) => each.name === name))
    const progress = (line: string) => report.line(`${host.name}  ${line}`)
    const carried = own.filter(([, { context }]) => context && (buildsHere || isLarge(context)) && !options.check)
    // Under the lock, so that no other run removes the uploads.
    if (carried.length > 0) await session.hold(host, connection)
    for (const [name, { spec, context }] of carried)
      if (context) await ship(name, spec.image, context, connection, { buildsHere, progress })
    return [botRole(new Map(own.map(([name, each]) => [name, { ...each, logins, shipped: buildsHere }])))]
  }
}
