import { join } from 'node:path'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { localFault } from '../../lib/shell/local.ts'
import { HostError, RunnerError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { type Name, shownAge } from '../../roles/backups/backup-name.ts'
import { databasesOf, missingIn, nameOf, parseManifest } from '../../roles/backups/manifest.ts'
import { alertHere } from './alert.ts'
import { copiesOf } from './local-copies.ts'
import { type HostBackups, listRemote } from './remote.ts'
import { printResults, type Result } from './report.ts'
import { refuseUnencrypted, settingsFor } from './settings.ts'
import { fingerprintOf } from './signature.ts'
import { isAnyKnown, keyFault, type Signers, signersOf, unsignedFault } from './signers.ts'
import { copyFaults } from './verify.ts'

/** A day, and two hours for a run that takes its time. */
const tooOld = 26 * 3_600_000

/** A backup of which only the name and the manifest are looked at. */
interface Seen extends Name {
  readonly manifest: string
}

/** Tells how old the last good backup of each host and database is, there and here. Exit code 3 past 26 hours. */
export async function checkFreshness(session: Session): Promise<number> {
  refuseUnencrypted(session.hosts)
  const results = await mapConcurrent(session.options.forks, session.hosts, (host) => watchHost(session, host))
  await Promise.all(results.map((result, i) => alertHere(result, settingsFor(session.hosts[i]))))
  return printResults('backup', results, session)
}

async function watchHost(session: Session, host: InventoryHost): Promise<Result> {
  const result: Result = { host: host.name, faults: [], warnings: [], facts: {}, exitCode: 0 }
  const there = await lookedAt(session, host, result)
  if (there?.signer !== undefined) result.facts.signer = fingerprintOf(there.signer)
  const own = await copiesFaults(host, there, result).catch((failure) => {
    const error = localFault(failure)
    if (!(error instanceof HostError)) throw error
    return [error.message]
  })
  result.faults.push(...own)
  if (there?.status?.at === '') result.warnings.push(...there.status.warnings)
  if (there?.status?.result === 'failed')
    result.faults.push(`the last run FAILED at ${there.status.at}: ${there.status.reason}`)
  if (there?.status?.result === 'incomplete')
    result.faults.push(`the last run FAILED in part at ${there.status.at}: ${there.status.reason}`)
  if (result.faults.length > 0 && (result.exitCode === 0 || own.length > 0)) result.exitCode = 3
  return result
}

/** What is old, what is wrong with the newest copy, and whether the host still signs as it did. */
async function copiesFaults(host: InventoryHost, there: HostBackups | undefined, { facts }: Result): Promise<string[]> {
  const { local, signer } = settingsFor(host)
  const copies = copiesOf(host.name, local)
  const signers = signersOf(host.name, copies.folder, signer)
  const here = copies.list().map((each) => ({ ...each, manifest: copies.manifest(each.name) }))
  const lines = ageFaults(here, there?.backups, Date.now())
  facts.lines = lines.map(({ text }) => text)
  const [newest] = here
  const spoilt = newest === undefined ? [] : await faultsOfNewest(newest, copies.folder, signers)
  const changed = there?.signer !== undefined && isAnyKnown(signers) ? keyFault(signers, there.signer) : undefined
  return [
    ...lines.flatMap(({ faults }) => faults),
    ...spoilt.map((fault) => `${newest?.name} here: ${fault}`),
    ...(changed === undefined ? [] : [changed]),
  ]
}

async function faultsOfNewest(name: Name, copies: string, signers: Signers): Promise<string[]> {
  const unsigned = unsignedFault(signers, name.time) === undefined
  return copyFaults({ folder: join(copies, name.name), name, signers, unsigned })
}

async function lookedAt(session: Session, host: InventoryHost, result: Result): Promise<HostBackups | undefined> {
  try {
    return await session.connected(host, listRemote)
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    result.faults.push(error.message)
    result.exitCode = error.exitCode
    return undefined
  }
}

/** A line for the host as a whole and for each of its databases. `there` is undefined where the host was not reached. */
export function ageFaults(here: readonly Seen[], there: readonly Seen[] | undefined, now: number) {
  const whole = [there, here].flatMap((side) => side?.find(({ only, time }) => only === undefined && time <= now) ?? [])
  const subjects = new Set(
    whole.map(({ manifest }) => contentsOf(manifest)).flatMap(({ databases, missing }) => [...databases, ...missing]),
  )
  return ['all', ...subjects].map((subject) => {
    const on = (side: readonly Seen[]) => side.find((each) => each.time <= now && covers(each, subject))
    const sides = [...(there === undefined ? [] : [['on the host', on(there)] as const]), ['here', on(here)] as const]
    const shown = sides.map(
      ([where, found]) => `${where} ${found === undefined ? 'none' : `${shownAge(now - found.time)} old`}`,
    )
    const faults = sides.flatMap(([where, found]) => {
      if (found === undefined) return [`${subject}: there is no good backup ${where}`]
      const age = now - found.time
      return age > tooOld ? [`${subject}: the last good backup ${where} is ${shownAge(age)} old: ${found.name}`] : []
    })
    return { text: `${subject}: ${shown.join(', ')}`, faults }
  })
}

function covers({ only, manifest }: Seen, subject: string): boolean {
  const { there, missing } = contentsOf(manifest)
  return subject === 'all' ? only === undefined && missing.length === 0 : there.includes(subject)
}

function contentsOf(text: string): Record<'databases' | 'missing' | 'there', string[]> {
  try {
    const manifest = parseManifest(text)
    return { databases: databasesOf(manifest), missing: missingIn(manifest), there: manifest.parts.map(nameOf) }
  } catch {
    // It counts for nothing; a pull says what is wrong with it.
    return { databases: [], missing: [], there: [] }
  }
}
