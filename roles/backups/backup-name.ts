import { durationText } from '../../lib/std/duration.ts'

/** The name of a backup's folder, `2026-11-24T031700Z` or `2026-11-24T031700Z-DATABASE`, and what it says. */
export interface BackupName {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** The one database in it; undefined for a backup of the whole host. */
  readonly only: string | undefined
}

/** Undefined where the text is not the name of a backup. */
export function parseBackupName(name: string): BackupName | undefined {
  const [, date, hour, minute, second, only] =
    /^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-([A-Za-z0-9_]+))?$/.exec(name) ?? []
  const time = Date.parse(`${date}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : { name, time, only }
}

/** The time at the beginning of a backup's name: `2026-11-24T031700Z`. */
export function timestampOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(':', '')}Z`
}

/** An age for people: `95 min`, `26 h`, `3 days`. */
export function formatAge(milliseconds: number): string {
  const isAhead = Math.round(milliseconds / 60_000) < 0
  return isAhead ? `${durationText(-milliseconds)} from the future` : durationText(milliseconds)
}

export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

export function newestFirst(one: BackupName, other: BackupName): number {
  return other.time - one.time || (one.name < other.name ? -1 : 1)
}
