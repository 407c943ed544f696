import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { localFault } from '../../lib/shell/local.ts'
import { ConnectError, RunnerError, UsageError } from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { nameOf } from '../../roles/backups/manifest.ts'
import type { Status } from '../../roles/backups/run-status.ts'
import { alertHere } from './alert.ts'
import { copiesOf } from './local-copies.ts'
import { take } from './remote.ts'
import { printResults, type Result } from './report.ts'
import { pushOffsite } from './restic.ts'
import { refuseUnencrypted, settingsFor } from './settings.ts'
import { syncCopies } from './sync.ts'

/** Takes a backup of each host now, brings it here, verifies it, and keeps what is to be kept. Returns the exit code. */
export async function backUp(session: Session): Promise<number> {
  const only = session.options.own.get('name')?.[0]
  const hosts = hostsWith(session, only)
  refuseUnencrypted(hosts)
  const results = await mapConcurrent(session.options.forks, hosts, (host) => backUpHost(session, host, only))
  await Promise.all(results.map((result, i) => alertHere(result, settingsFor(hosts[i]))))
  return printResults('backup', results, session)
}

/** The one that has this bot, where some host does; a database that is no bot's needs one host. */
function hostsWith({ hosts }: Session, name: string | undefined): readonly InventoryHost[] {
  if (name === undefined) return hosts
  const having = hosts.filter(({ bots }) => bots.some((bot) => bot.name === name))
  if (having.length > 0) return having
  if (hosts.length > 1)
    throw new UsageError(`--name ${name}: no host of the inventory has that bot; --limit names a host`)
  return hosts
}

async function backUpHost(session: Session, host: InventoryHost, only: string | undefined): Promise<Result> {
  const settings = settingsFor(host)
  const missing: string[] = []
  const result: Result = { host: host.name, faults: [], warnings: [], missing, facts: {}, exitCode: 0 }
  try {
    const copies = copiesOf(host.name, settings.local)
    // A cut pull is one's own to go on with, and nobody else's.
    await withLock(join(copies.folder, '.lock'), session.options.wait ? 7200 : 0, async () => {
      await takeAndBring(session, host, only, result)
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

/** A connection that breaks on the way is made again, and goes on where it broke. */
async function takeAndBring(session: Session, host: InventoryHost, only: string | undefined, result: Result) {
  let taken: Status | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      return await session.connected(host, async (connection) => {
        taken ??= await takeNow(session, host, connection, only, result)
        await syncCopies(connection, settingsFor(host), result, (line) => session.report.line(`${host.name}  ${line}`))
      })
    } catch (error) {
      if (!(error instanceof ConnectError) || taken === undefined || attempt === 3) throw error
      session.report.line(`${error.message}; again in 5 s`)
      await pause(5000)
    }
  }
}

async function takeNow(
  { report }: Session,
  { name }: InventoryHost,
  connection: Parameters<typeof take>[0],
  only: string | undefined,
  result: Result,
): Promise<Status> {
  report.line(`${name}  ▸ taking a backup${only === undefined ? '' : ` of ${only}`}`)
  const status = await take(connection, only?.replaceAll('-', '_'))
  if (status.result === 'failed') result.faults.push(`no backup was taken: ${status.reason}`)
  else {
    const { name: taken, bytes } = status.taken ?? { name: status.lastGood, bytes: status.bytes }
    Object.assign(result.facts, { taken, bytes, seconds: status.seconds })
    result.missing?.push(...status.failed.map((lost) => `${nameOf(lost)} is not in ${taken}: ${lost.reason}`))
  }
  result.warnings.push(...status.warnings)
  return status
}
