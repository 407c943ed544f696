import type { Inventory, InventoryHost } from '../inventory/inventory.ts'
import type { Reporter } from '../report/progress.ts'
import type { Connection } from '../ssh/connection.ts'
import type { Target } from '../ssh/ssh-arguments.ts'
import type { Options } from './options.ts'
import type { HostEnded, PrepareHost, Roles } from './run-host.ts'

/** A run of a playbook whose arguments and inventory are right. */
export interface Session {
  readonly inventory: Inventory
  /** The hosts that `--limit` selects. */
  readonly hosts: readonly InventoryHost[]
  readonly options: Options
  readonly report: Reporter
  /** Brings hosts to the wanted state, or checks them, prints the result, and returns the exit code. `ended` is called for each when it is done. */
  converge(hosts: readonly InventoryHost[], roles: Roles, prepare?: PrepareHost, ended?: HostEnded): Promise<number>
  /** Takes the lock of a host, as an apply does, for as long as the connection lasts. */
  hold(host: InventoryHost, connection: Connection): Promise<void>
  /** Opens a connection to a host for a task. `quiet`: the report does not say so. */
  connected<T>(
    host: InventoryHost,
    use: (connection: Connection) => Promise<T>,
    options?: { quiet?: boolean },
  ): Promise<T>
}

/** How ssh reaches a host of the session. */
export function targetOf(
  { inventory, options }: Pick<Session, 'inventory' | 'options'>,
  { name, ssh }: InventoryHost,
): Target {
  return { name, ssh, sshConfig: inventory.sshConfig, acceptNew: options.acceptNew }
}
