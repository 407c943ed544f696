import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { localFault } from '../../lib/shell/local.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import type { BackupName } from '../../roles/backups/backup-name.ts'
import {
  type BackupManifest,
  type BackupPart,
  missingParts,
  partName,
  subjectOf,
} from '../../roles/backups/manifest.ts'
import { settingsFor } from '../backup/host-settings.ts'
import { copiesOf, type LocalCopies } from '../backup/local-copies.ts'
import { pullOffsite } from '../backup/restic.ts'
import { syncCopies } from '../backup/sync.ts'
import { partFaults } from '../backup/verify.ts'
import { trustedManifest } from './trusted-manifest.ts'

/** Which backup to use. */
export interface BackupSelector {
  readonly from: 'copy' | 'host' | 'restic'
  /** The newest backup up to this time, in milliseconds since 1970; undefined for the newest of all. */
  readonly until: number | undefined
  /** Accept a copy without a signature if it is from before its host signed. */
  readonly unsigned: boolean
  /** It must contain this database and the data of its bot, as far as there were any. */
  readonly database?: string
  /** It must be of the whole host. */
  readonly whole?: boolean
}

/** A verified backup, on this machine. */
export interface SelectedBackup {
  readonly name: string
  readonly folder: string
  readonly manifest: BackupManifest
  /** Databases, and data of bots, that no copy contains. */
  readonly lost: readonly string[]
}

/** Finds a backup, downloads it if needed, verifies it, and passes it to `use`. Throws a `UsageError` where there is none. */
export async function selectBackup<T>(
  session: Session,
  host: InventoryHost,
  selector: BackupSelector,
  use: (chosen: SelectedBackup) => Promise<T>,
): Promise<T> {
  try {
    if (selector.from === 'restic') return await fromRestic(session, host, selector, use)
    const settings = settingsFor(host)
    if (selector.from === 'host') {
      const result = { host: host.name, faults: [], warnings: [], facts: {}, exitCode: 0 }
      const refused = await session.connected(host, (connection) =>
        syncCopies(connection, settings, result, (line) => session.report.line(`${host.name}  ${line}`)),
      )
      if (refused.length > 0)
        throw new HostError(`${refused.join('\n')}\nto use the copies on this machine, leave out --from host`)
    }
    return await use(await selectVerified(copiesOf(host.name, settings.local), session, host, selector))
  } catch (error) {
    throw localFault(error)
  }
}

async function fromRestic<T>(
  session: Session,
  host: InventoryHost,
  selector: BackupSelector,
  use: (chosen: SelectedBackup) => Promise<T>,
): Promise<T> {
  const { offsite } = settingsFor(host)
  if (offsite === undefined) throw new UsageError(`--from restic: hosts.${host.name} has no backups.offsite`)
  const target = mkdtempSync(join(tmpdir(), 'botgarden-restore-'))
  try {
    session.report.line(`${host.name}  ▸ downloading its copies with restic`)
    await pullOffsite(join(target, host.name), host.name, offsite)
    return await use(await selectVerified(copiesOf(host.name, target), session, host, selector))
  } finally {
    rmSync(target, { recursive: true, force: true })
  }
}

/** Whether this machine has a copy of the whole host. */
export function hasBackups(host: InventoryHost): boolean {
  return copiesOf(host.name, settingsFor(host).local)
    .list()
    .some(({ only }) => only === undefined)
}

async function selectVerified(
  copies: LocalCopies,
  session: Session,
  host: InventoryHost,
  selector: BackupSelector,
): Promise<SelectedBackup> {
  const { database, whole = false } = selector
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  const proved = (name: BackupName) => manifestAt(join(copies.folder, name.name), name, session, host, selector)
  for (const each of copies.list().filter((name) => matchesName(name, selector))) {
    const { name } = each
    const folder = join(copies.folder, name)
    const manifest = await proved(each)
    if (database !== undefined && !holds(manifest, database)) continue
    const missing = missingParts(manifest)
    if (whole && ['files', 'globals'].some((kind) => missing.includes(kind))) {
      say(`▸ ${name} lacks ${missing.join(', ')}: an older backup is used`)
      continue
    }
    await refuseDamaged(folder, manifest)
    const chosen = { name, folder, manifest, lost: [] }
    if (database !== undefined || missing.length === 0) return chosen
    if (whole) return withMissingParts(chosen, copies, selector, proved, say)
    say(`▸ ${name} lacks ${missing.join(', ')}`)
    return chosen
  }
  const what = database === undefined ? 'no backup' : `no backup with the database ${database}`
  const until = selector.until === undefined ? '' : ' before that time'
  throw new UsageError(`${copies.folder}: ${what} of ${host.name}${until}; take one with backup.ts`)
}

/** Selects by name only: the contents of a copy are not trusted before they are verified. */
function matchesName(
  { time, only }: BackupName,
  { until = Number.POSITIVE_INFINITY, database, whole = false }: Pick<BackupSelector, 'until' | 'database' | 'whole'>,
): boolean {
  return time <= until && (only === undefined || (!whole && (database === undefined || only === database)))
}

/** The verified manifest of a copy. Throws a `HostError` with its folder. */
async function manifestAt(
  folder: string,
  name: BackupName,
  session: Session,
  host: InventoryHost,
  selector: BackupSelector,
): Promise<BackupManifest> {
  try {
    return await trustedManifest(folder, name, session, host, selector)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    throw new HostError(`${folder}: ${error.message}\nselect an older one with --at`, { cause: error })
  }
}

/** Whether a backup has all of what is restored by this name. */
function holds({ parts, failed }: BackupManifest, name: string): boolean {
  return parts.some((part) => subjectOf(part) === name) && !failed.some((part) => subjectOf(part) === name)
}

/** Adds each missing part from the newest other copy that has it, by a path relative to the copy's folder. */
async function withMissingParts(
  chosen: SelectedBackup,
  copies: LocalCopies,
  { until }: BackupSelector,
  proved: (name: BackupName) => Promise<BackupManifest>,
  say: (line: string) => void,
): Promise<SelectedBackup> {
  const { name, manifest } = chosen
  const parts: BackupPart[] = []
  const lost: string[] = []
  for (const missing of manifest.failed) {
    const what = partName(missing)
    const found = await newestWith(what, subjectOf(missing), copies, until, proved)
    if (found === undefined) {
      lost.push(what)
      say(`▸ ${name} lacks ${what}, and no other copy has it: it is NOT restored`)
      continue
    }
    parts.push(...found.parts.map((part) => ({ ...part, file: `../${found.name}/${part.file}` })))
    say(`▸ ${name} lacks ${what}: it is restored from ${found.name}`)
  }
  return { ...chosen, lost, manifest: { ...manifest, parts: [...manifest.parts, ...parts] } }
}

async function newestWith(
  what: string,
  database: string | undefined,
  copies: LocalCopies,
  until: number | undefined,
  proved: (name: BackupName) => Promise<BackupManifest>,
): Promise<{ name: string; parts: BackupPart[] } | undefined> {
  for (const each of copies
    .list()
    .filter((name) => matchesName(name, { until, ...(database !== undefined && { database }) }))) {
    const manifest = await proved(each)
    const parts = manifest.parts.filter((part) => partName(part) === what)
    if (parts.length === 0) continue
    await refuseDamaged(join(copies.folder, each.name), manifest)
    return { name: each.name, parts }
  }
  return undefined
}

async function refuseDamaged(folder: string, manifest: BackupManifest): Promise<void> {
  const faults = await partFaults(folder, manifest)
  if (faults.length > 0) throw new HostError(`${folder}: ${faults.join('; ')}\nselect an older one with --at`)
}
