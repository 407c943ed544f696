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
import { type BackupPart, partName } from '../../roles/backups/manifest.ts'
import { checkedData, dataPath, dataRestore } from './data.ts'
import { refuseOwner } from './database-owner.ts'
import { restoreScript } from './database-script.ts'
import { decryptPart } from './decrypt.ts'
import type { DatabasePart, DataTask, RestoreTask } from './restore-task.ts'
import { countQuery } from './row-counts.ts'
import type { SelectedBackup } from './select-backup.ts'

/** Uploads parts of a backup and restores them, one after the other, under the lock of the host. Returns the exit code. */
export async function restoreParts(
  session: Session,
  host: InventoryHost,
  chosen: SelectedBackup,
  tasks: readonly RestoreTask[],
  identities: readonly Secret[],
  data: readonly DataTask[] = [],
): Promise<number> {
  const parts = tasks.map((task) => [task, partFor(chosen, task)] as const)
  const dataParts = await checkedData(chosen, data, identities)
  const uploads: readonly Upload[] = [
    ...parts.map(([{ database }, part]) => ({ name: database, path: incomingPath(database), part })),
    ...dataParts.map(([task, part]) => ({ name: partName(part), path: dataPath(task), part })),
  ]
  const paths = uploads.map(({ path }) => path)
  return session.converge([host], async (_, connection) => {
    // Under the lock, so that no other run removes the uploads.
    await session.hold(host, connection)
    for (const { name, path, part } of uploads) {
      const say = (bytes: number) =>
        session.report.line(`${host.name}  ▸ ${name}: ${formatBytes(bytes)} of ${formatBytes(part.size)}`)
      try {
        await upload(connection, path, decryptPart(chosen.folder, part, identities), say)
      } catch (error) {
        await ask(connection, sh`rm -f ${paths}`).catch(() => {})
        throw error
      }
    }
    return [
      role('restore', v.any(), () => [
        noLeftovers(paths),
        ...dataParts.map(([task, part]) => dataRestore(chosen, task, part)),
        ...parts.map(([task, part]) => databaseRestore(chosen, task, part)),
      ]),
    ]
  })
}

interface Upload {
  readonly name: string
  readonly path: string
  readonly part: BackupPart
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
export function incomingPath(database: string): string {
  // A checksum, since the name comes from a manifest and may be anything.
  return `${incoming}/${sha256Of(database).slice(0, 16)}.dump`
}

export function databaseRestore(
  { name }: Pick<SelectedBackup, 'name'>,
  task: RestoreTask,
  part: DatabasePart,
): Resource {
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
