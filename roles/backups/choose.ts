import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HostError, UsageError } from '../../lib/errors.ts'
import type { InventoryHost } from '../../lib/inventory.ts'
import { localFault } from '../../lib/local.ts'
import type { Session } from '../../lib/play.ts'
import { settingsFor } from './back-up.ts'
import { bring } from './bring.ts'
import { type Copies, copiesOf } from './copies.ts'
import { databasesOf, type Manifest } from './manifest.ts'
import type { Name } from './names.ts'
import { pullOffsite } from './offsite.ts'
import { trustedManifest } from './origin.ts'
import { partFaults } from './verify.ts'

/** Which backup is meant. */
export interface Wish {
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
  try {
    if (wish.from === 'restic') return await fromRestic(session, host, wish, use)
    const settings = settingsFor(host)
    if (wish.from === 'host') {
      const result = { host: host.name, faults: [], warnings: [], facts: {}, exitCode: 0 }
      const refused = await session.connected(host, (connection) =>
        bring(connection, settings, result, (line) => session.report.line(`${host.name}  ${line}`)),
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
  wish: Wish,
  use: (chosen: Chosen) => Promise<T>,
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

async function verified(copies: Copies, session: Session, host: InventoryHost, wish: Wish): Promise<Chosen> {
  const { database } = wish
  for (const name of copies.list().filter((each) => mayBe(each, wish))) {
    const folder = join(copies.folder, name.name)
    try {
      const manifest = await trustedManifest(folder, name, session, host, wish)
      if (database !== undefined && !databasesOf(manifest).includes(database)) continue
      const faults = await partFaults(folder, manifest)
      if (faults.length > 0) throw new HostError(faults.join('; '))
      return { name: name.name, folder, manifest }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      throw new HostError(`${folder}: ${error.message}\n--at names an older one`, { cause: error })
    }
  }
  const what = database === undefined ? 'no backup' : `no backup with the database ${database}`
  const until = wish.until === undefined ? '' : ' until then'
  throw new UsageError(`${copies.folder}: ${what} of ${host.name}${until}; backup.ts takes one`)
}

/** By its name alone: what is in a copy counts for nothing until it is proved. */
function mayBe({ time, only }: Name, { until = Number.POSITIVE_INFINITY, database, whole = false }: Wish): boolean {
  return time <= until && (only === undefined || (!whole && (database === undefined || only === database)))
}
