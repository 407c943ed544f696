import { Readable } from 'node:stream'
import { extract, type Headers } from 'tar-stream'
import { HostError } from '../../lib/std/errors.ts'

/** What an archive of files holds of a path: the content of a file, or where a link leads. */
export type Member = { readonly content: Buffer } | { readonly link: string }

const roots = ['etc/botgarden', 'etc/letsencrypt', 'var/lib/botgarden/bots', 'opt/botgarden']
const single = 'var/lib/botgarden/allocations'
/** Nobody but us writes there: a link that we do not make was put there by somebody else. */
const oursAlone = /^(etc\/botgarden|var\/lib\/botgarden)\//
const ourLinks: readonly [RegExp, RegExp][] = [
  [/^etc\/botgarden\/tls\/[^/]+\/current$/, /^[0-9a-f]{16}$/],
  [/^etc\/letsencrypt\/live\/[^/]+\/[a-z]+\.pem$/, /^\.\.\/\.\.\/archive\/[^/]+\/[a-z]+\d+\.pem$/],
]

/** A host's holds some hundred small files. */
const most = { bytes: 64 * 2 ** 20, entries: 100_000, file: 2 ** 20 }

/**
 * The members of an archive as a host makes it, content only of those that are `wanted`. What a host does not put there, or
 * could lead elsewhere when it is unpacked, is refused with its name, whether or not it is wanted.
 */
export async function membersOf(
  archive: AsyncIterable<Buffer>,
  wanted: (path: string) => boolean,
): Promise<ReadonlyMap<string, Member>> {
  const members = new Map<string, Member>()
  const seen = new Set<string>()
  // To its end first, where its checksum is compared: nothing is made of one that is not as it was.
  const reading = extract()
  Readable.from([await whole(archive)]).pipe(reading)
  try {
    for await (const { header, body } of entriesOf(reading)) {
      const { type, linkname, size = 0 } = header
      const path = header.name.replace(/\/$/, '')
      const fault = faultOf(path, type ?? '', linkname ?? '') ?? (seen.has(path) ? 'is in it twice' : undefined)
      if (fault !== undefined) refuse(path, fault)
      if (seen.add(path).size > most.entries) refuse(path, `comes after ${most.entries} others`)
      if (type === 'symlink') members.set(path, { link: linkname ?? '' })
      if (type === 'file' && wanted(path)) {
        if (size > most.file) refuse(path, `has ${size} bytes, more than any file of its kind`)
        members.set(path, { content: await bytesOf(body) })
      } else {
        if (type === 'file') members.set(path, { content: Buffer.alloc(0) })
        body.resume()
      }
    }
  } catch (error) {
    if (error instanceof HostError) throw error
    throw new HostError(`the files of the backup are no archive as a host makes it: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return members
}

async function whole(archive: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of archive) {
    bytes += chunk.length
    if (bytes > most.bytes)
      throw new HostError(`the files of the backup are more than the ${most.bytes} bytes of any host`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function refuse(path: string, fault: string): never {
  throw new HostError(`the files of the backup: ${JSON.stringify(path)} ${fault}: nothing was touched`)
}

function faultOf(path: string, type: string, link: string): string | undefined {
  const parts = path.split('/')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  if (/[\0-\x1f\x7f\ufffd]/.test(path)) return 'is no name that a file of ours has'
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'leads elsewhere'
  if (path !== single && !roots.some((root) => path === root || path.startsWith(`${root}/`)))
    return 'is nothing that a backup takes'
  if (type === 'file' || type === 'directory') return undefined
  if (type !== 'symlink') return `is a ${type === 'link' ? 'hard link' : type}, which no backup takes`
  const ours = ourLinks.some(([at, to]) => at.test(path) && to.test(link))
  return ours || !oursAlone.test(path) ? undefined : `is a link to ${JSON.stringify(link)}, which we do not make`
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
