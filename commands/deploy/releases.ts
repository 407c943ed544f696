import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { RunnerError, UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { imagesIn } from '../../roles/bot/spec/processes.ts'
import { corruption, parseRelease, parseReleases, type Release } from '../../roles/bot/spec/release-record.ts'

/** A release of the history, whether it serves, and whether the host still has its images and the copy of its data. */
export interface ReleaseHistoryEntry extends Release {
  readonly serving: boolean
  readonly hasImage: boolean
  readonly hasCopy?: boolean
}

/** All releases of a bot on a host, the newest first. Invalid records are left out, and reported by `say`. */
export async function history(
  bot: string,
  connection: Connection,
  say: (line: string) => void = () => {},
): Promise<readonly ReleaseHistoryEntry[]> {
  const { state, current } = layoutOf(bot)
  const files = [`${state}/releases`, current]
  const output = await ask(connection, sh`for file in ${files}; do base64 --wrap=0 "$file" 2>/dev/null; echo; done`)
  const [past = '', now = ''] = output.split('\n').map((each) => Buffer.from(each, 'base64').toString())
  const { releases, corruptLines: torn } = parseReleases(past)
  if (torn > 0) say(`${state}/releases: ${torn} ${torn === 1 ? 'line is' : 'lines are'} not valid and left out`)
  const reason = now === '' && releases.length === 0 ? undefined : corruption(now)
  if (reason !== undefined) say(`${current}: ${reason}: assuming that the newest release is the one that serves`)
  const serving = reason === undefined ? parseRelease(now || undefined) : releases.at(-1)
  const names = [...new Set(releases.flatMap(({ spec }) => imagesIn(spec)))]
  const copies = releases.flatMap(({ copy }) => copy ?? [])
  const there = await ask(
    connection,
    sh`for name in ${names}; do docker image inspect -- "$name" >/dev/null 2>&1 && echo "$name"; done
      for copy in ${copies}; do [ ! -d "$copy" ] || echo "$copy"; done`,
  )
  const found = new Set(there.split('\n'))
  return releases
    .map((each) => ({
      ...each,
      serving: each.id === serving?.id,
      hasImage: imagesIn(each.spec).every((image) => found.has(image)),
      hasCopy: each.copy !== undefined && found.has(each.copy),
    }))
    .reverse()
}

/** The id of the release that serves on a host, for what comes after it; undefined where the host cannot say. */
export async function servingRelease(
  { connected }: Session,
  host: InventoryHost,
  bot: string,
): Promise<string | undefined> {
  try {
    const { current } = layoutOf(bot)
    const record = await connected(host, (c) => ask(c, sh`cat ${current} 2>/dev/null`), { quiet: true })
    return parseRelease(record || undefined)?.id
  } catch (error) {
    if (error instanceof RunnerError) return undefined
    throw error
  }
}

/** The release to roll back to: the one with this id, else the last one with another image. Throws a `UsageError`. */
export function selectRelease(
  bot: string,
  past: readonly ReleaseHistoryEntry[],
  id: string | undefined,
): ReleaseHistoryEntry {
  if (past.length === 0) throw new UsageError(`${bot} was never released on this host`)
  const serving = past.find((release) => release.serving)
  const found =
    id === undefined
      ? past
          .slice(serving === undefined ? 0 : past.indexOf(serving) + 1)
          .find((release) => serving === undefined || imagesOf(release) !== imagesOf(serving))
      : past.find((release) => release.id === id)
  if (found === undefined)
    throw new UsageError(
      id === undefined
        ? `${bot} has no earlier version to go back to`
        : `${bot} has no release "${id}"${suggest(
            id,
            past.map((each) => each.id),
          )}: see --releases`,
    )
  if (!found.hasImage)
    throw new UsageError(`the image of ${found.id} is no longer on the host: deploy that version again`)
  return found
}

function imagesOf({ spec }: Release): string {
  return imagesIn(spec).join(' ')
}

/** A warning where migrations have changed the database since the target, with the dump from before them; else undefined. */
export function migrationWarning(
  past: readonly ReleaseHistoryEntry[],
  target: ReleaseHistoryEntry,
): string | undefined {
  const serving = past.find((release) => release.serving)
  if (serving === undefined || serving.spec.migrations === target.spec.migrations) return undefined
  const dump = past.slice(0, past.indexOf(target)).findLast((release) => release.dump !== undefined)?.dump
  const where = dump === undefined ? '' : `; a dump from before them is on the host in ${dump}`
  return `the migrations have changed since ${target.id}, and the database is not rolled back${where}`
}

/** A warning that the data stays as it is, with the copy of it from before the releases since the target; undefined without data. */
export function dataWarning(past: readonly ReleaseHistoryEntry[], target: ReleaseHistoryEntry): string | undefined {
  const serving = past.find((release) => release.serving)
  const data = serving?.spec.data ?? target.spec.data ?? []
  if (data.length === 0) return undefined
  const left = past.slice(0, past.indexOf(target)).findLast(({ hasCopy }) => hasCopy)
  const where = left === undefined ? '' : `; a copy of it from before ${left.id} is on the host in ${left.copy}`
  return `the data in ${data.join(', ')} stays as it is, and is not rolled back${where}`
}

/** The history as text, one line a release. */
export function historyText(past: readonly ReleaseHistoryEntry[]): string {
  if (past.length === 0) return 'no release yet\n'
  return past
    .map(
      ({ id, serving, hasImage: there, by, commit, spec }) =>
        `${serving ? '*' : ' '} ${id}  ${spec.mode}  ${spec.image}  by ${by}${commit ? `  commit ${commit.slice(0, 12)}` : ''}${there ? '' : '  (image removed)'}\n`,
    )
    .join('')
}
