import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import { majorOf } from '../../roles/postgres/cluster.ts'
import { parseReplication, type ReplicationState, tellReplication } from '../../roles/postgres/replication/state.ts'
import { serverVars } from '../../roles/postgres/server.ts'
import { type PrimaryRecord, parsePrimaryRecord, primaryRecordPath } from '../../roles/standby/primary-record.ts'

/** What a host of a pair tells. */
export interface Answer extends ReplicationState {
  readonly memoryMiB: number
  /** When it was asked, as ISO 8601. */
  readonly askedAt: string
  /** Which of the two it takes for the primary; undefined where it has no record. */
  readonly record: PrimaryRecord | undefined
}

/** Asks a host of a pair, in one round trip. */
export async function replicationState(connection: Connection, host: InventoryHost): Promise<Answer> {
  const output = await ask(connection, question(majorOf(serverVars(host).image)))
  return { ...answerOf(output), memoryMiB: connection.facts.memoryMiB, askedAt: new Date().toISOString() }
}

/** The same of a host that need not be of the run; undefined where it cannot be asked. */
export async function askServer(session: Session, host: InventoryHost): Promise<Answer | undefined> {
  try {
    return await session.connected(host, (connection) => replicationState(connection, host), { quiet: true })
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    if (!session.hosts.includes(host))
      session.report.line(`${host.name}  warning: not asked for its database server: ${error.message}`)
    return undefined
  }
}

export function question(major: number): Script {
  return sh`
    [ ! -s ${primaryRecordPath} ] || echo "record $(head -c 1000 ${primaryRecordPath} | tr -d '\n')"
    ${tellReplication(major)}`
}

export function answerOf(output: string): Omit<Answer, 'memoryMiB' | 'askedAt'> {
  const record = /^record (.*)$/m.exec(output)?.[1]
  return { ...parseReplication(output), record: record === undefined ? undefined : parsePrimaryRecord(record) }
}
