import { slotBoundMB } from '../../../lib/platform/archive/wal-archive.ts'
import { standbyBoundMB, standbyRole, standbySlot } from '../../../lib/platform/standby/names.ts'

/** Two servers, of which one follows the other. Their configuration is the same whichever does. */
export interface ServerPair {
  readonly is: 'primary' | 'standby'
  /** The name of the other host, and its address in the mesh. */
  readonly other: { readonly name: string; readonly address: string }
  /** Both need as many connections as the one that has more. */
  readonly connections: number
  /** Of the primary: whether a commit waits for the standby; undefined leaves it as it is. */
  readonly synchronous?: boolean | undefined
  /** Of the standby: what its primary said; undefined where it could not be asked. */
  readonly source?: Source | undefined
}

/** What a standby has to know of its primary. */
export interface Source {
  /** When it was asked, as ISO 8601. */
  readonly askedAt: string
  /** The number of its cluster; undefined where it is made by this run. */
  readonly cluster: string | undefined
  /** Of all its databases. */
  readonly bytes: number
  /** Whether it still keeps all that the standby needs. */
  readonly slot: 'kept' | 'lost' | 'none'
  /** Checksums of files: the superuser's password, and that of the role which replicates. */
  readonly superuser: string | undefined
  readonly password: string | undefined
  /** The records of the hosts say that it is the primary: what was one before may be replaced. */
  readonly isRecorded: boolean
}

/** What postgresql.conf says of a pair. */
export function pairSettings({ other }: ServerPair): Record<string, unknown> {
  const conninfo = {
    host: other.address,
    port: 5432,
    user: standbyRole,
    passfile: '/run/secrets/standby/pgpass',
    sslmode: 'require',
    application_name: standbySlot,
    connect_timeout: 5,
  }
  const text = Object.entries(conninfo).map(([name, value]) => `${name}=${value}`)
  return { conninfo: text.join(' '), slot: standbySlot }
}

/** What the server keeps of its WAL, and for how many; undefined where nobody replicates. */
export function walSettings({ archived, paired }: { archived: boolean; paired: boolean }) {
  if (paired)
    return {
      did: 'replicated',
      who: 'a standby, or the archiver,',
      whose: 'the end of one',
      senders: 8,
      slots: 4,
      keptMB: standbyBoundMB,
    }
  return archived
    ? { did: 'archived', who: 'the archiver', whose: 'its end', senders: 4, slots: 2, keptMB: slotBoundMB }
    : undefined
}
