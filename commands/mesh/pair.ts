import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { type Member, membersOf } from './members.ts'

/** A host whose database server has a standby, or is one, as the inventory says. */
export interface Pair {
  readonly is: 'primary' | 'standby'
  readonly own: Member
  readonly other: Member
  /** A commit waits until the standby has it. */
  readonly synchronous: boolean
}

/** Undefined where the inventory asks for no standby there; faults of it are `standbyFaults`. */
export function pairOf(host: InventoryHost, hosts: readonly InventoryHost[]): Pair | undefined {
  const wanted = standbyVars(host)
  if (wanted.standby !== undefined) return paired(host, named(wanted.standby, hosts), 'primary', wanted.synchronous)
  const primary = hosts.find((each) => standbyVars(each).standby === host.name)
  return primary && paired(host, primary, 'standby', standbyVars(primary).synchronous)
}

export function standbyVars({ vars }: InventoryHost): { readonly standby?: string; readonly synchronous?: boolean } {
  return (vars.postgres ?? {}) as { standby?: string; synchronous?: boolean }
}

function named(name: string, hosts: readonly InventoryHost[]): InventoryHost | undefined {
  return hosts.find((each) => each.name === name)
}

function paired(
  host: InventoryHost,
  partner: InventoryHost | undefined,
  is: Pair['is'],
  synchronous = false,
): Pair | undefined {
  const [own] = membersOf([host])
  const [other] = partner === undefined ? [] : membersOf([partner])
  return own && other && { is, own, other, synchronous }
}
