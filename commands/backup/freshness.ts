import { join } from 'node:path'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { localFault } from '../../lib/shell/local.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { HostError, RunnerError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { type BackupName, formatAge } from '../../roles/backups/backup-name.ts'
import { missingParts, parseManifest, partName, subjectOf } from '../../roles/backups/manifest.ts'
import { alertHere } from './alert.ts'
import { checkArchive } from './archive/sync.ts'
import { archiveSettings, refuseUnencrypted, settingsFor } from './host-settings.ts'
import { copiesOf } from './local-copies.ts'
import { type HostBackups, listRemote } from './remote.ts'
import { type BackupResult, printResults } from './report.ts'
import { fingerprintOf } from './signature.ts'
import { hasKnownSigner, keyFault, type Signers, signersOf, unsignedFault } from './signers.ts'
import { copyFaults } from './verify.ts'

/** In milliseconds: a day, and two hours for the backup itself. */
const maxAge = 26 * 3_600_000

/** A backup on the host or on this machine: its name and the text of its manifest. */
interface FreshnessEntry extends BackupName {
  readonly manifest: string
}

/** Prints the age of the last good backup of each host and database, on the host and here. Returns the exit code: 3 past 26 hours. */
export async function checkFreshness(session: Session): Promise<number> {
  refuseUnencrypted(session.hosts)
  const results = await mapConcurrent(session.options.forks, session.hosts, (host) => checkHost(session, host))
  await Promise.all(results.map((result, i) => alertHere(result, settingsFor(session.hosts[i]))))
  return printResults('backup', results, session)
}

async function checkHost(session: Session, host: InventoryHost): Promise<BackupResult> {
  const result: BackupResult = { host: host.name, faults: [], warnings: [], facts: {}, exitCode: 0 }
  const archive: string[] = []
  const there = await readRemote(session, host, result, async (connection) => {
    archive.push(...(await checkArchive(connection, archiveSettings(host, session.inventory.hosts), result)))
  })
  if (there?.signer !== undefined) result.facts.signer = fingerprintOf(there.signer)
  const own = await copiesFaults(host, there, result).catch((failure) => {
    const error = localFault(failure)
    if (!(error instanceof HostError)) throw error
    return [error.message]
  })
  result.faults.push(...own)
  result.facts.lines = [...(result.facts.lines ?? []), ...archive]
  if (there?.status?.at === '') result.warnings.push(...there.status.warnings)
  if (there?.status?.result === 'failed')
    result.faults.push(`the last run FAILED at ${there.status.at}: ${there.status.reason}`)
  if (there?.status?.result === 'incomplete')
    result.faults.push(`the last run FAILED in part at ${there.status.at}: ${there.status.reason}`)
  if (result.faults.length > 0 && (result.exitCode === 0 || own.length > 0)) result.exitCode = 3
  return result
}

/** Faults: backups that are too old, a newest copy that is not valid, a signing key that has changed. */
async function copiesFaults(
  host: InventoryHost,
  there: HostBackups | undefined,
  { facts }: BackupResult,
): Promise<string[]> {
  const { local, signer } = settingsFor(host)
  const copies = copiesOf(host.name, local)
  const signers = signersOf(host.name, copies.folder, signer)
  const here = copies.list().map((each) => ({ ...each, manifest: copies.manifest(each.name) }))
  const lines = ageFaults(here, there?.backups, Date.now())
  facts.lines = lines.map(({ text }) => text)
  const [newest] = here
  const spoilt = newest === undefined ? [] : await faultsOfNewest(newest, copies.folder, signers)
  const changed = there?.signer !== undefined && hasKnownSigner(signers) ? keyFault(signers, there.signer) : undefined
  return [
    ...lines.flatMap(({ faults }) => faults),
    ...spoilt.map((fault) => `${newest?.name} here: ${fault}`),
    ...(changed === undefined ? [] : [changed]),
  ]
}

async function faultsOfNewest(name: BackupName, copies: string, signers: Signers): Promise<string[]> {
  const unsigned = unsignedFault(signers, name.time) === undefined
  return copyFaults({ folder: join(copies, name.name), name, signers, unsigned })
}

async function readRemote(
  session: Session,
  host: InventoryHost,
  result: BackupResult,
  more: (connection: Connection) => Promise<void>,
): Promise<HostBackups | undefined> {
  try {
    return await session.connected(host, async (connection) => {
      const there = await listRemote(connection)
      await more(connection)
      return there
    })
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    result.faults.push(error.message)
    result.exitCode = error.exitCode
    return undefined
  }
}

/** A line and the faults for the host as a whole and for each database. `there` is undefined where the host was not reached. */
export function ageFaults(here: readonly FreshnessEntry[], there: readonly FreshnessEntry[] | undefined, now: number) {
  const whole = [there, here].flatMap((side) => side?.find(({ only, time }) => only === undefined && time <= now) ?? [])
  const subjects = new Set(
    whole.map(({ manifest }) => contentsOf(manifest)).flatMap(({ subjects, missing }) => [...subjects, ...missing]),
  )
  return ['all', ...subjects].map((subject) => {
    const on = (side: readonly FreshnessEntry[]) => side.find((each) => each.time <= now && covers(each, subject))
    const sides = [...(there === undefined ? [] : [['on the host', on(there)] as const]), ['here', on(here)] as const]
    const shown = sides.map(
      ([where, found]) => `${where} ${found === undefined ? 'none' : `${formatAge(now - found.time)} old`}`,
    )
    const faults = sides.flatMap(([where, found]) => {
      if (found === undefined) return [`${subject}: there is no good backup ${where}`]
      const age = now - found.time
      return age > maxAge ? [`${subject}: the last good backup ${where} is ${formatAge(age)} old: ${found.name}`] : []
    })
    return { text: `${subject}: ${shown.join(', ')}`, faults }
  })
}

function covers({ only, manifest }: FreshnessEntry, subject: string): boolean {
  const { there, missing } = contentsOf(manifest)
  return subject === 'all' ? only === undefined && missing.length === 0 : there.includes(subject)
}

function contentsOf(text: string): Record<'subjects' | 'missing' | 'there', string[]> {
  try {
    const manifest = parseManifest(text)
    const subjects = manifest.parts.filter((part) => subjectOf(part) !== undefined).map(partName)
    return { subjects, missing: missingParts(manifest), there: manifest.parts.map(partName) }
  } catch {
    // An invalid backup does not count; its download says what is wrong.
    return { subjects: [], missing: [], there: [] }
  }
}
