import type { Flags } from '../../lib/cli/flags.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { worstOf } from '../../lib/report/result.ts'
import { InventoryError, RunnerError, UsageError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { writeOut } from '../../lib/std/output.ts'
import { pairFaults, pairLine } from '../../roles/postgres/replication/shown.ts'
import { type Pair, pairOf } from '../mesh/pair.ts'
import { replicationState } from './ask.ts'
import { standbyFaults } from './faults.ts'
import { degrade } from './promote.ts'

export const standbyFlags: Flags = {
  degrade: { help: 'commits on these hosts wait no more for a standby, until the next site.ts that finds it there' },
}

interface Told {
  readonly host: string
  readonly line: string
  readonly faults: readonly string[]
  readonly exitCode: number
}

/** The command standby.ts. Returns the exit code: 3 where something is wrong with a pair, 4 where a host was not reached. */
export async function standby(session: Session): Promise<number> {
  const { hosts } = session.inventory
  const faults = standbyFaults(hosts)
  if (faults.length > 0) throw new InventoryError(faults.join('\n'))
  const isDegraded = session.options.own.has('degrade')
  const paired = session.hosts.flatMap((host) => {
    const pair = pairOf(host, hosts)
    return pair === undefined || (isDegraded && pair.is === 'standby') ? [] : [{ host, pair }]
  })
  if (paired.length === 0)
    throw new UsageError(
      `none of these hosts ${isDegraded ? 'has' : 'has, or is,'} a standby: set "postgres: { standby: HOST }" in ${session.inventory.file}`,
    )
  const all = await mapConcurrent(session.options.forks, paired, ({ host, pair }) =>
    told(session, host, pair, isDegraded),
  )
  session.report.close()
  writeOut(
    session.options.json
      ? JSON.stringify({
          playbook: 'standby',
          hosts: Object.fromEntries(all.map(({ host, line, faults }) => [host, { database: line, faults }])),
        })
      : all
          .flatMap(({ host, line, faults }) => [`${host}  ${line}`, ...faults.map((each) => `${host}  ✗ ${each}`)])
          .join('\n'),
  )
  return worstOf(all.map(({ exitCode }) => exitCode))
}

async function told(session: Session, host: InventoryHost, pair: Pair, isDegraded: boolean): Promise<Told> {
  const wanted = { is: pair.is, other: pair.other.host.name, synchronous: pair.synchronous && !isDegraded }
  try {
    const { server } = await session.connected(
      host,
      async (connection) => {
        if (isDegraded) await degrade(connection, host.name)
        return replicationState(connection, host)
      },
      { quiet: true },
    )
    const faults = server === undefined ? ['its server does not answer'] : pairFaults(wanted, server)
    return {
      host: host.name,
      line: pairLine(wanted, server),
      faults,
      exitCode: faults.length > 0 && !isDegraded ? 3 : 0,
    }
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    return { host: host.name, line: error.message, faults: [], exitCode: error.exitCode }
  }
}
