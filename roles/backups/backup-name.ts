/** A backup by its folder's name: when it was taken, and the one database that it holds if it is not whole. */
export interface Name {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** Undefined: all of the host. */
  readonly only: string | undefined
}

/** Undefined for what is no backup's name. */
export function parseName(name: string): Name | undefined {
  const [, date, hour, minute, second, only] =
    /^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-([A-Za-z0-9_]+))?$/.exec(name) ?? []
  const time = Date.parse(`${date}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : { name, time, only }
}

/** A time as it begins a backup's name. */
export function stampOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(':', '')}Z`
}

/** `26 h`, `3 days`: as exact as one needs it. */
export function shownAge(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000)
  if (minutes < 0) return `${shownAge(-milliseconds)} from the future`
  if (minutes < 100) return `${minutes} min`
  return minutes < 72 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}

export function shownBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

export function newestFirst(one: Name, other: Name): number {
  return other.time - one.time || (one.name < other.name ? -1 : 1)
}
