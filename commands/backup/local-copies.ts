import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { localFault } from '../../lib/shell/local.ts'
import { HostError } from '../../lib/std/errors.ts'
import { localPath } from '../../lib/std/local-path.ts'
import { type BackupName, newestFirst, parseBackupName } from '../../roles/backups/backup-name.ts'

/** The operator's copies of a host's backups, one folder each. The host cannot reach them. */
export interface LocalCopies {
  readonly folder: string
  /** The names of the copies, the newest first. Each was verified when it was committed. */
  list(): BackupName[]
  /** The folder for the download of a backup, with what an earlier run has downloaded. */
  incoming(name: string): string
  /** Makes a complete download a copy. */
  commit(name: string): void
  remove(name: string): void
  /** The text of a copy's manifest, not checked; empty where there is none. */
  manifest(name: string): string
}

export function copiesOf(host: string, base: string): LocalCopies {
  const folder = localPath(join(base, host))
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new HostError(`${folder}: should be the folder of the copies of ${host} and is a file: move it away`)
  const incoming = (name: string) => join(folder, `.incoming-${name}`)
  return {
    folder,
    list: () => {
      if (!existsSync(folder)) return []
      return entriesOf(folder)
        .flatMap((each) => parseBackupName(each) ?? [])
        .sort(newestFirst)
    },
    incoming: (name) => {
      mkdirSync(incoming(name), { recursive: true, mode: 0o700 })
      return incoming(name)
    },
    commit: (name) => {
      syncFolder(incoming(name))
      renameSync(incoming(name), join(folder, name))
      syncFolder(folder)
    },
    remove: (name) => {
      // Renamed first, so that an interrupted removal leaves nothing that looks like a copy.
      rmSync(join(folder, `.removed-${name}`), { recursive: true, force: true })
      renameSync(join(folder, name), join(folder, `.removed-${name}`))
      rmSync(join(folder, `.removed-${name}`), { recursive: true, force: true })
    },
    manifest: (name) => textOf(join(folder, name, 'manifest.json')),
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw localFault(error)
  }
}

/** Empty where the file cannot be read: the verification of the copy reports why. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
