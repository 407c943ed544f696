import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import ignore from '@balena/dockerignore'
import { InventoryError } from '../../../lib/std/errors.ts'
import { type TarEntry, tarOf } from '../../../lib/std/tar.ts'

/** What an image is built from. */
export interface Context {
  /** A tar, compressed, with times and owners left out: as base64. */
  readonly archive: string
  readonly files: number
  /** Of the paths, modes and contents of all files: SHA-256, hexadecimal. */
  readonly checksum: string
  /** The same of the files in the folder of its migrations; undefined where there are none. */
  readonly migrations: string | undefined
}

/** In MB, uncompressed: what travels is kept in memory on the way. */
const largest = 64

/** More than should be carried along with the step that needs it: as base64, some megabytes. */
export function isLarge({ archive }: Context): boolean {
  return archive.length > 4_000_000
}

/** Never part of an image, whatever a .dockerignore says: secrets of this machine, and what is made anew anyway. */
const always = ['**/.git', '**/.env', '**/.env.*', '!**/.env.example', '**/node_modules', '**/*.log']

/** Packs a folder with a Dockerfile as `docker build` would, minding its .dockerignore. */
export async function contextOf(folder: string, key: string, migrations = 'migrations'): Promise<Context> {
  const rules = await readFile(join(folder, '.dockerignore'), 'utf8').catch(() => '')
  const ignored = ignore.default().add(rules).add(always)
  const files = (await filesIn(folder, '')).filter((path) => path === 'Dockerfile' || !ignored.ignores(path)).sort()
  if (!files.includes('Dockerfile')) throw new InventoryError(`${key}: ${folder} has no Dockerfile`)
  const migrating = files.filter((path) => path.startsWith(`${migrations}/`))
  const { checksum, bytes } = await summed(folder, files)
  if (bytes > largest * 1e6)
    throw new InventoryError(
      `${key}: ${folder} holds ${Math.round(bytes / 1e6)} MB for its image, more than ${largest}: leave out in .dockerignore what it does not need`,
    )
  return {
    ...{ archive: await packed(folder, files), files: files.length, checksum },
    migrations: migrating.length === 0 ? undefined : (await summed(folder, migrating)).checksum.slice(0, 16),
  }
}

async function summed(folder: string, files: readonly string[]): Promise<{ checksum: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  for (const path of files) {
    const { mode, link, content } = await entryOf(join(folder, path))
    bytes += content.length
    hash
      .update(JSON.stringify([path, mode, link]))
      .update('\0')
      .update(content)
      .update('\0')
  }
  return { checksum: hash.digest('hex'), bytes }
}

async function filesIn(folder: string, below: string): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true })
  const nested = entries.map((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    // Too large to walk for nothing.
    if (entry.isDirectory()) return ['node_modules', '.git'].includes(entry.name) ? [] : filesIn(folder, path)
    return [path]
  })
  return (await Promise.all(nested)).flat()
}

async function entryOf(path: string): Promise<{ mode: string; link: string; content: Buffer }> {
  const stat = await lstat(path)
  // Only what git knows of a mode, too: whether it can be run.
  const mode = (stat.mode & 0o100) === 0 ? '644' : '755'
  if (stat.isSymbolicLink()) return { mode: 'link', link: await readlink(path), content: Buffer.alloc(0) }
  return { mode, link: '', content: await readFile(path) }
}

async function packed(folder: string, files: readonly string[]): Promise<string> {
  const parts: string[] = []
  // Encoded as it comes: what is kept is the text alone.
  await pipeline(tarOf(entriesOf(folder, files)), createGzip().setEncoding('base64'), async (compressed) => {
    for await (const part of compressed) parts.push(part)
  })
  return parts.join('')
}

async function* entriesOf(folder: string, files: readonly string[]): AsyncGenerator<TarEntry> {
  for (const path of files) {
    const { mode, link, content } = await entryOf(join(folder, path))
    yield { path, mode: Number.parseInt(mode === 'link' ? '777' : mode, 8), link, content }
  }
}
