/** A file of an archive, as its name says. */
export type ArchiveFile = ArchivedSegment | ArchivedBase

interface Placed {
  /** `CHAIN/NAME`. */
  readonly path: string
  /** What it belongs to: segments of one chain follow on each other. It is named after the time when it began. */
  readonly chain: string
  /**
   * In milliseconds since 1970. Of a segment: all that was committed until then is in it or before it. Of a base: when it was complete,
   * so what it holds was committed before.
   */
  readonly time: number
}

/** 16 MiB of WAL, compressed. */
export interface ArchivedSegment extends Placed {
  readonly kind: 'wal'
  readonly segment: string
}

/** A copy of the cluster. */
export interface ArchivedBase extends Placed {
  readonly kind: 'base'
  /** The first segment that it needs, and the last one: with less it is no cluster. */
  readonly segment: string
  readonly last: string
}

const pattern =
  /^(\d{8}T\d{6}Z)\/(?:wal-([0-9A-F]{24})-(\d{8}T\d{6}Z)\.gz|base-(\d{8}T\d{6}Z)-([0-9A-F]{24})-([0-9A-F]{24})\.tar\.gz)\.age$/

/** Undefined where the path is not that of a file of an archive. Strict, since it comes from a host and becomes a path here. */
export function parseArchivePath(path: string): ArchiveFile | undefined {
  const [, chain = '', walSegment, walTime, baseTime, segment = '', last = ''] = pattern.exec(path) ?? []
  const time = parseArchiveTime(walTime ?? baseTime ?? '')
  if (time === undefined || parseArchiveTime(chain) === undefined) return undefined
  if (walSegment !== undefined) return { kind: 'wal', path, chain, time, segment: walSegment }
  return { kind: 'base', path, chain, time, segment, last }
}

/** `20261126T130500Z` in milliseconds since 1970. */
export function parseArchiveTime(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : time
}

/** The segment that follows on one. */
export function nextSegment(segment: string): string {
  const [low, high] = [Number.parseInt(segment.slice(16), 16) + 1, Number.parseInt(segment.slice(8, 16), 16)]
  const carried = low < 256 ? [high, low] : [high + 1, 0]
  return segment.slice(0, 8) + carried.map((each) => each.toString(16).toUpperCase().padStart(8, '0')).join('')
}
