import type { Part } from '../../roles/backups/manifest.ts'

/** What becomes of a database of a backup. */
export interface Order {
  readonly database: string
  /** It is that of a bot of the inventory. */
  readonly ofBot: boolean
  /** What it is to be called; undefined: it is only tried, in a throwaway server. */
  readonly target: string | undefined
  /** Who must not write meanwhile. */
  readonly bot: string | undefined
}

export type DatabasePart = Extract<Part, { kind: 'database' }>
