import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Connection } from '../../lib/ssh/connection.ts'
import { upload } from '../../lib/ssh/upload.ts'
import { InventoryError, UsageError } from '../../lib/std/errors.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import type { Dump, InitScript } from '../../roles/bot/spec/deployment.ts'
import { uploadedDumpPath } from '../../roles/bot/spec/layout.ts'

/** In bytes: it travels as a part of the script that runs it. */
const maxInitBytes = 2 ** 20

/** The script that a new database runs, from a bot's source. Throws an `InventoryError` that begins with `key`. */
export async function initOf(folder: string | undefined, path: string, key: string): Promise<InitScript> {
  const where = `${key}.database.init`
  if (folder === undefined)
    throw new InventoryError(`${where}: ${path} is a file of a source, and this bot has an image: leave it out`)
  const sql = await readFile(join(folder, path)).catch(() => undefined)
  if (sql === undefined) throw new InventoryError(`${where}: ${folder} has no file ${path}`)
  if (sql.length > maxInitBytes)
    throw new InventoryError(
      `${where}: ${path} is larger than 1 MB: bring data in with bot.ts --import FILE, and keep this for what every new database needs`,
    )
  const text = sql.toString()
  if (text.includes('\0') || !Buffer.from(text).equals(sql))
    throw new InventoryError(`${where}: ${path} is not text in UTF-8`)
  return { name: basename(path), sql: text, checksum: sha256Of(text) }
}

/** A dump on this machine, with where it is. */
export interface LocalDump extends Dump {
  readonly path: string
}

/** What there is to import. Throws a `UsageError` where it is no dump that a host can read. */
export async function dumpAt(path: string): Promise<LocalDump> {
  const there = await stat(path).catch(() => undefined)
  if (there === undefined) throw new UsageError(`--import: no file ${path}`)
  if (!there.isFile())
    throw new UsageError(`--import: ${path} is not a file: dump with pg_dump --format custom, or as plain SQL`)
  const kind = kindOf(await firstBytes(path), path)
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes)
  return { kind, name: basename(path), path, checksum: hash.digest('hex'), bytes: there.size }
}

/** Puts the dump onto the host, where the change of its bot reads it. */
export async function uploadDump(
  connection: Connection,
  { path, name, checksum }: LocalDump,
  progress: (line: string) => void,
): Promise<void> {
  await upload(connection, uploadedDumpPath(checksum), createReadStream(path), (bytes) =>
    progress(`${name}: ${Math.round(bytes / 1e6)} MB uploaded`),
  )
}

function kindOf(head: Buffer, path: string): Dump['kind'] {
  const text = head.toString('latin1')
  const isTar = text.slice(257, 262) === 'ustar'
  if (text.startsWith('PGDMP') || (isTar && text.startsWith('toc.dat\0'))) return 'archive'
  if (isTar) throw new UsageError(`--import: ${path} is a tar archive, but not of pg_dump --format tar`)
  if (head[0] === 0x1f && head[1] === 0x8b)
    throw new UsageError(
      `--import: ${path} is compressed: gunzip it first (pg_dump --format custom compresses by itself)`,
    )
  if (text.startsWith('SQLite format 3'))
    throw new UsageError(`--import: ${path} is a database of SQLite, no dump of PostgreSQL`)
  if (head.length === 0) throw new UsageError(`--import: ${path} is empty`)
  if (head.includes(0))
    throw new UsageError(`--import: ${path} is no dump of pg_dump: it is neither SQL nor an archive`)
  return 'plain'
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
