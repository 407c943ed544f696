import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ConnectError, RunnerError } from '../../lib/errors.ts'
import type { Connection } from '../../lib/ssh.ts'
import { copiesOf } from './copies.ts'
import { listed } from './host.ts'
import { shownAge, shownBytes } from './names.ts'
import { pull } from './pull.ts'
import type { Result } from './results.ts'
import { retired } from './retention.ts'
import type { Settings } from './settings.ts'

/** How far two clocks may differ, in milliseconds. */
const clockTolerance = 5 * 60_000

/** Brings here what the host has, is not here yet and would be kept; then lets go what need not be kept any longer. */
export async function bring(
  connection: Connection,
  { keep, local }: Settings,
  result: Result,
  progress: (line: string) => void,
): Promise<void> {
  const copies = copiesOf(result.host, local)
  const { backups, now } = await listed(connection)
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
  const { remove } = await retired([...here, ...missing], keep, clock)
  const wanted = missing.filter(({ name }) => !remove.includes(name))
  const pulled: string[] = []
  for (const backup of wanted) {
    try {
      progress(`▸ bringing ${backup.name}`)
      const { bytes, resumed } = await pull(connection, backup, copies.incoming(backup.name))
      copies.adopt(backup.name)
      pulled.push(backup.name)
      progress(
        `✓ ${backup.name}: ${shownBytes(bytes)}${resumed > 0 ? `, after ${shownBytes(resumed)} that were here` : ''}`,
      )
    } catch (error) {
      if (!(error instanceof RunnerError) || error instanceof ConnectError) throw error
      result.faults.push(error.message)
    }
  }
  forgetUnfinished(
    copies.folder,
    wanted.map(({ name }) => name),
  )
  const retiring = result.faults.length > 0 ? [] : remove.filter((name) => here.some((copy) => copy.name === name))
  for (const name of retiring) copies.remove(name)
  const { future } = await retired(listedHere(), keep, clock)
  result.warnings.push(...future.map((name) => `${name}: from the future by this machine's clock: kept`))
  Object.assign(result.facts, { pulled, removed: retiring, folder: copies.folder, copies: copies.list().length })
}

/** What an earlier run began to bring and the host does not have any more. */
function forgetUnfinished(folder: string, wanted: readonly string[]): void {
  for (const entry of readdirSync(folder)) {
    const name = /^\.(?:incoming|removed)-(.*)$/.exec(entry)?.[1]
    if (name !== undefined && !wanted.includes(name)) rmSync(join(folder, entry), { recursive: true, force: true })
  }
}
