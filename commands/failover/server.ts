import { psql } from '../../lib/platform/postgres-client.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError } from '../../lib/std/errors.ts'

/** What a server that follows another one has of it. */
export interface Replica {
  /** It follows still; a primary does not. */
  readonly follows: boolean
  /** Up to where WAL has arrived, and was replayed: bytes since the cluster was made. */
  readonly received: number
  readonly replayed: number
  /** When the last change was committed that was replayed, and when the primary was last heard of: milliseconds since 1970. */
  readonly lastCommit: number | undefined
  readonly lastHeard: number | undefined
}

const query = `select pg_is_in_recovery(), coalesce(pg_last_wal_receive_lsn(), '0/0') - '0/0', coalesce(pg_last_wal_replay_lsn(), '0/0') - '0/0',
  extract(epoch from pg_last_xact_replay_timestamp()) * 1000, (select extract(epoch from last_msg_receipt_time) * 1000 from pg_stat_wal_receiver)`

export async function replicaOn(connection: Connection): Promise<Replica> {
  return parseReplica(await perform(connection, replicaScript))
}

export const replicaScript: Script = sh`printf '%s\n' ${query} | ${psql()}`

export function parseReplica(told: string): Replica {
  const [, follows, received, replayed, commit, heard] =
    /^([tf])\|(-?\d+)\|(-?\d+)\|(\d+(?:\.\d+)?)?\|(\d+(?:\.\d+)?)?$/m.exec(told) ?? []
  if (follows === undefined) throw new HostError(`the server does not tell what it has: ${told.trim().slice(0, 300)}`)
  const time = (text: string | undefined) => (text === undefined ? undefined : Math.floor(Number(text)))
  return {
    follows: follows === 't',
    ...{ received: Number(received), replayed: Number(replayed) },
    ...{ lastCommit: time(commit), lastHeard: time(heard) },
  }
}

/** `0/3000060` as bytes. */
export function bytesOfLsn(text: string): number | undefined {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/.exec(text) ?? []
  return high === undefined || low === undefined
    ? undefined
    : Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)
}
