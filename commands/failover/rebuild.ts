import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type HostPair, inventoryLines, pairsOf } from './pairs.ts'
import { isKnown, type Silent, type Stand, standOf } from './stand.ts'

/**
 * Throws a `HostError` for a host of a pair, which is not rebuilt from a backup: the other host has newer data than any, or has to be
 * known to have none. Where there is no pair nothing is asked.
 */
export async function refuseRebuilt(session: Session, host: InventoryHost): Promise<void> {
  for (const pair of pairsOf(session, [host])) {
    const other = pair.primary === host ? pair.standby : pair.primary
    const why = reason(session, host, pair, await standOf(session, other))
    throw new HostError(`${host.name} is not rebuilt from a backup, and nothing was changed: ${why}`)
  }
}

function reason(
  { inventory }: Session,
  host: InventoryHost,
  { primary, standby }: HostPair,
  other: Stand | Silent,
): string {
  const site = 'npx zx playbooks/site.ts'
  if (isKnown(other) && other.record?.primary === other.host.name && primary === host) {
    const lines = inventoryLines(other.record, inventory.hosts).map((line) => `  ${line}`)
    return [
      `${other.host.name} is the primary since epoch ${other.record.epoch}; change ${inventory.file}, and ${site} makes ${host.name} its standby:`,
      ...lines,
    ].join('\n')
  }
  if (primary !== host) return `it is the standby of ${primary.name}, whose server and bots ${site} brings there`
  const alone = `take "standby: ${standby.name}" from hosts.${host.name}.postgres out, run this again, put it back, and ${site} copies its server to ${standby.name} anew`
  if (!isKnown(other))
    return `its standby ${standby.name} does not answer, and may have newer data or serve: ${other.error.message}; where it is gone too, ${alone}`
  return `its standby ${standby.name} has newer data than a backup: npx zx playbooks/failover.ts --from ${host.name} --to ${standby.name} --old-host-is-gone; to go back to the backup all the same, ${alone}`
}
