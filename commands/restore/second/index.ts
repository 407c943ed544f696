import { statSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { role } from '../../../lib/model/role.ts'
import { noLeftovers } from '../../../lib/platform/leftovers.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { upload } from '../../../lib/ssh/upload.ts'
import { confirm } from '../../../lib/std/confirm-prompt.ts'
import { HostError, UsageError } from '../../../lib/std/errors.ts'
import type { Secret } from '../../../lib/std/secret.ts'
import { tarOf } from '../../../lib/std/tar.ts'
import { formatBytes } from '../../../roles/backups/backup-name.ts'
import { databaseRestore, incomingPath } from '../database.ts'
import { refuseOwner } from '../database-owner.ts'
import { decryptFile } from '../decrypt.ts'
import type { DatabasePart, RestoreTask } from '../restore-task.ts'
import { countQuery } from '../row-counts.ts'
import { type ChosenArchive, chooseArchive, newestMoment } from './choose.ts'
import { type FreshArchive, freshArchive, refuseForged } from './fresh-archive.ts'
import { hasOffset, type Moment, momentOf, zoneScript } from './moment.ts'
import { baseUpload, dumpEach, dumpOne, secondFolder, walUpload, withSecondServer } from './server-script.ts'

/** Brings one database back to a moment: with a server beside the one that serves, and from there as from a backup. Returns the exit code. */
export async function restoreMoment(
  session: Session,
  host: InventoryHost,
  task: RestoreTask,
  at: string,
  identities: readonly Secret[],
): Promise<number> {
  const { moment, archive } = await session.connected(host, async (connection) => {
    const zone = hasOffset(at) ? undefined : (await ask(connection, zoneScript(at))).trim()
    const moment = momentOf(at, zone)
    return { moment, archive: await freshArchive(session, host, connection) }
  })
  const chosen = chooseArchive(archive.files, moment.time, archive)
  if (typeof chosen === 'string') throw new UsageError(`--at ${moment.shown} ${chosen}`)
  await refuseForged(archive, [chosen.base, ...chosen.segments])
  const what = `replace the database ${task.target} of ${host.name} (${session.inventory.file}) with what it was at ${moment.shown}`
  if (task.bot !== undefined && !session.options.own.has('yes')) await confirm(what)
  return session.converge([host], async (_, connection) => {
    await session.hold(host, connection)
    await uploadArchive(session, host, connection, archive, chosen, identities)
    const path = incomingPath(task.database)
    const [part] = await partsOf(connection, moment, dumpOne(task.database, path))
    if (part?.database !== task.database) throw new HostError(`the database ${task.database} was not dumped`)
    refuseOwner(moment.shown, task, part)
    countQuery(part)
    return [role('restore', v.any(), () => [noLeftovers([path]), databaseRestore({ name: moment.shown }, task, part)])]
  })
}

/** Brings the newest second of the archive back beside the server that serves, reads every database of it, and keeps nothing. Returns the exit code. */
export async function drillArchive(
  session: Session,
  host: InventoryHost,
  identities: readonly Secret[],
): Promise<number> {
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  await session.connected(host, async (connection) => {
    const archive = await freshArchive(session, host, connection)
    const time = newestMoment(archive.files, archive.through)
    const chosen = time === undefined ? 'has no base yet' : chooseArchive(archive.files, time, archive)
    if (time === undefined || typeof chosen === 'string')
      throw new HostError(`${host.name}: the archive of WAL ${chosen}`)
    await refuseForged(archive, [chosen.base, ...chosen.segments])
    await session.hold(host, connection)
    await uploadArchive(session, host, connection, archive, chosen, identities)
    const moment = { time, shown: new Date(time).toISOString() }
    for (const { database, tables } of await partsOf(connection, moment, dumpEach)) {
      const rows = Object.values(tables).reduce((sum, count) => sum + count, 0)
      say(`✓ drill:${database}: as of ${moment.shown}: ${Object.keys(tables).length} tables, ${rows} rows`)
    }
  })
  return 0
}

/** The decrypted base and WAL, for a folder that only root can read. */
async function uploadArchive(
  session: Session,
  host: InventoryHost,
  connection: Connection,
  { folder }: FreshArchive,
  { base, segments }: ChosenArchive,
  identities: readonly Secret[],
): Promise<void> {
  const size = [base, ...segments].reduce((sum, { path }) => sum + statSync(join(folder, path)).size, 0)
  session.report.line(
    `${host.name}  ▸ the base of ${new Date(base.time).toISOString()} and ${segments.length} segments of WAL: ${formatBytes(size)}`,
  )
  await ask(connection, sh`rm -rf ${secondFolder}`)
  try {
    await upload(connection, baseUpload, decryptFile(join(folder, base.path), identities))
    await upload(connection, walUpload, tarOf(segmentsOf(folder, segments, identities)))
  } catch (error) {
    await ask(connection, sh`rm -rf ${secondFolder}`).catch(() => {})
    throw error
  }
}

/** In bytes: a segment has 16 MiB, and compressed hardly more. */
const mostOfSegment = 17 * 2 ** 20

async function* segmentsOf(folder: string, segments: ChosenArchive['segments'], identities: readonly Secret[]) {
  for (const { path, segment } of segments) {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of decryptFile(join(folder, path), identities)) {
      size += chunk.length
      if (size > mostOfSegment) throw new HostError(`${path}: is larger than a segment can be`)
      chunks.push(chunk)
    }
    yield { path: `${segment}.gz`, mode: 0o600, link: '', content: Buffer.concat(chunks) }
  }
}

const dumpedSchema = v.object({
  dumped: v.object({
    database: v.string(),
    owner: v.string(),
    size: v.number(),
    sha256: v.string(),
    tables: v.record(v.string(), v.number()),
  }),
})

async function partsOf(connection: Connection, { time }: Moment, use: Script): Promise<DatabasePart[]> {
  return partsIn(await ask(connection, withSecondServer(time, use)))
}

/** What was dumped of the cluster as it was, as a backup would say it. Throws a `HostError` with what the host has said instead. */
export function partsIn(output: string): DatabasePart[] {
  const rows = output.trimEnd().split('\n')
  if (rows.pop() !== 'ended well') throw new HostError(output.trim())
  const parts = rows
    .filter((row) => row.startsWith('{"dumped"'))
    .map((row) => {
      const { size, sha256, ...dumped } = v.parse(dumpedSchema, JSON.parse(row)).dumped
      return { kind: 'database' as const, file: '', encrypted: { size, sha256 }, size, sha256, ...dumped }
    })
  // A cluster has databases: a server that has none of them was not read.
  if (parts.length === 0) throw new HostError(`no database was dumped: ${output.trim()}`)
  return parts
}
