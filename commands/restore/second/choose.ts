import {
  type ArchivedBase,
  type ArchivedSegment,
  type ArchiveFile,
  nextSegment,
} from '../../../roles/backups/continuous/names.ts'

/** What a moment is restored from. */
export interface ChosenArchive {
  readonly base: ArchivedBase
  /** In order, from the first that the base needs to one with all that was committed until after the moment, where there is one. */
  readonly segments: readonly ArchivedSegment[]
}

/** From when to when any moment can be restored, in milliseconds since 1970. */
export interface Reach {
  readonly from: number
  readonly until: number
}

/** Clocks may step: so much later than the moment the last segment must reach, in milliseconds. */
const margin = 60_000

/**
 * The base and the segments for a moment; where there are none, why, with what is possible. `through`: all that was committed until then
 * is in the newest segments, as the host says.
 */
export function chooseArchive(
  files: readonly ArchiveFile[],
  time: number,
  { now, through = 0 }: { readonly now: number; readonly through?: number | undefined },
): ChosenArchive | string {
  const runs = runsOf(files, through)
  const found = runs.findLast(({ base, until }) => base.time <= time && time <= until)
  if (found !== undefined) {
    const { base, segments } = found
    const enough = segments.findIndex((segment) => segment.segment >= base.last && segment.time > time + margin)
    return { base, segments: enough < 0 ? segments : segments.slice(0, enough + 1) }
  }
  const reaches = reachesOf(runs)
  const [first] = reaches
  const possible =
    first === undefined
      ? 'no moment is possible: there is no base yet'
      : `possible is ${reaches.map(shownReach).join(', and ')}`
  if (time > now) return `is in the future: ${possible}`
  if (first === undefined || time < first.from) return `is before the first base: ${possible}`
  const last = reaches.at(-1)
  return last !== undefined && time > last.until
    ? `is after the end of the archive: ${possible}`
    : `is in a gap of the archive: ${possible}`
}

/** The newest moment that an archive reaches; undefined where it has no base. */
export function newestMoment(files: readonly ArchiveFile[], through = 0): number | undefined {
  return reachesOf(runsOf(files, through)).at(-1)?.until
}

interface Run extends ChosenArchive {
  readonly until: number
}

/** Each base with the segments that follow on each other from its first, the oldest first; those that are not complete are left out. */
function runsOf(files: readonly ArchiveFile[], through: number): Run[] {
  const chains = Map.groupBy(files, ({ chain }) => chain)
  const newest = [...chains.keys()].sort().at(-1)
  const bases = files
    .flatMap((file) => (file.kind === 'base' ? [file] : []))
    .sort((one, other) => one.time - other.time)
  return bases.flatMap((base) => {
    const segments = new Map(
      (chains.get(base.chain) ?? []).flatMap((file) => (file.kind === 'wal' ? [[file.segment, file] as const] : [])),
    )
    const run: ArchivedSegment[] = []
    for (let name = base.segment; ; name = nextSegment(name)) {
      const segment = segments.get(name)
      if (segment === undefined) break
      run.push(segment)
    }
    const [last, end] = [run.at(-1), [...segments.keys()].sort().at(-1)]
    if (last === undefined || last.segment < base.last) return []
    const isWhole = base.chain === newest && last.segment === end
    const until = isWhole ? Math.max(last.time, through) : last.time
    return until < base.time ? [] : [{ base, segments: run, until }]
  })
}

/** Without those that are within another. */
function reachesOf(runs: readonly Run[]): Reach[] {
  const reaches: Reach[] = []
  for (const { base, until } of runs) {
    const last = reaches.at(-1)
    if (last !== undefined && base.time <= last.until)
      reaches[reaches.length - 1] = { from: last.from, until: Math.max(last.until, until) }
    else reaches.push({ from: base.time, until })
  }
  return reaches
}

function shownReach({ from, until }: Reach): string {
  const shown = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`
  return `${shown(from)} to ${shown(until)}`
}
