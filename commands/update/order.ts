import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { pairOf } from '../mesh/pair.ts'

/** Whether a host is the standby of another one, as the inventory says. */
export function follows(host: InventoryHost, { inventory }: Session): boolean {
  return pairOf(host, inventory.hosts)?.is === 'standby'
}

/** The session with all standbys before the other hosts, or after them; each part in its order. */
export function withStandbys(session: Session, where: 'first' | 'last'): Session {
  const rank = (host: InventoryHost) => Number(follows(host, session) === (where === 'last'))
  return { ...session, hosts: [...session.hosts].sort((one, other) => rank(one) - rank(other)) }
}
