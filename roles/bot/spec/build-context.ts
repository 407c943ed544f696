import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import ignore from '@balena/dockerignore'
import { InventoryError } from '../../../lib/std/errors.ts'
import { type TarEntry, tarOf } from '../../../lib/std/tar.ts'

/** What an image is built from. */
export interface BuildContext {
  /** A tar.gz as base64, without times and owners. */
  readonly archive: string
  readonly files: number
  /** SHA-256 of the paths, modes and contents of all files, hexadecimal. */
  readonly checksum: string
  /** The first 16 digits of such a checksum of the folder of migrations; undefined where there are none. */
  readonly migrations: string | undefined
  /** Arguments of `docker build` beside the folder: another Dockerfile, a stage, build arguments. */
  readonly options: readonly string[]
}

/** How an image is built from a source, and which of its folders has the migrations. */
export interface BuildSettings {
  readonly migrations?: string | undefined
  readonly dockerfile?: string | undefined
  readonly target?: string | undefined
  readonly args?: Readonly<Record<string, string | number | boolean>>
}

/** Uncompressed, in units of 1,000,000 bytes: the archive is kept in memory. */
const maxMegabytes = 64

/** Whether the archive is too large to be a part of the script that needs it: then it is uploaded first. */
export function isLarge({ archive }: BuildContext): boolean {
  return archive.length > 4_000_000
}

/** Never part of an image, even if .dockerignore includes them: secrets of this machine, what a build creates, and what only we read. */
const alwaysIgnored = [
  '/bot.yaml',
  '**/.git',
  '**/.env',
  '**/.env.*',
  '!**/.env.example',
  '**/node_modules',
  '**/*.log',
]

/** Packs a folder with a Dockerfile as `docker build` does, with its .dockerignore. Throws an `InventoryError` that begins with `key`. */
export async function contextOf(folder: string, key: string, settings: BuildSettings = {}): Promise<BuildContext> {
  const { migrations = 'migrations', dockerfile = 'Dockerfile' } = settings
  const rules = await readFile(join(folder, '.dockerignore'), 'utf8').catch(() => '')
  const ignored = ignore.default().add(rules).add(alwaysIgnored)
  const files = (await filesIn(folder, '')).filter((path) => path === dockerfile || !ignored.ignores(path)).sort()
  if (!files.includes(dockerfile))
    throw new InventoryError(
      `${key}: ${folder} has no ${dockerfile}: write one as docs/bots.md shows, or set "dockerfile:" to the path of yours`,
    )
  const migrating = files.filter((path) => path.startsWith(`${migrations}/`))
  const options = buildOptions(settings)
  const { checksum, bytes } = await checksumOf(folder, files, options)
  if (bytes > maxMegabytes * 1e6)
    throw new InventoryError(
      `${key}: the build context ${folder} has ${Math.round(bytes / 1e6)} MB, more than the limit of ${maxMegabytes} MB: exclude what the image does not need in .dockerignore`,
    )
  return {
    ...{ archive: await archiveOf(folder, files), files: files.length, checksum },
    migrations: migrating.length === 0 ? undefined : (await checksumOf(folder, migrating)).checksum.slice(0, 16),
    options,
  }
}

function buildOptions({ dockerfile, target, args = {} }: BuildSettings): string[] {
  return [
    ...(dockerfile === undefined ? [] : ['--file', dockerfile]),
    ...(target === undefined ? [] : ['--target', target]),
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
  ]
}

async function checksumOf(
  folder: string,
  files: readonly string[],
  options: readonly string[] = [],
): Promise<{ checksum: string; bytes: number }> {
  const hash = createHash('sha256')
  if (options.length > 0) hash.update(JSON.stringify(options))
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
    // Always ignored, and large.
    if (entry.isDirectory()) return ['node_modules', '.git'].includes(entry.name) ? [] : filesIn(folder, path)
    return [path]
  })
  return (await Promise.all(nested)).flat()
}

async function entryOf(path: string): Promise<{ mode: string; link: string; content: Buffer }> {
  const stat = await lstat(path)
  // As git: only the executable bit counts.
  const mode = (stat.mode & 0o100) === 0 ? '644' : '755'
  if (stat.isSymbolicLink()) return { mode: 'link', link: await readlink(path), content: Buffer.alloc(0) }
  return { mode, link: '', content: await readFile(path) }
}

async function archiveOf(folder: string, files: readonly string[]): Promise<string> {
  const parts: string[] = []
  // Encoded in chunks, so that only the text is kept in memory.
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
