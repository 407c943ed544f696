import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { localFault } from '../../lib/shell/local.ts'
import { ConnectError, RunnerError, UsageError } from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { partName } from '../../roles/backups/manifest.ts'
import type { RunStatus } from '../../roles/backups/run-status.ts'
import { alertHere } from './alert.ts'
import { syncArchive } from './archive/sync.ts'
import { archiveSettings, refuseUnencrypted, settingsFor } from './host-settings.ts'
import { copiesOf } from './local-copies.ts'
import { takeBackup } from './remote.ts'
import { type BackupResult, printResults } from './report.ts'
import { pushOffsite } from './restic.ts'
import { syncCopies } from './sync.ts'

/** Takes a backup of each host now, downloads and verifies it, and removes expired ones. Returns the exit code. */
export async function backUp(session: Session): Promise<number> {
  const only = session.options.own.get('name')?.[0]
  const hosts = hostsWith(session, only)
  refuseUnencrypted(hosts)
  const results = await mapConcurrent(session.options.forks, hosts, (host) => backUpHost(session, host, only))
  await Promise.all(results.map((result, i) => alertHere(result, settingsFor(hosts[i]))))
  return printResults('backup', results, session)
}

/** The hosts of a bot. For a database of no bot there must be only one host. */
function hostsWith({ hosts }: Session, name: string | undefined): readonly InventoryHost[] {
  if (name === undefined) return hosts
  const having = hosts.filter(({ bots }) => bots.some((bot) => bot.name === name))
  if (having.length > 0) return having
  if (hosts.length > 1)
    throw new UsageError(
      `--name ${name}: no host of the inventory has that bot; for another database select its host with --limit`,
    )
  return hosts
}

async function backUpHost(session: Session, host: InventoryHost, only: string | undefined): Promise<BackupResult> {
  const settings = settingsFor(host)
  const missing: string[] = []
  const result: BackupResult = { host: host.name, faults: [], warnings: [], missing, facts: {}, exitCode: 0 }
  try {
    const copies = copiesOf(host.name, settings.local)
    // Another run must not go on with a download of this one.
    await withLock(join(copies.folder, '.lock'), session.options.wait ? 7200 : 0, async () => {
      await takeAndDownload(session, host, only, result)
      if (settings.offsite && result.faults.length === 0) await pushOffsite(copies.folder, host.name, settings.offsite)
    })
  } catch (failure) {
    const error = localFault(failure)
    if (!(error instanceof RunnerError)) throw error
    result.faults.push(error.message)
    result.exitCode = error.exitCode
  }
  if (result.faults.length + missing.length + result.warnings.length > 0 && result.exitCode === 0) result.exitCode = 3
  return result
}

/** Takes a backup and downloads it. A lost connection is retried twice, and the download goes on. */
async function takeAndDownload(session: Session, host: InventoryHost, only: string | undefined, result: BackupResult) {
  let taken: RunStatus | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      return await session.connected(host, async (connection) => {
        taken ??= await takeNow(session, host, connection, only, result)
        const say = (line: string) => session.report.line(`${host.name}  ${line}`)
        await syncCopies(connection, settingsFor(host), result, say)
        const archived = archiveSettings(host, session.inventory.hosts)
        if (only === undefined) await syncArchive(connection, archived, result, say)
      })
    } catch (error) {
      if (!(error instanceof ConnectError) || taken === undefined || attempt === 3) throw error
      session.report.line(`${error.message}; retrying in 5 s`)
      await pause(5000)
    }
  }
}

async function takeNow(
  { report }: Session,
  { name }: InventoryHost,
  connection: Parameters<typeof takeBackup>[0],
  only: string | undefined,
  result: BackupResult,
): Promise<RunStatus> {
  report.line(`${name}  ▸ taking a backup${only === undefined ? '' : ` of ${only}`}`)
  const status = await takeBackup(connection, only?.replaceAll('-', '_'))
  if (status.result === 'failed') result.faults.push(`no backup was taken: ${status.reason}`)
  else {
    const { name: taken, bytes } = status.taken ?? { name: status.lastGood, bytes: status.bytes }
    Object.assign(result.facts, { taken, bytes, seconds: status.seconds })
    result.missing?.push(...status.failed.map((lost) => `${partName(lost)} is not in ${taken}: ${lost.reason}`))
  }
  result.warnings.push(...status.warnings)
  return status
}
