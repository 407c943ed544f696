import { createReadStream, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { checksumOfFile } from '../../lib/std/sha256-file.ts'
import type { BackupName } from '../../roles/backups/backup-name.ts'
import {
  type BackupManifest,
  type BackupPart,
  metadataFiles,
  parseManifest,
  signatureFile,
} from '../../roles/backups/manifest.ts'
import { keyIn, signatureFault } from './signature.ts'
import { keyFault, type Signers, unsignedFault } from './signers.ts'

const header = 'age-encryption.org/v1\n-> X25519 '
/** The limit of the manifest, checksums and signature, which are read as a whole. */
const maxBytes = 32e6

/** What a copy claims to be: of this host, and of the time in its name. */
export interface ManifestClaim {
  readonly folder: string
  readonly name: BackupName
  readonly signers: Signers
  /** Accept it without a signature. Then its checksums prove that it is undamaged, but not its origin. */
  readonly unsigned: boolean
}

/**
 * The manifest of a copy, verified in this order: a trusted key has signed the checksums, they cover all files, and the
 * manifest agrees with them and with the name of the copy. Throws a `HostError` for the first contradiction.
 */
export async function verifiedManifest({ folder, name, signers, unsigned }: ManifestClaim): Promise<BackupManifest> {
  const files = filesIn(folder)
  const signature = signatureIn(folder)
  const sums = contentOf(folder, 'SHA256SUMS')
  if (signature !== undefined) {
    const fault = keyFault(signers, signature.key) ?? (await signatureFault(signature.key, sums, signature.text))
    if (fault !== undefined) throw new HostError(fault)
  } else if (!unsigned) throw new HostError(unsignedFault(signers, name.time) ?? 'is not signed')
  const listed = parseSums(sums.toString())
  const text = contentOf(folder, 'manifest.json')
  if (listed.get('manifest.json') !== sha256Of(text)) throw new HostError('manifest.json: does not match its checksum')
  const manifest = manifestIn(text.toString())
  const faults = [...differences(files, listed, manifest), ...mismatches(manifest, signers.host, name)]
  if (faults.length > 0) throw new HostError(faults.join('; '))
  return manifest
}

/** Faults of a copy that can be found without the key that decrypts it. */
export async function copyFaults(claim: ManifestClaim): Promise<string[]> {
  try {
    return await partFaults(claim.folder, await verifiedManifest(claim))
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return [error.message]
  }
}

/** Faults of the parts of a copy: wrong size, wrong checksum, not encrypted. */
export async function partFaults(folder: string, { parts }: BackupManifest): Promise<string[]> {
  const faults = await Promise.all(parts.map((part) => partFault(folder, part)))
  return faults.flatMap((fault) => fault ?? [])
}

/** The signature of a copy and its key, not verified; undefined where it is not signed. */
export function signatureIn(folder: string): { readonly text: string; readonly key: string } | undefined {
  if (!filesIn(folder).includes(signatureFile)) return undefined
  const text = contentOf(folder, signatureFile).toString()
  const key = keyIn(text)
  if (key === undefined) throw new HostError(`${signatureFile}: is not a signature by an ed25519 key`)
  return { text, key }
}

/** The names of the files of a copy. Throws a `HostError` for anything but files: a link could lead anywhere on this machine. */
function filesIn(folder: string): string[] {
  if (!lstatSync(folder).isDirectory()) throw new HostError('should be a folder: move it away')
  const files = readdirSync(folder).sort()
  const strange = files.find((file) => !lstatSync(join(folder, file)).isFile())
  if (strange !== undefined) throw new HostError(`${strange}: is not a regular file: move the copy away`)
  const missing = metadataFiles.filter((file) => !files.includes(file))
  if (missing.length > 0)
    throw new HostError(
      `${missing.join(' and ')}: missing: the copy is incomplete: move it away, and backup.ts downloads it again`,
    )
  return files
}

function contentOf(folder: string, file: string): Buffer {
  const path = join(folder, file)
  if (lstatSync(path).size > maxBytes) throw new HostError(`${file}: is larger than ${maxBytes} bytes`)
  return readFileSync(path)
}

/** Checksums by file, as sha256sum writes them. */
function parseSums(text: string): Map<string, string> {
  const rows = text.replace(/\n$/, '').split('\n')
  const entries = rows.map((row) => /^([0-9a-f]{64}) {2}([A-Za-z0-9][A-Za-z0-9=_.-]*)$/.exec(row))
  const sums = new Map(entries.map((entry) => [entry?.[2] ?? '', entry?.[1] ?? '']))
  if (sums.has('') || sums.size !== rows.length) throw new HostError('SHA256SUMS: is not in the format of sha256sum')
  return sums
}

function manifestIn(text: string): BackupManifest {
  try {
    return parseManifest(text)
  } catch (error) {
    throw new HostError(`manifest.json: ${(error as Error).message}`, { cause: error })
  }
}

/** Differences between the files of a copy, its checksums, and its manifest. */
function differences(files: readonly string[], sums: Map<string, string>, { parts }: BackupManifest): string[] {
  const partSums = new Map(parts.map(({ file, encrypted }) => [file, encrypted.sha256]))
  const wanted = [...metadataFiles, signatureFile, ...partSums.keys()]
  return [
    ...files.filter((file) => !wanted.includes(file)).map((file) => `${file}: is not in the manifest`),
    ...[...partSums.keys()].filter((file) => !files.includes(file)).map((file) => `${file}: missing`),
    ...[...sums.keys()]
      .filter((file) => file !== 'manifest.json' && !partSums.has(file))
      .map((file) => `${file}: is in SHA256SUMS, but not in the manifest`),
    ...[...partSums]
      .filter(([file, sum]) => sums.get(file) !== sum)
      .map(([file]) => `${file}: SHA256SUMS and the manifest have different checksums`),
  ]
}

/** Contradictions between a manifest and the place of the copy: another host, another time, other contents. */
function mismatches(manifest: BackupManifest, host: string, { name, time, only }: BackupName): string[] {
  return [
    ...(manifest.host === host ? [] : [`it is a backup of the host ${manifest.host}, not of ${host}`]),
    ...(Date.parse(manifest.time) === time ? [] : [`it was taken at ${manifest.time}, but is named ${name}`]),
    ...(manifest.only === (only ?? null)
      ? []
      : [`it holds ${manifest.only ?? 'all of the host'}, but is named ${name}`]),
  ]
}

async function partFault(folder: string, { file, encrypted }: BackupPart): Promise<string | undefined> {
  const path = join(folder, file)
  const { size } = lstatSync(path)
  if (size !== encrypted.size) return `${file}: has ${size} bytes instead of ${encrypted.size}`
  if ((await checksumOfFile(path)) !== encrypted.sha256) return `${file}: its checksum differs from the manifest`
  const start = await firstBytes(path, header.length)
  return start === header ? undefined : `${file}: is not encrypted with age for a key`
}

async function firstBytes(path: string, count: number): Promise<string> {
  const chunks = await createReadStream(path, { end: count - 1 }).toArray()
  return Buffer.concat(chunks).toString('latin1')
}
