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

/** Bytes that were downloaded now, and bytes that were already here from an interrupted download. */
export interface DownloadResult {
  readonly bytes: number
  readonly resumed: number
}

/** Downloads a backup into a folder, or the rest of it, and verifies it. Throws a `HostError` where the copy is not valid. */
export async function download(
  connection: Connection,
  backup: HostBackup,
  folder: string,
  signers: Signers,
): Promise<DownloadResult> {
  const { name, signed } = backup
  const claim = { folder, name: backup, signers, unsigned: !signed }
  const parts = partsOf(backup)
  removeStale(parts, folder)
  const before = presentBytes(parts, folder)
  let bytes = await downloadFiles(connection, name, parts, folder)
  let faults = await copyFaults(claim)
  // What an earlier run has downloaded may have been of another file.
  if (faults.length > 0 && before > 0) {
    bytes += await downloadFiles(connection, name, parts, folder, { again: true })
    faults = await copyFaults(claim)
  }
  if (faults.length > 0) throw new HostError(`${name}: the downloaded copy is damaged: ${faults.join('; ')}`)
  return { bytes, resumed: before }
}

interface FileToDownload {
  readonly file: string
  /** In bytes; undefined for the small files besides the parts, which are always downloaded. */
  readonly size: number | undefined
}

function partsOf({ name, manifest, signed }: HostBackup): FileToDownload[] {
  const own = signed ? [...metadataFiles, signatureFile] : metadataFiles
  try {
    const parts = parseManifest(manifest).parts.map(({ file, encrypted }) => ({ file, size: encrypted.size }))
    return [...parts, ...own.map((file) => ({ file, size: undefined }))]
  } catch (error) {
    throw new HostError(`${name}: its manifest is invalid: ${(error as Error).message}`, { cause: error })
  }
}

/** Removes files that an earlier run has downloaded and the backup does not have any more. */
function removeStale(files: readonly FileToDownload[], folder: string): void {
  const wanted = files.flatMap(({ file }) => [file, `${file}.part`])
  for (const entry of readdirSync(folder))
    if (!wanted.includes(entry)) rmSync(join(folder, entry), { recursive: true, force: true })
}

function presentBytes(files: readonly FileToDownload[], folder: string): number {
  const here = files.flatMap(({ file }) => [join(folder, file), join(folder, `${file}.part`)]).filter(existsSync)
  return here.reduce((sum, path) => sum + statSync(path).size, 0)
}

async function downloadFiles(
  connection: Connection,
  name: string,
  files: readonly FileToDownload[],
  folder: string,
  { again = false } = {},
): Promise<number> {
  let bytes = 0
  for (const { file, size } of files) {
    const path = join(folder, file)
    if (!again && size !== undefined && existsSync(path) && statSync(path).size === size) continue
    const handle = openSync(`${path}.part`, 'a', 0o600)
    try {
      if (again || size === undefined || statSync(`${path}.part`).size > size) ftruncateSync(handle)
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
