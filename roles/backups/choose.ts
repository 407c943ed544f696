import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HostError, UsageError } from '../../lib/errors.ts'
import type { InventoryHost } from '../../lib/inventory.ts'
import type { Session } from '../../lib/play.ts'
import { settingsFor } from './back-up.ts'
import { bring } from './bring.ts'
import { type Copies, copiesOf } from './copies.ts'
import { databasesOf, type Manifest, missingIn, type Part, parseManifest } from './manifest.ts'
import type { Name } from './names.ts'
import { pullOffsite } from './offsite.ts'
import { faultsOf } from './verify.ts'

/** Which backup is meant. */
export interface Wish {
  readonly from: 'copy' | 'host' | 'restic'
  /** Milliseconds since 1970: the newest that is no younger. */
  readonly until: number | undefined
  /** It must hold this one. */
  readonly database?: string
  /** It must hold all of the host. */
  readonly whole?: boolean
}

/** A verified backup, on this machine. */
export interface Chosen {
  readonly name: string
  readonly folder: string
  readonly manifest: Manifest
  /** The databases that no copy has any more. */
  readonly lost: readonly string[]
}

/** Finds the backup that is meant, brings it here where it is not, verifies it, and hands it on. */
export async function chosenCopy<T>(
  session: Session,
  host: InventoryHost,
  wish: Wish,
  use: (chosen: Chosen) => Promise<T>,
): Promise<T> {
  const settings = settingsFor(host)
  if (wish.from === 'restic') {
    if (settings.offsite === undefined) throw new UsageError(`--from restic: hosts.${host.name} has no backups.offsite`)
    const target = mkdtempSync(join(tmpdir(), 'botgarden-restore-'))
    try {
      session.report.line(`${host.name}  ▸ fetching its copies from restic`)
      await pullOffsite(join(target, host.name), host.name, settings.offsite)
      return await use(await verified(copiesOf(host.name, target), session, host, wish))
    } finally {
      rmSync(target, { recursive: true, force: true })
    }
  }
  if (wish.from === 'host') {
    const result = { host: host.name, faults: [], warnings: [], facts: {}, exitCode: 0 }
    await session.connected(host, (connection) =>
      bring(connection, settings, result, (line) => session.report.line(`${host.name}  ${line}`)),
    )
  }
  return use(await verified(copiesOf(host.name, settings.local), session, host, wish))
}

/** Whether there is a copy of all of a host on this machine. */
export function hasBackups(host: InventoryHost): boolean {
  return copiesOf(host.name, settingsFor(host).local)
    .list()
    .some(({ only }) => only === undefined)
}

async function verified(copies: Copies, session: Session, host: InventoryHost, wish: Wish): Promise<Chosen> {
  const { until = Number.POSITIVE_INFINITY, database, whole = false } = wish
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  const fitting = copies.list().filter(({ time, only }) => time <= until && !(whole && only !== undefined))
  for (const { name } of fitting) {
    const manifest = parseManifest(copies.manifest(name))
    if (database !== undefined && !databasesOf(manifest).includes(database)) continue
    const missing = missingIn(manifest)
    if (whole && ['files', 'globals'].some((kind) => missing.includes(kind))) {
      say(`▸ ${name} lacks ${missing.join(', ')}: an older one is taken`)
      continue
    }
    const folder = join(copies.folder, name)
    await refuseSpoilt(folder)
    const chosen = { name, folder, manifest, lost: [] }
    if (database !== undefined || missing.length === 0) return chosen
    if (whole) {
      const all = copies.list().filter(({ time }) => time <= until)
      return completed(chosen, copies, all, say)
    }
    say(`▸ ${name} lacks ${missing.join(', ')}`)
    return chosen
  }
  const what = database === undefined ? 'no backup' : `no backup with the database ${database}`
  throw new UsageError(
    `${copies.folder}: ${what} of ${host.name}${until === Number.POSITIVE_INFINITY ? '' : ' until then'}; backup.ts takes one`,
  )
}

/** With each database that a copy lacks from the newest other one that has it: by a path from the copy's own folder. */
async function completed(
  chosen: Chosen,
  copies: Copies,
  others: readonly Name[],
  say: (line: string) => void,
): Promise<Chosen> {
  const { name, manifest } = chosen
  const parts: Part[] = []
  const lost: string[] = []
  for (const database of missingIn(manifest)) {
    const from = others.find((each) => databasesOf(parseManifest(copies.manifest(each.name))).includes(database))
    if (from === undefined) {
      lost.push(database)
      say(`▸ ${name} lacks ${database}, and so does every other one: it is NOT brought back`)
      continue
    }
    await refuseSpoilt(join(copies.folder, from.name))
    const found = parseManifest(copies.manifest(from.name)).parts.filter(
      (part) => part.kind === 'database' && part.database === database,
    )
    parts.push(...found.map((part) => ({ ...part, file: `../${from.name}/${part.file}` })))
    say(`▸ ${name} lacks ${database}: it is brought back as it was in ${from.name}`)
  }
  return { ...chosen, lost, manifest: { ...manifest, parts: [...manifest.parts, ...parts] } }
}

async function refuseSpoilt(folder: string): Promise<void> {
  const faults = await faultsOf(folder)
  if (faults.length > 0) throw new HostError(`${folder}: ${faults.join('; ')}: --at names an older one`)
}
