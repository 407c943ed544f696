import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { botRole } from '../../roles/bot/index.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
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
      manifest: past.limits ? { memory: `${past.limits.memoryMB}m`, cpus: past.limits.cpus } : {},
      isRollback: true,
      secrets: new Map(past.spec.secrets.map((name) => [name, undefined])),
      by: `rollback to ${past.id}`,
    }
    return [botRole(new Map([[bot, deployment]]))]
  })
  return code === 0 && dropPending ? dropPendingUpdates(session, [host], specs) : code
}
