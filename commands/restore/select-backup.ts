import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { localFault } from '../../lib/shell/local.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import type { Name } from '../../roles/backups/backup-name.ts'
import { databasesOf, type Manifest, missingIn, type Part } from '../../roles/backups/manifest.ts'
import { type Copies, copiesOf } from '../backup/local-copies.ts'
import { pullOffsite } from '../backup/restic.ts'
import { settingsFor } from '../backup/settings.ts'
import { syncCopies } from '../backup/sync.ts'
import { partFaults } from '../backup/verify.ts'
import { trustedManifest } from './trusted-manifest.ts'

/** Which backup is meant. */
export interface BackupSelector {
  readonly from: 'copy' | 'host' | 'restic'
  /** Milliseconds since 1970: the newest that is no younger. */
  readonly until: number | undefined
  /** A copy that nobody has signed will do, if it is of before its host did. */
  readonly unsigned: boolean
  /** It must hold this one. */
  readonly database?: string
  /** It must hold all of the host. */
  readonly whole?: boolean
}

/** A verified backup, on this machine. */
export interface SelectedBackup {
  readonly name: string
  readonly folder: string
  readonly manifest: Manifest
  /** The databases that no copy has any more. */
  readonly lost: readonly string[]
}

/** Finds the backup that is meant, brings it here where it is not, verifies it, and hands it on. */
export async function selectBackup<T>(
  session: Session,
  host: InventoryHost,
  wish: BackupSelector,
  use: (chosen: SelectedBackup) => Promise<T>,
): Promise<T> {
  try {
    if (wish.from === 'restic') return await fromRestic(session, host, wish, use)
    const settings = settingsFor(host)
    if (wish.from === 'host') {
      const result = { host: host.name, faults: [], warnings: [], facts: {}, exitCode: 0 }
      const refused = await session.connected(host, (connection) =>
        syncCopies(connection, settings, result, (line) => session.report.line(`${host.name}  ${line}`)),
      )
      if (refused.length > 0)
        throw new HostError(`${refused.join('\n')}\nwithout --from host the copies that are here are used`)
    }
    return await use(await verified(copiesOf(host.name, settings.local), session, host, wish))
  } catch (error) {
    throw localFault(error)
  }
}

async function fromRestic<T>(
  session: Session,
  host: InventoryHost,
  wish: BackupSelector,
  use: (chosen: SelectedBackup) => Promise<T>,
): Promise<T> {
  const { offsite } = settingsFor(host)
  if (offsite === undefined) throw new UsageError(`--from restic: hosts.${host.name} has no backups.offsite`)
  const target = mkdtempSync(join(tmpdir(), 'botgarden-restore-'))
  try {
    session.report.line(`${host.name}  ▸ fetching its copies from restic`)
    await pullOffsite(join(target, host.name), host.name, offsite)
    return await use(await verified(copiesOf(host.name, target), session, host, wish))
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}

/** Whether there is a copy of all of a host on this machine. */
export function hasBackups(host: InventoryHost): boolean {
  return copiesOf(host.name, settingsFor(host).local)
    .list()
    .some(({ only }) => only === undefined)
}

async function verified(
  copies: Copies,
  session: Session,
  host: InventoryHost,
  wish: BackupSelector,
): Promise<SelectedBackup> {
  const { database, whole = false } = wish
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  const proved = (name: Name) => provedAt(join(copies.folder, name.name), name, session, host, wish)
  for (const each of copies.list().filter((name) => mayBe(name, wish))) {
    const { name } = each
    const folder = join(copies.folder, name)
    const manifest = await proved(each)
    if (database !== undefined && !databasesOf(manifest).includes(database)) continue
    const missing = missingIn(manifest)
    if (whole && ['files', 'globals'].some((kind) => missing.includes(kind))) {
      say(`▸ ${name} lacks ${missing.join(', ')}: an older one is taken`)
      continue
    }
    await refuseSpoilt(folder, manifest)
    const chosen = { name, folder, manifest, lost: [] }
    if (database !== undefined || missing.length === 0) return chosen
    if (whole) return completed(chosen, copies, wish, proved, say)
    say(`▸ ${name} lacks ${missing.join(', ')}`)
    return chosen
  }
  const what = database === undefined ? 'no backup' : `no backup with the database ${database}`
  const until = wish.until === undefined ? '' : ' until then'
  throw new UsageError(`${copies.folder}: ${what} of ${host.name}${until}; backup.ts takes one`)
}

/** By its name alone: what is in a copy counts for nothing until it is proved. */
function mayBe(
  { time, only }: Name,
  { until = Number.POSITIVE_INFINITY, database, whole = false }: Pick<BackupSelector, 'until' | 'database' | 'whole'>,
): boolean {
  return time <= until && (only === undefined || (!whole && (database === undefined || only === database)))
}

/** The manifest of a copy that is proved to be its host's. */
async function provedAt(
  folder: string,
  name: Name,
  session: Session,
  host: InventoryHost,
  wish: BackupSelector,
): Promise<Manifest> {
  try {
    return await trustedManifest(folder, name, session, host, wish)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    throw new HostError(`${folder}: ${error.message}\n--at names an older one`, { cause: error })
  }
}

/** With each database that a copy lacks from the newest other one that has it: by a path from the copy's own folder. */
async function completed(
  chosen: SelectedBackup,
  copies: Copies,
  { until }: BackupSelector,
  proved: (name: Name) => Promise<Manifest>,
  say: (line: string) => void,
): Promise<SelectedBackup> {
  const { name, manifest } = chosen
  const parts: Part[] = []
  const lost: string[] = []
  for (const database of missingIn(manifest)) {
    const found = await newestWith(database, copies, until, proved)
    if (found === undefined) {
      lost.push(database)
      say(`▸ ${name} lacks ${database}, and so does every other one: it is NOT brought back`)
      continue
    }
    parts.push(...found.parts.map((part) => ({ ...part, file: `../${found.name}/${part.file}` })))
    say(`▸ ${name} lacks ${database}: it is brought back as it was in ${found.name}`)
  }
  return { ...chosen, lost, manifest: { ...manifest, parts: [...manifest.parts, ...parts] } }
}

async function newestWith(
  database: string,
  copies: Copies,
  until: number | undefined,
  proved: (name: Name) => Promise<Manifest>,
): Promise<{ name: string; parts: Part[] } | undefined> {
  for (const each of copies.list().filter((name) => mayBe(name, { until, database }))) {
    const manifest = await proved(each)
    const parts = manifest.parts.filter((part) => part.kind === 'database' && part.database === database)
    if (parts.length === 0) continue
    await refuseSpoilt(join(copies.folder, each.name), manifest)
    return { name: each.name, parts }
  }
  return undefined
}

async function refuseSpoilt(folder: string, manifest: Manifest): Promise<void> {
  const faults = await partFaults(folder, manifest)
  if (faults.length > 0) throw new HostError(`${folder}: ${faults.join('; ')}\n--at names an older one`)
}
