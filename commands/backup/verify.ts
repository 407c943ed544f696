import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import type { Name } from '../../roles/backups/backup-name.ts'
import { type Manifest, metadataFiles, type Part, parseManifest, signatureFile } from '../../roles/backups/manifest.ts'
import { keyIn, signatureFault } from './signature.ts'
import { keyFault, type Signers, unsignedFault } from './signers.ts'

const header = 'age-encryption.org/v1\n-> X25519 '
/** No honest one of these files comes near it, and each is read as a whole. */
const mostBytes = 32e6

/** What a copy must be: of this host and of the time in its name. */
export interface ManifestClaim {
  readonly folder: string
  readonly name: Name
  readonly signers: Signers
  /** Without a signature its checksums tell of damage, and nothing of where it comes from. */
  readonly unsigned: boolean
}

/**
 * The manifest of a copy, proved to be what the host has written at that time: the signature is of a known key, it covers the
 * checksums, those cover all files, and the manifest says the same. Nothing is believed in another order.
 */
export async function provedManifest({ folder, name, signers, unsigned }: ManifestClaim): Promise<Manifest> {
  const files = filesIn(folder)
  const signature = signatureIn(folder)
  const sums = contentOf(folder, 'SHA256SUMS')
  if (signature !== undefined) {
    const fault = keyFault(signers, signature.key) ?? (await signatureFault(signature.key, sums, signature.text))
    if (fault !== undefined) throw new HostError(fault)
  } else if (!unsigned) throw new HostError(unsignedFault(signers, name.time) ?? 'is not signed')
  const listed = parseSums(sums.toString())
  const text = contentOf(folder, 'manifest.json')
  if (listed.get('manifest.json') !== sha256Of(text))
    throw new HostError('manifest.json: is not the one that was written')
  const manifest = manifestIn(text.toString())
  const faults = [...differences(files, listed, manifest), ...otherClaims(manifest, signers.host, name)]
  if (faults.length > 0) throw new HostError(faults.join('; '))
  return manifest
}

/** What is wrong with a copy, without the key that opens it. */
export async function copyFaults(claim: ManifestClaim): Promise<string[]> {
  try {
    return await partFaults(claim.folder, await provedManifest(claim))
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return [error.message]
  }
}

/** What is wrong with the parts of a copy: one that is cut, changed or not encrypted. */
export async function partFaults(folder: string, { parts }: Manifest): Promise<string[]> {
  const faults = await Promise.all(parts.map((part) => faultOf(folder, part)))
  return faults.flatMap((fault) => fault ?? [])
}

/** The signature of a copy and the key that it names; undefined where there is none. */
export function signatureIn(folder: string): { readonly text: string; readonly key: string } | undefined {
  if (!filesIn(folder).includes(signatureFile)) return undefined
  const text = contentOf(folder, signatureFile).toString()
  const key = keyIn(text)
  if (key === undefined) throw new HostError(`${signatureFile}: is no signature by a key of ed25519`)
  return { text, key }
}

/** Files and nothing else: a link could lead anywhere on this machine. */
function filesIn(folder: string): string[] {
  if (!lstatSync(folder).isDirectory()) throw new HostError('should be a folder and is none: move it away')
  const files = readdirSync(folder).sort()
  const strange = files.find((file) => !lstatSync(join(folder, file)).isFile())
  if (strange !== undefined) throw new HostError(`${strange}: is no regular file: somebody has put it there`)
  const missing = metadataFiles.filter((file) => !files.includes(file))
  if (missing.length > 0)
    throw new HostError(
      `${missing.join(' and ')}: missing: it is no whole copy: move it away; backup.ts brings another`,
    )
  return files
}

function contentOf(folder: string, file: string): Buffer {
  const path = join(folder, file)
  if (lstatSync(path).size > mostBytes) throw new HostError(`${file}: is too long to be one`)
  return readFileSync(path)
}

/** Checksums by file, as sha256sum writes them. */
function parseSums(text: string): Map<string, string> {
  const rows = text.replace(/\n$/, '').split('\n')
  const entries = rows.map((row) => /^([0-9a-f]{64}) {2}([A-Za-z0-9][A-Za-z0-9=_.-]*)$/.exec(row))
  const sums = new Map(entries.map((entry) => [entry?.[2] ?? '', entry?.[1] ?? '']))
  if (sums.has('') || sums.size !== rows.length) throw new HostError('SHA256SUMS: is not as sha256sum writes it')
  return sums
}

function manifestIn(text: string): Manifest {
  try {
    return parseManifest(text)
  } catch (error) {
    throw new HostError(`manifest.json: ${(error as Error).message}`, { cause: error })
  }
}

/** Between the files that are there, those that have a checksum, and those that the manifest tells of. */
function differences(files: readonly string[], sums: Map<string, string>, { parts }: Manifest): string[] {
  const told = new Map(parts.map(({ file, encrypted }) => [file, encrypted.sha256]))
  const wanted = [...metadataFiles, signatureFile, ...told.keys()]
  return [
    ...files.filter((file) => !wanted.includes(file)).map((file) => `${file}: is in no manifest`),
    ...[...told.keys()].filter((file) => !files.includes(file)).map((file) => `${file}: missing`),
    ...[...sums.keys()]
      .filter((file) => file !== 'manifest.json' && !told.has(file))
      .map((file) => `${file}: is in SHA256SUMS, and in no manifest`),
    ...[...told]
      .filter(([file, sum]) => sums.get(file) !== sum)
      .map(([file]) => `${file}: SHA256SUMS has another checksum`),
  ]
}

/** A copy of another host, or an old one under a newer name. */
function otherClaims(manifest: Manifest, host: string, { name, time, only }: Name): string[] {
  return [
    ...(manifest.host === host ? [] : [`it is a backup of the host ${manifest.host}, and not of ${host}`]),
    ...(Date.parse(manifest.time) === time ? [] : [`it was taken at ${manifest.time}, and is called ${name}`]),
    ...(manifest.only === (only ?? null)
      ? []
      : [`it holds ${manifest.only ?? 'all of the host'}, and is called ${name}`]),
  ]
}

async function faultOf(folder: string, { file, encrypted }: Part): Promise<string | undefined> {
  const path = join(folder, file)
  const { size } = lstatSync(path)
  if (size !== encrypted.size) return `${file}: has ${size} bytes, and had ${encrypted.size}`
  if ((await checksumOfFile(path)) !== encrypted.sha256) return `${file}: its checksum is not the one of the manifest`
  const start = await firstBytes(path, header.length)
  return start === header ? undefined : `${file}: is not encrypted by age for a key`
}

async function checksumOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

async function firstBytes(path: string, count: number): Promise<string> {
  const chunks = await createReadStream(path, { end: count - 1 }).toArray()
  return Buffer.concat(chunks).toString('latin1')
}
