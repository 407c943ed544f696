import type { BackupPart, LastingPart } from '../../roles/backups/manifest.ts'

/** How one database of a backup is restored. */
export interface RestoreTask {
  readonly database: string
  /** Whether it is the database of a bot of the inventory. */
  readonly ofBot: boolean
  /** The name of the restored database; undefined for a drill in a temporary server. */
  readonly target: string | undefined
  /** The bot that is stopped while the databases are swapped. */
  readonly bot: string | undefined
}

/** How the lasting files of one bot, or of its cache, are restored. */
export interface DataTask {
  readonly bot: string
  readonly kind: LastingPart['kind']
  /** Unpacked and compared beside the bot's own, and then removed. */
  readonly drill: boolean
  /** Its database comes next: the bot stays stopped until then. */
  readonly beforeDatabase?: boolean
}

export type DatabasePart = Extract<BackupPart, { kind: 'database' }>
export type DataPart = LastingPart
