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
import { join, resolve } from 'node:path'
import { localFault } from '../../lib/shell/local.ts'
import { HostError } from '../../lib/std/errors.ts'
import { type Name, newestFirst, parseName } from '../../roles/backups/backup-name.ts'

const checkout = resolve(import.meta.dirname, '../..')

/** The operator's copies of a host's backups: one folder each, which the host has no way to reach. */
export interface Copies {
  readonly folder: string
  /** The newest first. Each was verified before it got its name. */
  list(): Name[]
  /** Where a backup is brought together; what an earlier run has brought is still there. */
  incoming(name: string): string
  /** Makes what has come in a copy. */
  commit(name: string): void
  remove(name: string): void
  /** The text of a copy's manifest, whatever it is; empty where there is none. */
  manifest(name: string): string
}

export function copiesOf(host: string, base: string): Copies {
  const folder = join(resolve(checkout, base), host)
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new HostError(`${folder}: should be the folder of the copies of ${host} and is a file: move it away`)
  const incoming = (name: string) => join(folder, `.incoming-${name}`)
  return {
    folder,
    list: () => {
      if (!existsSync(folder)) return []
      return entriesOf(folder)
        .flatMap((each) => parseName(each) ?? [])
        .sort(newestFirst)
    },
    incoming: (name) => {
      mkdirSync(incoming(name), { recursive: true, mode: 0o700 })
      return incoming(name)
    },
    commit: (name) => {
      synced(incoming(name))
      renameSync(incoming(name), join(folder, name))
      synced(folder)
    },
    remove: (name) => {
      // Cut in the middle, a removal must not leave what looks like a copy.
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

/** It counts for nothing where it cannot be read; what is wrong then is said by whoever verifies the copy. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function synced(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
