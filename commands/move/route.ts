import { type Session, targetOf } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Target } from '../../lib/ssh/ssh-arguments.ts'
import { formatBytes } from '../../roles/backups/backup-name.ts'

/** The two hosts of a move, as ssh reaches them. */
export interface Route {
  readonly from: Target
  readonly to: Target
}

export function routeOf(session: Session, from: InventoryHost, to: InventoryHost): Route {
  return { from: targetOf(session, from), to: targetOf(session, to) }
}

/** Tells how much went over, not more often than every five seconds. */
export function sometimes(what: string, say: (line: string) => void): (bytes: number) => void {
  let last = performance.now()
  return (bytes) => {
    if (performance.now() - last < 5000) return
    last = performance.now()
    say(`${what}: ${formatBytes(bytes)} so far`)
  }
}
