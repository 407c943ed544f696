import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { stream } from '../../lib/ssh/exec.ts'
import { HostError } from '../../lib/std/errors.ts'
import { metadataFiles, parseManifest, signatureFile } from '../../roles/backups/manifest.ts'
import { backupDir } from '../../roles/backups/paths.ts'
import type { HostBackup } from './remote.ts'
import type { Signers } from './signers.ts'
import { copyFaults } from './verify.ts'

/** What of a backup has travelled: `resumed` bytes had come in by an earlier connection. */
export interface Pulled {
  readonly bytes: number
  readonly resumed: number
}

/** Brings a backup into a folder and verifies it there. What was brought before the connection broke is not brought again. */
export async function pull(
  connection: Connection,
  backup: HostBackup,
  folder: string,
  signers: Signers,
): Promise<Pulled> {
  const { name, signed } = backup
  const claim = { folder, name: backup, signers, unsigned: !signed }
  const parts = partsOf(backup)
  removeOthers(parts, folder)
  const before = brought(parts, folder)
  let bytes = await pullFiles(connection, name, parts, folder)
  let faults = await copyFaults(claim)
  // What had come in by then may have been of another file.
  if (faults.length > 0 && before > 0) {
    bytes += await pullFiles(connection, name, parts, folder, { anew: true })
    faults = await copyFaults(claim)
  }
  if (faults.length > 0) throw new HostError(`${name}: was pulled and is not as it was taken: ${faults.join('; ')}`)
  return { bytes, resumed: before }
}

interface Sized {
  readonly file: string
  /** Unknown of the small files that stand beside the parts. */
  readonly size: number | undefined
}

function partsOf({ name, manifest, signed }: HostBackup): Sized[] {
  const own = signed ? [...metadataFiles, signatureFile] : metadataFiles
  try {
    const parts = parseManifest(manifest).parts.map(({ file, encrypted }) => ({ file, size: encrypted.size }))
    return [...parts, ...own.map((file) => ({ file, size: undefined }))]
  } catch (error) {
    throw new HostError(`${name}: its manifest cannot be used: ${(error as Error).message}`, { cause: error })
  }
}

/** What an earlier run has brought of a backup that was another one then. */
function removeOthers(files: readonly Sized[], folder: string): void {
  const wanted = files.flatMap(({ file }) => [file, `${file}.part`])
  for (const entry of readdirSync(folder))
    if (!wanted.includes(entry)) rmSync(join(folder, entry), { recursive: true, force: true })
}

function brought(files: readonly Sized[], folder: string): number {
  const here = files.flatMap(({ file }) => [join(folder, file), join(folder, `${file}.part`)]).filter(existsSync)
  return here.reduce((sum, path) => sum + statSync(path).size, 0)
}

async function pullFiles(
  connection: Connection,
  name: string,
  files: readonly Sized[],
  folder: string,
  { anew = false } = {},
): Promise<number> {
  let bytes = 0
  for (const { file, size } of files) {
    const path = join(folder, file)
    if (!anew && size !== undefined && existsSync(path) && statSync(path).size === size) continue
    const handle = openSync(`${path}.part`, 'a', 0o600)
    try {
      if (anew || size === undefined || statSync(`${path}.part`).size > size) ftruncateSync(handle)
      const offset = statSync(`${path}.part`).size
      const script = sh`tail -c ${`+${offset + 1}`} ${`${backupDir}/${name}/${file}`} 2>/dev/null`
      const status = await stream(connection, script, (chunk) => {
        bytes += writeSync(handle, chunk)
      })
      if (status !== 0) throw new HostError(`${name}/${file}: cannot be read on the host`)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(`${path}.part`, path)
  }
  return bytes
}
