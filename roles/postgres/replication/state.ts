import { psql } from '../../../lib/platform/postgres-client.ts'
import { standbyPassword, standbyRole, standbySlot } from '../../../lib/platform/standby/names.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { serverSecrets } from '../server.ts'
import { parseData, type ServerData, tellData } from './data.ts'

/** What a host of a pair tells of its server. */
export interface ReplicationState {
  readonly data: ServerData
  /** Checksums of files: the superuser's password, and that of the role which replicates. */
  readonly superuser: string | undefined
  readonly password: string | undefined
  /** Undefined where the server does not run or does not answer. */
  readonly server: ServerState | undefined
}

/** What a server says of itself. Positions are those of WAL: `0/3000060`. */
export interface ServerState {
  /** It follows another one, and takes no writes. */
  readonly inRecovery: boolean
  /** Of the WAL that it writes or receives; null where it receives none. */
  readonly timeline: number | null
  readonly maxConnections: number
  /** Of all databases. */
  readonly bytes: number
  /** Of a primary: where its WAL ends; null on a standby. */
  readonly position: string | null
  /** Of a standby: the last WAL that it has on its disk, and that it has replayed; null on a primary that was never one. */
  readonly received: string | null
  readonly replayed: string | null
  /** Of a standby: it is connected to its primary. */
  readonly isReceiving: boolean
  /** Of a standby that has replayed all that it has: 0; else the seconds since the last commit that it has replayed. Null on a primary. */
  readonly secondsBehind: number | null
  /** Of a primary: commits wait for the standby. */
  readonly synchronous: boolean
  /** Of a primary: the slot of its standby. `lost`: it has missed more than the bound, and must be copied again. */
  readonly slot: { readonly status: 'reserved' | 'extended' | 'unreserved' | 'lost'; readonly active: boolean } | null
  /** Of a primary: the standby that is connected; null where there is none. */
  readonly standby: StandbyState | null
}

/** How a primary sees its standby. */
export interface StandbyState {
  /** `streaming`, `catchup`, `startup`, `backup`, `stopping`. */
  readonly state: string
  /** `sync`, `async`, `potential`, `quorum`. */
  readonly sync: string
  /** Bytes of WAL that are not on its disk yet. */
  readonly bytesBehind: number
  /** Seconds from a commit here until it is on its disk, as measured last; null where nothing was written of late. */
  readonly secondsBehind: number | null
}

/** Shell text: tells it, of a server of this major version. */
export function tellReplication(major: number): Script {
  return sh`
    ${tellData(major)}
    for each in ${`${serverSecrets}/superuser`} ${standbyPassword}; do
      [ ! -s "$each" ] || echo "sum \${each##*/} $(sha256sum <"$each" | cut -c 1-64)"
    done
    printf '%s\n' ${query} | ${psql()} 2>/dev/null || :`
}

export function parseReplication(output: string): ReplicationState {
  const sum = (name: string) => new RegExp(`^sum ${name} ([0-9a-f]{64})$`, 'm').exec(output)?.[1]
  const json = /^\{"inRecovery" .*\}$/m.exec(output)?.[0]
  return {
    data: parseData(output),
    superuser: sum('superuser'),
    password: sum('password'),
    server: json === undefined ? undefined : (JSON.parse(json) as ServerState),
  }
}

// In one row. What only a primary can be asked stands behind `case`.
const query = `select json_build_object(
  'inRecovery', pg_is_in_recovery(),
  'timeline', case when pg_is_in_recovery() then (select received_tli from pg_stat_wal_receiver)
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int end,
  'maxConnections', current_setting('max_connections')::int,
  'bytes', (select sum(pg_database_size(oid))::int8 from pg_database),
  'position', case when not pg_is_in_recovery() then pg_current_wal_flush_lsn() end,
  'received', pg_last_wal_receive_lsn(),
  'replayed', pg_last_wal_replay_lsn(),
  'isReceiving', exists (select from pg_stat_wal_receiver where status = 'streaming'),
  'secondsBehind', case when not pg_is_in_recovery() then null
    when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
    -- What has just come is replayed in a moment, and the last commit may be of long ago.
    when (select pg_last_wal_replay_lsn() >= received
      from (select pg_last_wal_receive_lsn() as received, pg_sleep(1) offset 0) as before) then 0
    else round(extract(epoch from now() - pg_last_xact_replay_timestamp()), 1) end,
  'synchronous', current_setting('synchronous_standby_names') <> '',
  'slot', (select json_build_object('status', wal_status, 'active', active)
    from pg_replication_slots where slot_name = '${standbySlot}' and not pg_is_in_recovery()),
  'standby', case when not pg_is_in_recovery() then (select json_build_object('state', state, 'sync', sync_state,
      'bytesBehind', coalesce(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), flush_lsn), 0)::int8,
      'secondsBehind', round(extract(epoch from flush_lag), 3))
    from pg_stat_replication where usename = '${standbyRole}' and application_name = '${standbySlot}' order by pid desc limit 1) end);`
