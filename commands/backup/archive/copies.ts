import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../../lib/std/errors.ts'
import { checksumOfFile } from '../../../lib/std/sha256-file.ts'
import { type ArchiveFile, parseArchivePath } from '../../../roles/backups/continuous/names.ts'
import { copiesOf } from '../local-copies.ts'
import { keyIn, signatureFault } from '../signature.ts'
import { keyFault, type Signers } from '../signers.ts'

/** The folder of the operator's copy of a host's archive, beside the copies of its backups: a folder each chain. */
export function archiveFolder(host: string, base: string): string {
  return join(copiesOf(host, base).folder, 'archive')
}

/** What is there of an archive, by chain and name. What has no signature is no part of it. */
export function archivedHere(folder: string): ArchiveFile[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((chain) => lstatSync(join(folder, chain)).isDirectory())
    .flatMap((chain) => {
      const names = new Set(readdirSync(join(folder, chain)))
      return [...names]
        .filter((name) => names.has(`${name}.sig`))
        .flatMap((name) => parseArchivePath(`${chain}/${name}`) ?? [])
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1))
}

/** The purpose of the signatures of an archive. */
const purpose = 'botgarden-archive'

/** Why a file of an archive is not what its host has stored at this place; undefined where it is. */
export async function archiveFault(folder: string, path: string, signers: Signers): Promise<string | undefined> {
  const file = join(folder, path)
  for (const each of [file, `${file}.sig`])
    if (!lstatSync(each).isFile()) throw new HostError(`${each}: is not a regular file: move it away`)
  const signature = readFileSync(`${file}.sig`, 'utf8')
  const key = keyIn(signature)
  if (key === undefined) return `${path}: its signature is none by an ed25519 key`
  const fault = keyFault(signers, key)
  if (fault !== undefined) return fault
  const text = `botgarden archive\n${signers.host}\n${path}\n${await checksumOfFile(file)}\n`
  const wrong = await signatureFault(key, Buffer.from(text), signature, purpose)
  return wrong === undefined ? undefined : `${path}: ${wrong}`
}
