import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, ownFiles, type Part, parseManifest } from './manifest.ts'

const header = 'age-encryption.org/v1\n-> X25519 '

/** What is wrong with a copy, without the key: a file that is missing, cut, changed or not encrypted, or one too many. */
export async function faultsOf(folder: string): Promise<string[]> {
  let manifest: Manifest
  try {
    manifest = parseManifest(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  } catch (error) {
    return [`manifest.json: ${(error as Error).message}`]
  }
  const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
  const wanted = [...ownFiles, ...manifest.parts.map(({ file }) => file)]
  const strays = readdirSync(folder).filter((file) => !wanted.includes(file) && !file.endsWith('.part'))
  const own = await sha256Of(join(folder, 'manifest.json'))
  const faults = await Promise.all(manifest.parts.map((part) => faultOf(folder, part)))
  return [
    ...(sums.includes(`${own}  manifest.json\n`) ? [] : ['manifest.json: is not the one that was written']),
    ...strays.map((file) => `${file}: is in no manifest`),
    ...faults.flatMap((fault) => fault ?? []),
  ]
}

async function faultOf(folder: string, { file, encrypted }: Part): Promise<string | undefined> {
  const path = join(folder, file)
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) return `${file}: missing`
  if (size !== encrypted.size) return `${file}: has ${size} bytes, and had ${encrypted.size}`
  if ((await sha256Of(path)) !== encrypted.sha256) return `${file}: its checksum is not the one of the manifest`
  const start = await firstBytes(path, header.length)
  return start === header ? undefined : `${file}: is not encrypted by age for a key`
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

async function firstBytes(path: string, count: number): Promise<string> {
  const chunks = await createReadStream(path, { end: count - 1 }).toArray()
  return Buffer.concat(chunks).toString('latin1')
}
