import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { botRole } from '../../roles/bot/index.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import type { ContainerLimits, Limits } from '../../roles/bot/spec/limits.ts'
import type { BotManifest } from '../../roles/bot/spec/schema.ts'
import type { Spec } from '../../roles/bot/spec/spec.ts'
import { dropPendingUpdates, refuseToDrop } from './pending-updates.ts'
import { dataWarning, history, migrationWarning, selectRelease } from './releases.ts'

export async function rollback(
  session: Session,
  host: InventoryHost,
  bot: string,
  id: string | undefined,
  dropPending: boolean,
): Promise<number> {
  const specs = new Map<string, Spec>()
  const code = await session.converge([host], async (_, connection) => {
    const all = await history(bot, connection, (line) => session.report.line(`${host.name}  ${line}`))
    const past = selectRelease(bot, all, id)
    for (const warning of [migrationWarning(all, past), dataWarning(all, past)])
      if (warning !== undefined) session.report.line(`${host.name}  warning: ${warning}`)
    specs.set(bot, past.spec)
    if (dropPending) refuseToDrop(specs)
    const deployment: Deployment = {
      ...{ spec: past.spec, context: undefined, pull: false, token: undefined },
      manifest: manifestOf(past.limits),
      isRollback: true,
      secrets: new Map(past.spec.secrets.map((name) => [name, undefined])),
      by: `rollback to ${past.id}`,
      ...(past.commit !== undefined && { commit: past.commit }),
    }
    return [botRole(new Map([[bot, deployment]]))]
  })
  return code === 0 && dropPending ? dropPendingUpdates(session, [host], specs) : code
}

/** What a manifest would say of the limits of a release. */
export function manifestOf(limits: Limits | undefined): BotManifest {
  if (limits === undefined) return {}
  const keys = ({ memoryMB, cpus }: ContainerLimits) => ({ memory: `${memoryMB}m`, cpus })
  const processes = Object.entries(limits.processes ?? {}).map(([name, each]) => [name, keys(each)])
  return { ...keys(limits), ...(processes.length > 0 && { processes: Object.fromEntries(processes) }) }
}
