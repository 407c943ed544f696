import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { incoming } from '../../lib/platform/leftovers.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { lastingParts } from '../../roles/backups/manifest.ts'
import { refuseHostile } from './data-archive.ts'
import { restoreDataScript } from './data-script.ts'
import { decryptPart } from './decrypt.ts'
import type { DataPart, DataTask } from './restore-task.ts'
import type { SelectedBackup } from './select-backup.ts'

/** The path of the decrypted archive on the host during the restore, in a folder that only root can read. */
export function dataPath({ kind, bot }: Pick<DataTask, 'kind' | 'bot'>): string {
  return `${incoming}/${kind}-${bot}.tar`
}

/** The parts of a backup with the lasting files of bots. Throws a `HostError` where one is missing, or is not as a host packs it. */
export async function checkedData(
  chosen: SelectedBackup,
  tasks: readonly DataTask[],
  identities: readonly Secret[],
): Promise<readonly (readonly [DataTask, DataPart])[]> {
  const parts = tasks.map((task) => [task, dataPartFor(chosen, task)] as const)
  for (const [, part] of parts) await refuseHostile(part, decryptPart(chosen.folder, part, identities))
  return parts
}

function dataPartFor({ name, manifest }: SelectedBackup, { kind, bot }: DataTask): DataPart {
  const part = lastingParts(manifest).find((each) => each.kind === kind && each.bot === bot)
  if (part === undefined) throw new HostError(`${name}: has no ${kind} of ${bot}`)
  return part
}

export function dataRestore({ name }: SelectedBackup, task: DataTask, part: DataPart): Resource {
  const archive = fileState(dataPath(task))
  return resource({
    id: `${task.drill ? 'drill' : 'restore'}-${task.kind}:${task.bot}`,
    wants: part.sha256,
    reads: { archive },
    plan: ({ archive: state }) => {
      if (state === 'absent') return []
      const summary = `${task.drill ? 'tried' : 'restored'} from ${name}: ${part.entries} files and folders`
      const script = restoreDataScript(task, part, dataPath(task))
      return [{ summary, script, long: true, predicts: [becomes(archive, 'absent' as const)] }]
    },
  })
}
