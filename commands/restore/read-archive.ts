import { Readable } from 'node:stream'
import { extract, type Headers } from 'tar-stream'
import { HostError } from '../../lib/std/errors.ts'

/** An entry of an archive: the content of a file, or the target of a link. */
export type ArchiveMember = { readonly content: Buffer } | { readonly link: string }

const roots = ['etc/botgarden', 'etc/letsencrypt', 'var/lib/botgarden/bots', 'opt/botgarden']
const single = 'var/lib/botgarden/allocations'
/** Only botgarden writes there: any other link is an attack. */
const rootOnly = /^(etc\/botgarden|var\/lib\/botgarden)\//
const ourLinks: readonly [RegExp, RegExp][] = [
  [/^etc\/botgarden\/tls\/[^/]+\/current$/, /^[0-9a-f]{16}$/],
  [/^etc\/letsencrypt\/live\/[^/]+\/[a-z]+\.pem$/, /^\.\.\/\.\.\/archive\/[^/]+\/[a-z]+\d+\.pem$/],
]

/** Limits of an archive, in bytes and entries. A real one has some hundred small files. */
const limits = { bytes: 64 * 2 ** 20, entries: 100_000, file: 2 ** 20 }

/**
 * The entries of an archive by path; contents only of the `wanted` ones. Throws a `HostError` for any entry that a backup never
 * contains, or that could be unpacked elsewhere.
 */
export async function membersOf(
  archive: AsyncIterable<Buffer>,
  wanted: (path: string) => boolean,
): Promise<ReadonlyMap<string, ArchiveMember>> {
  const members = new Map<string, ArchiveMember>()
  const seen = new Set<string>()
  // Read to its end first, where its checksum is compared: nothing of a changed archive is used.
  const reading = extract()
  Readable.from([await readWhole(archive)]).pipe(reading)
  try {
    for await (const { header, body } of entriesOf(reading)) {
      const { type, linkname, size = 0 } = header
      const path = header.name.replace(/\/$/, '')
      const fault = faultOf(path, type ?? '', linkname ?? '') ?? (seen.has(path) ? 'occurs twice' : undefined)
      if (fault !== undefined) refuse(path, fault)
      if (seen.add(path).size > limits.entries) refuse(path, `exceeds the limit of ${limits.entries} entries`)
      if (type === 'symlink') members.set(path, { link: linkname ?? '' })
      if (type === 'file' && wanted(path)) {
        if (size > limits.file) refuse(path, `has ${size} bytes, more than the limit of ${limits.file}`)
        members.set(path, { content: await bytesOf(body) })
      } else {
        if (type === 'file') members.set(path, { content: Buffer.alloc(0) })
        body.resume()
      }
    }
  } catch (error) {
    if (error instanceof HostError) throw error
    throw new HostError(`the file archive of the backup is invalid: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return members
}

async function readWhole(archive: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of archive) {
    bytes += chunk.length
    if (bytes > limits.bytes) throw new HostError(`the file archive of the backup is larger than ${limits.bytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function refuse(path: string, fault: string): never {
  throw new HostError(`the files of the backup: ${JSON.stringify(path)} ${fault}: nothing was changed`)
}

function faultOf(path: string, type: string, link: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  if (/[\0-\x1f\x7f\ufffd]/.test(path)) return 'has control characters in its name'
  if (isUnsafe(path)) return 'is an unsafe path'
  if (path !== single && !roots.some((root) => path === root || path.startsWith(`${root}/`)))
    return 'is outside the folders of a backup'
  if (type === 'file' || type === 'directory') return undefined
  if (type !== 'symlink') return `is a ${type === 'link' ? 'hard link' : type}, which a backup never contains`
  const ours = ourLinks.some(([at, to]) => at.test(path) && to.test(link))
  return ours || !rootOnly.test(path)
    ? undefined
    : `is a link to ${JSON.stringify(link)}, which botgarden does not create`
}

/** Whether a path leads out of where an archive is unpacked, or can be written in several ways. */
export function isUnsafe(path: string): boolean {
  return path.split('/').some((part) => part === '' || part === '.' || part === '..')
}

interface RawEntry {
  readonly header: Headers
  readonly body: Readable
}

async function* entriesOf(reading: ReturnType<typeof extract>): AsyncGenerator<RawEntry> {
  for await (const entry of reading) yield { header: entry.header, body: entry as unknown as Readable }
}

async function bytesOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
