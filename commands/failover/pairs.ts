import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { standbyOf } from '../../lib/platform/standby/gate.ts'
import type { PrimaryRecord } from '../../roles/standby/primary-record.ts'

/** Two hosts of an inventory, which says which of them is the primary. */
export interface HostPair {
  readonly primary: InventoryHost
  readonly standby: InventoryHost
}

/** The pairs that one of these hosts is in. */
export function pairsOf({ inventory }: Pick<Session, 'inventory'>, hosts: readonly InventoryHost[]): HostPair[] {
  return inventory.hosts.flatMap((primary) => {
    const standby = inventory.hosts.find(({ name }) => name === standbyOf(primary))
    if (standby === undefined || !(hosts.includes(primary) || hosts.includes(standby))) return []
    return [{ primary, standby }]
  })
}

/** What of an inventory has to be changed so that it says what the record does, a line each. */
export function inventoryLines({ primary, standby }: PrimaryRecord, hosts: readonly InventoryHost[]): string[] {
  const former = hosts.find(({ name }) => name === standby)
  const { standby: _, synchronous } = (former?.vars.postgres ?? {}) as { standby?: string; synchronous?: boolean }
  const wanted = `{ standby: ${standby}${synchronous === true ? ', synchronous: true' : ''} }`
  const names = former?.bots.map((each) => each.name) ?? []
  return [
    `hosts.${standby}.postgres: take "standby: ${primary}" out${synchronous === true ? ', and "synchronous"' : ''}`,
    `hosts.${primary}.postgres: ${wanted}`,
    ...names.map((name) => `bots.${name}.host: ${primary}`),
  ]
}
