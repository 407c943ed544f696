import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ConnectError, HostError, RunnerError } from '../../lib/std/errors.ts'
import { formatAge, formatBytes } from '../../roles/backups/backup-name.ts'
import type { BackupSettings } from '../../roles/backups/backup-settings.ts'
import { download } from './download.ts'
import { copiesOf } from './local-copies.ts'
import { type HostBackups, listRemote } from './remote.ts'
import type { BackupResult } from './report.ts'
import { expired } from './retention.ts'
import { fingerprintOf } from './signature.ts'
import { hasKnownSigner, keyFault, rememberSigner, type Signers, signersOf, unsignedFault } from './signers.ts'

/** How far two clocks may differ, in milliseconds. */
const clockTolerance = 5 * 60_000

/**
 * Downloads the backups of a host that are missing here and would be kept, then removes expired copies, unless there were
 * faults. Fills in `result`. Returns the errors of backups that could not be downloaded, which are among its faults as well.
 */
export async function syncCopies(
  connection: Connection,
  { keep, local, signer }: BackupSettings,
  result: BackupResult,
  progress: (line: string) => void,
): Promise<readonly string[]> {
  const copies = copiesOf(result.host, local)
  const there = await listRemote(connection)
  const { backups, now } = there
  const signers = learnSigner(signersOf(result.host, copies.folder, signer), there, progress)
  const skew = now - Date.now()
  if (Math.abs(skew) > clockTolerance)
    result.faults.push(
      `its clock and this machine's differ: it is ${formatAge(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`,
    )

  const listedHere = () => copies.list().map((copy) => ({ ...copy, manifest: copies.manifest(copy.name) }))
  const here = listedHere()
  const missing = backups.filter(({ name }) => !here.some((copy) => copy.name === name))
  // The clock of this machine may be a little behind the clock of the host.
  const clock = Date.now() + clockTolerance
  const { remove } = await expired([...here, ...missing], keep, clock)
  const wanted = missing.filter(({ name }) => !remove.includes(name))
  const pulled: string[] = []
  const refused: string[] = []
  for (const backup of wanted) {
    try {
      const fault = backup.signed ? undefined : unsignedFault(signers, backup.time)
      if (fault !== undefined) throw new HostError(`${backup.name}: ${fault}`)
      progress(`▸ downloading ${backup.name}`)
      const { bytes, resumed } = await download(connection, backup, copies.incoming(backup.name), signers)
      copies.commit(backup.name)
      pulled.push(backup.name)
      progress(`✓ ${backup.name}: ${formatBytes(bytes)}${resumed > 0 ? `, resumed after ${formatBytes(resumed)}` : ''}`)
    } catch (error) {
      if (!(error instanceof RunnerError) || error instanceof ConnectError) throw error
      refused.push(error.message)
    }
  }
  result.faults.push(...refused)
  removeUnfinished(
    copies.folder,
    wanted.map(({ name }) => name),
  )
  const retiring = result.faults.length > 0 ? [] : remove.filter((name) => here.some((copy) => copy.name === name))
  for (const name of retiring) copies.remove(name)
  const { future } = await expired(listedHere(), keep, clock)
  if (!hasKnownSigner(signers) && pulled.length > 0)
    result.warnings.push('its backups are not signed yet: run site.ts, which creates the signing key')
  result.warnings.push(...future.map((name) => `${name}: dated in the future by this machine's clock: kept`))
  const by = there.signer === undefined ? {} : { signer: fingerprintOf(there.signer) }
  Object.assign(result.facts, { pulled, removed: retiring, folder: copies.folder, copies: copies.list().length, ...by })
  return refused
}

/**
 * The keys that may sign, with the host's current one. The first key is learned from the host over its own connection.
 * Throws a `HostError` where the key has changed.
 */
export function learnSigner(
  signers: Signers,
  { signer, now, backups }: Pick<HostBackups, 'signer' | 'now' | 'backups'>,
  progress: (line: string) => void,
): Signers {
  if (signer === undefined) return signers
  const fault = hasKnownSigner(signers) ? keyFault(signers, signer) : undefined
  if (fault !== undefined) throw new HostError(fault)
  if (signers.keys.includes(signer)) return signers
  progress(`signs its backups with ${fingerprintOf(signer)}: saved in ${signers.file}`)
  const signed = backups.filter((backup) => backup.signed).map(({ time }) => time)
  return rememberSigner(signers, signer, Math.min(now, Date.now(), ...signed))
}

/** Removes downloads that an earlier run began and the host does not have any more. */
function removeUnfinished(folder: string, wanted: readonly string[]): void {
  for (const entry of readdirSync(folder)) {
    const name = /^\.(?:incoming|removed)-(.*)$/.exec(entry)?.[1]
    if (name !== undefined && !wanted.includes(name)) rmSync(join(folder, entry), { recursive: true, force: true })
  }
}
