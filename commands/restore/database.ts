import * as v from 'valibot'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { role } from '../../lib/model/role.ts'
import { incoming, noLeftovers } from '../../lib/platform/leftovers.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { sh } from '../../lib/shell/sh.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { upload } from '../../lib/ssh/upload.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { shownBytes } from '../../roles/backups/backup-name.ts'
import { refuseOwner } from './database-owner.ts'
import { restoreScript } from './database-script.ts'
import { decryptPart } from './decrypt.ts'
import type { DatabasePart, Order } from './order.ts'
import { countQuery } from './row-counts.ts'
import type { SelectedBackup } from './select-backup.ts'

/** Brings databases of a backup to the host and takes them in, one after the other, under the host's lock. */
export async function restoreDatabases(
  session: Session,
  host: InventoryHost,
  chosen: SelectedBackup,
  orders: readonly Order[],
  identities: readonly Secret[],
): Promise<number> {
  const parts = orders.map((order) => [order, acceptable(chosen, order)] as const)
  return session.converge([host], async (_, connection) => {
    // From then on what lies there is ours, and no other run's to remove.
    await session.hold(host, connection)
    for (const [{ database }, part] of parts) {
      const say = (bytes: number) =>
        session.report.line(`${host.name}  ▸ ${database}: ${shownBytes(bytes)} of ${shownBytes(part.size)}`)
      try {
        await upload(connection, incomingPath(database), decryptPart(chosen.folder, part, identities), say)
      } catch (error) {
        await ask(connection, sh`rm -f ${parts.map(([order]) => incomingPath(order.database))}`).catch(() => {})
        throw error
      }
    }
    const brought = orders.map(({ database }) => incomingPath(database))
    return [
      role('restore', v.any(), () => [
        noLeftovers(brought),
        ...parts.map(([order, part]) => databaseRestore(chosen, order, part)),
      ]),
    ]
  })
}

/** What the manifest says of a database, where that can be followed: else nothing is begun with any of them. */
export function acceptable(chosen: SelectedBackup, order: Order): DatabasePart {
  const part = chosen.manifest.parts.find((each) => each.kind === 'database' && each.database === order.database)
  if (part?.kind !== 'database') throw new HostError(`${chosen.name}: has no database ${order.database}`)
  refuseOwner(chosen.name, order, part)
  countQuery(part)
  return part
}

/** A dump that lies on the host, unencrypted, for as long as it takes: in a folder of root's. */
function incomingPath(database: string): string {
  // Its name comes from a manifest, and may be anything.
  return `${incoming}/${sha256Of(database).slice(0, 16)}.dump`
}

function databaseRestore({ name }: SelectedBackup, order: Order, part: DatabasePart): Resource {
  const dump = fileState(incomingPath(order.database))
  const rows = Object.values(part.tables).reduce((sum, count) => sum + count, 0)
  const verb = order.target === undefined ? 'tried' : 'restored'
  return resource({
    id: `${order.target === undefined ? 'drill' : 'restore'}:${order.target ?? order.database}`,
    wants: part.sha256,
    reads: { dump },
    plan: ({ dump: state }) => {
      if (state === 'absent') return []
      const summary = `${verb} from ${name}: ${Object.keys(part.tables).length} tables, ${rows} rows`
      const script = restoreScript(order, part, incomingPath(order.database))
      return [{ summary, script, long: true, predicts: [becomes(dump, 'absent' as const)] }]
    },
  })
}
