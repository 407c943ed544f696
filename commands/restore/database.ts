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
import { formatBytes } from '../../roles/backups/backup-name.ts'
import { refuseOwner } from './database-owner.ts'
import { restoreScript } from './database-script.ts'
import { decryptPart } from './decrypt.ts'
import type { DatabasePart, RestoreTask } from './restore-task.ts'
import { countQuery } from './row-counts.ts'
import type { SelectedBackup } from './select-backup.ts'

/** Uploads databases of a backup and restores them, one after the other, under the lock of the host. Returns the exit code. */
export async function restoreDatabases(
  session: Session,
  host: InventoryHost,
  chosen: SelectedBackup,
  tasks: readonly RestoreTask[],
  identities: readonly Secret[],
): Promise<number> {
  const parts = tasks.map((task) => [task, partFor(chosen, task)] as const)
  return session.converge([host], async (_, connection) => {
    // Under the lock, so that no other run removes the uploads.
    await session.hold(host, connection)
    for (const [{ database }, part] of parts) {
      const say = (bytes: number) =>
        session.report.line(`${host.name}  ▸ ${database}: ${formatBytes(bytes)} of ${formatBytes(part.size)}`)
      try {
        await upload(connection, incomingPath(database), decryptPart(chosen.folder, part, identities), say)
      } catch (error) {
        await ask(connection, sh`rm -f ${parts.map(([task]) => incomingPath(task.database))}`).catch(() => {})
        throw error
      }
    }
    const uploads = tasks.map(({ database }) => incomingPath(database))
    return [
      role('restore', v.any(), () => [
        noLeftovers(uploads),
        ...parts.map(([task, part]) => databaseRestore(chosen, task, part)),
      ]),
    ]
  })
}

/** The part of a backup with a database. Throws a `HostError` where it is missing, or its owner or tables are not acceptable. */
export function partFor(chosen: SelectedBackup, task: RestoreTask): DatabasePart {
  const part = chosen.manifest.parts.find((each) => each.kind === 'database' && each.database === task.database)
  if (part?.kind !== 'database') throw new HostError(`${chosen.name}: has no database ${task.database}`)
  refuseOwner(chosen.name, task, part)
  countQuery(part)
  return part
}

/** The path of the decrypted dump on the host during the restore, in a folder that only root can read. */
function incomingPath(database: string): string {
  // A checksum, since the name comes from a manifest and may be anything.
  return `${incoming}/${sha256Of(database).slice(0, 16)}.dump`
}

function databaseRestore({ name }: SelectedBackup, task: RestoreTask, part: DatabasePart): Resource {
  const dump = fileState(incomingPath(task.database))
  const rows = Object.values(part.tables).reduce((sum, count) => sum + count, 0)
  const verb = task.target === undefined ? 'tried' : 'restored'
  return resource({
    id: `${task.target === undefined ? 'drill' : 'restore'}:${task.target ?? task.database}`,
    wants: part.sha256,
    reads: { dump },
    plan: ({ dump: state }) => {
      if (state === 'absent') return []
      const summary = `${verb} from ${name}: ${Object.keys(part.tables).length} tables, ${rows} rows`
      const script = restoreScript(task, part, incomingPath(task.database))
      return [{ summary, script, long: true, predicts: [becomes(dump, 'absent' as const)] }]
    },
  })
}
