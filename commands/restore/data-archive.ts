import { pipeline, Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { HostError } from '../../lib/std/errors.ts'
import type { LastingPart } from '../../roles/backups/manifest.ts'
import { isUnsafe } from './read-archive.ts'

type LastingFiles = Pick<LastingPart, 'kind' | 'bot'>

/** As the host's program packs at most. */
const mostEntries = 200_000
/** A folder of a bot's container, as the host names it. */
const folder = /^[\w.~-]+(=[\w.~-]+)*$/

/**
 * Reads the archive of a bot's lasting files to its end, without keeping it. Throws a `HostError` for any entry that a backup
 * never contains: what could be unpacked elsewhere, be run as another user, or is no file.
 */
export async function refuseHostile(of: LastingFiles, archive: AsyncIterable<Buffer>): Promise<void> {
  const seen = new Set<string>()
  const reading = extract()
  // An error of either ends the other; it is thrown below.
  pipeline(Readable.from(archive), reading, () => {})
  try {
    for await (const entry of reading) {
      const { name, type, linkname, mode = 0 } = entry.header
      const path = name.replace(/\/$/, '')
      const fault = faultOf(of, path, type ?? '', linkname ?? '', mode) ?? (seen.has(path) ? 'occurs twice' : undefined)
      if (fault !== undefined) refuse(of, `${JSON.stringify(path)} ${fault}`)
      if (seen.add(path).size > mostEntries) refuse(of, `has more than ${mostEntries} entries`)
      entry.resume()
    }
  } catch (error) {
    if (error instanceof HostError) throw error
    throw new HostError(
      `the ${of.kind} of ${of.bot} in the backup is not a valid archive: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}

function refuse({ kind, bot }: LastingFiles, fault: string): never {
  throw new HostError(`the ${kind} of ${bot} in the backup: ${fault}: nothing was changed`)
}

function faultOf({ kind }: LastingFiles, path: string, type: string, link: string, mode: number): string | undefined {
  const [top = '', ...below] = path.split('/')
  if (isUnsafe(path) || path.includes('\0') || path.includes('\ufffd')) return 'is an unsafe path'
  // A cache has a folder of its own.
  const isLoose = below.length === 0 && type !== 'directory' && kind === 'data'
  if (!folder.test(top) || isLoose) return 'is in no folder of a bot'
  if ((mode & 0o7000) !== 0) return 'has a mode by which it would run as another user'
  if (type === 'file' || type === 'directory') return undefined
  if (type !== 'symlink') return `is a ${type === 'link' ? 'hard link' : type}, which a backup never contains`
  return leadsOut(path, link) ? `is a link to ${JSON.stringify(link)}, which leads elsewhere` : undefined
}

/** Whether a link leads out of the folder that it is in. */
function leadsOut(path: string, link: string): boolean {
  const place = path.split('/').slice(0, -1)
  if (place.length === 0) return true
  for (const part of link.split('/')) {
    if (part === '..') place.pop()
    else if (part !== '' && part !== '.') place.push(part)
    if (place.length === 0) return true
  }
  return link.startsWith('/') || place[0] !== path.split('/')[0]
}
