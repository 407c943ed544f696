import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { extract, type Headers } from 'tar-stream'
import { archiveState } from '../../../lib/platform/archive/wal-archive.ts'
import { local } from '../../../lib/shell/local.ts'
import { lines, sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { ask, stream } from '../../../lib/ssh/exec.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { mapConcurrent } from '../../../lib/std/map-concurrent.ts'
import { parseArchivePath } from '../../../roles/backups/continuous/names.ts'
import type { Signers } from '../signers.ts'
import { archivedHere, archiveFault } from './copies.ts'

/** So many files are fetched by one request. */
const atOnce = 200

const store = `${archiveState}/store`

/**
 * Fetches what a host has of its archive and is not here, each file with its signature, and verifies it before it counts. Returns how many
 * there were. Throws a `HostError` where one is not what the host has signed.
 */
export async function pullArchive(connection: Connection, folder: string, signers: Signers): Promise<number> {
  const here = new Set(archivedHere(folder).map(({ path }) => path))
  const there = (
    await ask(connection, sh`[ ! -d ${store} ] || find ${store} -mindepth 2 -maxdepth 2 -name '*.age' -printf '%P\n'`)
  )
    .split('\n')
    .filter((path) => parseArchivePath(path) !== undefined && !here.has(path))
    .sort()
  for (let i = 0; i < there.length; i += atOnce)
    await fetchFiles(connection, folder, there.slice(i, i + atOnce), signers)
  return there.length
}

async function fetchFiles(connection: Connection, folder: string, paths: readonly string[], signers: Signers) {
  const incoming = join(folder, '.incoming')
  rmSync(incoming, { recursive: true, force: true })
  mkdirSync(incoming, { recursive: true, mode: 0o700 })
  const wanted = new Set(paths.flatMap((path) => [path, `${path}.sig`]))
  const list = lines([...wanted].map((path) => sh`echo ${path}`))
  const script = sh`cd ${store} && {
    ${list}
  } | tar --create --no-recursion --ignore-failed-read --files-from - 2>/dev/null`
  // To the disk first: it may be larger than the memory.
  const whole = join(incoming, 'whole.tar')
  const handle = openSync(whole, 'wx', 0o600)
  try {
    await stream(connection, script, (chunk) => {
      for (let written = 0; written < chunk.length; ) written += writeSync(handle, chunk, written)
    })
  } finally {
    closeSync(handle)
  }
  const reading = extract()
  await Promise.all([pipeline(createReadStream(whole), reading), receive(reading, wanted, incoming)])
  rmSync(whole)
  const faults = await mapConcurrent(
    4,
    paths.filter((path) => existsSync(join(incoming, `${path}.sig`))),
    (path) => archiveFault(incoming, path, signers),
  )
  const [fault] = faults.filter((each) => each !== undefined)
  if (fault !== undefined) throw new HostError(`the archive of ${signers.host}: ${fault}`)
  for (const path of paths) {
    // One that its host has removed meanwhile.
    if (!existsSync(join(incoming, `${path}.sig`))) continue
    mkdirSync(join(folder, dirname(path)), { recursive: true, mode: 0o700 })
    for (const each of [`${path}.sig`, path]) renameSync(join(incoming, each), join(folder, each))
  }
  rmSync(incoming, { recursive: true, force: true })
}

/** Only what was asked for, as files: whatever an archive from a host holds besides is refused. */
async function receive(
  reading: ReturnType<typeof extract>,
  wanted: ReadonlySet<string>,
  folder: string,
): Promise<void> {
  for await (const entry of reading) {
    const { name, type } = entry.header as Headers
    if (!wanted.has(name) || type !== 'file')
      throw new HostError(`the archive of the host holds ${JSON.stringify(name)}`)
    mkdirSync(join(folder, dirname(name)), { recursive: true, mode: 0o700 })
    await pipeline(entry, createWriteStream(join(folder, name), { flags: 'wx', mode: 0o600 }))
  }
}

const retention = fileURLToPath(new URL('../../../roles/backups/continuous/retention.awk', import.meta.url))

/**
 * Removes what no second of the last so many days needs, by the rule of the host. What came within these days stays, and decides nothing:
 * names come from the host, and one that was taken over could name a file so that all others would go. Returns how many files went.
 */
export async function pruneArchive(folder: string, days: number, now: number): Promise<number> {
  const here = archivedHere(folder).filter(
    ({ path }) => statSync(join(folder, path)).mtimeMs <= now - days * 86_400_000,
  )
  if (here.length === 0) return 0
  const cutoff = `${new Date(now - days * 86_400_000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
  const { stdout } = await local({ input: here.map(({ path }) => `${path}\n`).join('') })`
    LC_ALL=C awk -v cutoff=${cutoff} -f ${retention}`
  const gone = stdout.split('\n').filter((path) => parseArchivePath(path) !== undefined)
  for (const path of gone) for (const each of [path, `${path}.sig`]) rmSync(join(folder, each), { force: true })
  for (const chain of new Set(gone.map((path) => dirname(path)))) {
    try {
      rmdirSync(join(folder, chain))
    } catch {
      // It is not empty.
    }
  }
  return gone.length
}
