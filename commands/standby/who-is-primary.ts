import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { newestRecord, type PrimaryRecord } from '../../roles/standby/primary-record.ts'
import type { Answer } from './ask.ts'

/** Two hosts as the inventory has them. */
export interface Hosts {
  readonly primary: InventoryHost
  readonly standby: InventoryHost
}

/** What both hosts are to keep as their record: the newest one there is, or the first one. */
export function recordOf({ primary, standby }: Hosts, answers: readonly (Answer | undefined)[]): PrimaryRecord {
  const newest = newestRecord(answers.map((each) => each?.record))
  const isOfOthers = newest !== undefined && ![newest.primary, newest.standby].includes(primary.name)
  const first = { epoch: 1, primary: primary.name, standby: standby.name }
  if (newest === undefined) return first
  // The primary has another standby now.
  return isOfOthers || newest.standby === standby.name || newest.primary !== primary.name
    ? newest
    : { ...newest, epoch: newest.epoch + 1, standby: standby.name }
}

/**
 * Why the inventory and the hosts do not agree on which of them is the primary; undefined where they do. No run promotes a server, or
 * replaces one that may serve: that takes `failover.ts`, or another inventory.
 */
export function disagreement(
  { primary, standby }: Hosts,
  { ofPrimary, ofStandby }: { ofPrimary: Answer | undefined; ofStandby: Answer | undefined },
): string | undefined {
  const record = newestRecord([ofPrimary?.record, ofStandby?.record])
  if (record !== undefined && record.primary !== primary.name)
    return `the hosts have it that ${record.primary} is the primary (epoch ${record.epoch}), and the inventory that ${primary.name} is: ${
      record.primary === standby.name
        ? `move the line "postgres: { standby: ${standby.name} }" from hosts.${primary.name} to hosts.${standby.name}, as "postgres: { standby: ${primary.name} }", and set "host: ${standby.name}" for its bots; or go back: npx zx playbooks/failover.ts --from ${standby.name} --to ${primary.name}`
        : `is ${record.primary} another name of a host? Then correct "primary" in /etc/botgarden/primary.json on both hosts`
    }`
  if (ofPrimary?.server?.inRecovery || (ofPrimary !== undefined && ofPrimary.data !== 'none' && ofPrimary.data.follows))
    return `the server of ${primary.name} follows another one, and the inventory has it as the primary: npx zx playbooks/failover.ts --from ${standby.name} --to ${primary.name} makes it one`
  return undefined
}
