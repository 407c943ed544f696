import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ConnectError, HostError, RunnerError } from '../../lib/std/errors.ts'
import { shownAge, shownBytes } from '../../roles/backups/backup-name.ts'
import type { Settings } from '../../roles/backups/settings.ts'
import { pull } from './download.ts'
import { copiesOf } from './local-copies.ts'
import { type HostBackups, listRemote } from './remote.ts'
import type { Result } from './report.ts'
import { expired } from './retention.ts'
import { fingerprintOf } from './signature.ts'
import { isAnyKnown, keyFault, remember, type Signers, signersOf, unsignedFault } from './signers.ts'

/** How far two clocks may differ, in milliseconds. */
const clockTolerance = 5 * 60_000

/**
 * Brings here what the host has, is not here yet and would be kept; then lets go what need not be kept any longer. Returns
 * what could not be brought, which is among the faults as well.
 */
export async function syncCopies(
  connection: Connection,
  { keep, local, signer }: Settings,
  result: Result,
  progress: (line: string) => void,
): Promise<readonly string[]> {
  const copies = copiesOf(result.host, local)
  const there = await listRemote(connection)
  const { backups, now } = there
  const signers = met(signersOf(result.host, copies.folder, signer), there, progress)
  const skew = now - Date.now()
  if (Math.abs(skew) > clockTolerance)
    result.faults.push(
      `its clock and this machine's differ: it is ${shownAge(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`,
    )

  const listedHere = () => copies.list().map((copy) => ({ ...copy, manifest: copies.manifest(copy.name) }))
  const here = listedHere()
  const missing = backups.filter(({ name }) => !here.some((copy) => copy.name === name))
  // By this machine's clock, which may lag behind that of the host a little.
  const clock = Date.now() + clockTolerance
  const { remove } = await expired([...here, ...missing], keep, clock)
  const wanted = missing.filter(({ name }) => !remove.includes(name))
  const pulled: string[] = []
  const refused: string[] = []
  for (const backup of wanted) {
    try {
      const fault = backup.signed ? undefined : unsignedFault(signers, backup.time)
      if (fault !== undefined) throw new HostError(`${backup.name}: ${fault}`)
      progress(`▸ bringing ${backup.name}`)
      const { bytes, resumed } = await pull(connection, backup, copies.incoming(backup.name), signers)
      copies.commit(backup.name)
      pulled.push(backup.name)
      progress(
        `✓ ${backup.name}: ${shownBytes(bytes)}${resumed > 0 ? `, after ${shownBytes(resumed)} that were here` : ''}`,
      )
    } catch (error) {
      if (!(error instanceof RunnerError) || error instanceof ConnectError) throw error
      refused.push(error.message)
    }
  }
  result.faults.push(...refused)
  forgetUnfinished(
    copies.folder,
    wanted.map(({ name }) => name),
  )
  const retiring = result.faults.length > 0 ? [] : remove.filter((name) => here.some((copy) => copy.name === name))
  for (const name of retiring) copies.remove(name)
  const { future } = await expired(listedHere(), keep, clock)
  if (!isAnyKnown(signers) && pulled.length > 0)
    result.warnings.push('its backups are not signed yet: run site.ts, which makes the key for that')
  result.warnings.push(...future.map((name) => `${name}: from the future by this machine's clock: kept`))
  const by = there.signer === undefined ? {} : { signer: fingerprintOf(there.signer) }
  Object.assign(result.facts, { pulled, removed: retiring, folder: copies.folder, copies: copies.list().length, ...by })
  return refused
}

/**
 * Whose signature counts. Over its own connection a host says itself what it signs with, and the first time that is kept; a
 * key that has changed is refused.
 */
function met(signers: Signers, { signer, now, backups }: HostBackups, progress: (line: string) => void): Signers {
  if (signer === undefined) return signers
  const fault = isAnyKnown(signers) ? keyFault(signers, signer) : undefined
  if (fault !== undefined) throw new HostError(fault)
  if (signers.keys.includes(signer)) return signers
  progress(`signs its backups by ${fingerprintOf(signer)}: kept in ${signers.file}`)
  const signed = backups.filter((backup) => backup.signed).map(({ time }) => time)
  return remember(signers, signer, Math.min(now, Date.now(), ...signed))
}

/** What an earlier run began to bring and the host does not have any more. */
function forgetUnfinished(folder: string, wanted: readonly string[]): void {
  for (const entry of readdirSync(folder)) {
    const name = /^\.(?:incoming|removed)-(.*)$/.exec(entry)?.[1]
    if (name !== undefined && !wanted.includes(name)) rmSync(join(folder, entry), { recursive: true, force: true })
  }
}
