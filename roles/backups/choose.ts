import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HostError, UsageError } from '../../lib/errors.ts'
import type { InventoryHost } from '../../lib/inventory.ts'
import type { Session } from '../../lib/play.ts'
import { settingsFor } from './back-up.ts'
import { bring } from './bring.ts'
import { type Copies, copiesOf } from './copies.ts'
import { databasesOf, type Manifest, parseManifest } from './manifest.ts'
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
      return await use(await verified(copiesOf(host.name, target), host, wish))
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
  return use(await verified(copiesOf(host.name, settings.local), host, wish))
}

/** Whether there is a copy of all of a host on this machine. */
export function hasBackups(host: InventoryHost): boolean {
  return copiesOf(host.name, settingsFor(host).local)
    .list()
    .some(({ only }) => only === undefined)
}

async function verified(copies: Copies, host: InventoryHost, wish: Wish): Promise<Chosen> {
  const { until = Number.POSITIVE_INFINITY, database, whole = false } = wish
  for (const { name, time, only } of copies.list()) {
    if (time > until || (whole && only !== undefined)) continue
    const manifest = parseManifest(copies.manifest(name))
    if (database !== undefined && !databasesOf(manifest).includes(database)) continue
    const folder = join(copies.folder, name)
    const faults = await faultsOf(folder)
    if (faults.length > 0) throw new HostError(`${folder}: ${faults.join('; ')}: --at names an older one`)
    return { name, folder, manifest }
  }
  const what = database === undefined ? 'no backup' : `no backup with the database ${database}`
  throw new UsageError(
    `${copies.folder}: ${what} of ${host.name}${until === Number.POSITIVE_INFINITY ? '' : ' until then'}; backup.ts takes one`,
  )
}
