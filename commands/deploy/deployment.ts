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

/** What brings these bots to their hosts, as this machine has them. */
export async function deliveriesOf(
  bots: readonly BotEntry[],
  all: readonly BotEntry[] = bots,
): Promise<ReadonlyMap<string, Deployment>> {
  const deliveries = new Map<string, Deployment>()
  for (const entry of bots) deliveries.set(entry.name, await loadBot(entry))
  await refuseSharedToken(deliveries, all)
  return deliveries
}

/** The role that brings these bots to a host, when what it is too much to carry along has been laid there. */
export function deployment(
  session: Session,
  deliveries: ReadonlyMap<string, Deployment>,
  { buildsHere }: { buildsHere: boolean },
) {
  const { options, report } = session
  return async (host: InventoryHost, connection: Connection): Promise<readonly Role[]> => {
    const logins = await loginsOf(host.vars.bot as BotVars)
    const own = [...deliveries].filter(([name]) => host.bots.some((each) => each.name === name))
    const progress = (line: string) => report.line(`${host.name}  ${line}`)
    const carried = own.filter(([, { context }]) => context && (buildsHere || isLarge(context)) && !options.check)
    // What lies there is ours from then on, and no other run's to remove.
    if (carried.length > 0) await session.hold(host, connection)
    for (const [name, { spec, context }] of carried)
      if (context) await ship(name, spec.image, context, connection, { buildsHere, progress })
    return [botRole(new Map(own.map(([name, each]) => [name, { ...each, logins, shipped: buildsHere }])))]
  }
}
