import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { placesOf } from '../../roles/bot/spec/layout.ts'
import { parseRelease, parseReleases, type Release, tornBecause } from '../../roles/bot/spec/release-record.ts'

/** A release of the past, and whether the host still has its image. */
export interface ReleaseHistoryEntry extends Release {
  readonly serving: boolean
  readonly there: boolean
}

/** All releases of a bot on a host, the newest first. What is no whole record is told, and left out. */
export async function history(
  bot: string,
  connection: Connection,
  say: (line: string) => void = () => {},
): Promise<readonly ReleaseHistoryEntry[]> {
  const { state, current } = placesOf(bot)
  const files = [`${state}/releases`, current]
  const output = await ask(connection, sh`for file in ${files}; do base64 --wrap=0 "$file" 2>/dev/null; echo; done`)
  const [past = '', now = ''] = output.split('\n').map((each) => Buffer.from(each, 'base64').toString())
  const { releases, torn } = parseReleases(past)
  if (torn > 0) say(`${state}/releases: ${torn} ${torn === 1 ? 'line is' : 'lines are'} no whole record, and left out`)
  const reason = now === '' && releases.length === 0 ? undefined : tornBecause(now)
  if (reason !== undefined) say(`${current}: ${reason}: the newest of its releases is taken for the one that serves`)
  const serving = reason === undefined ? parseRelease(now || undefined) : releases.at(-1)
  const names = [...new Set(releases.map(({ spec }) => spec.image))]
  const there = await ask(
    connection,
    sh`for name in ${names}; do docker image inspect -- "$name" >/dev/null 2>&1 && echo "$name"; done; :`,
  )
  const images = new Set(there.split('\n'))
  return releases
    .map((each) => ({ ...each, serving: each.id === serving?.id, there: images.has(each.spec.image) }))
    .reverse()
}

/** The release to go back to: the one that is named, else the last that served another version. */
export function chosen(bot: string, past: readonly ReleaseHistoryEntry[], id: string | undefined): ReleaseHistoryEntry {
  if (past.length === 0) throw new UsageError(`${bot} was never released on this host`)
  const serving = past.find((release) => release.serving)
  const found =
    id === undefined
      ? past
          .slice(serving === undefined ? 0 : past.indexOf(serving) + 1)
          .find((release) => release.spec.image !== serving?.spec.image)
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
  if (!found.there) throw new UsageError(`the image of ${found.id} is no longer on the host: deploy that version anew`)
  return found
}

/** What going back does not bring back: a database that migrations have changed since. */
export function migrationWarning(
  past: readonly ReleaseHistoryEntry[],
  target: ReleaseHistoryEntry,
): string | undefined {
  const serving = past.find((release) => release.serving)
  if (serving === undefined || serving.spec.migrations === target.spec.migrations) return undefined
  const dump = past.slice(0, past.indexOf(target)).findLast((release) => release.dump !== undefined)?.dump
  const where = dump === undefined ? '' : `; as it was before them it is on the host in ${dump}`
  return `the migrations have changed since ${target.id}, and the database stays as it is${where}`
}

/** A line a release. */
export function historyText(past: readonly ReleaseHistoryEntry[]): string {
  if (past.length === 0) return 'no release yet\n'
  return past
    .map(
      ({ id, serving, there, by, spec }) =>
        `${serving ? '*' : ' '} ${id}  ${spec.mode}  ${spec.image}  by ${by}${there ? '' : '  (image gone)'}\n`,
    )
    .join('')
}

/** The last lines of the container that serves, or of whichever there is. */
export function logsOf(bot: string): Script {
  const places = placesOf(bot)
  return sh`
    for name in ${places.container('blue')} ${places.container('green')}; do
      docker container inspect "$name" >/dev/null 2>&1 || continue
      echo "== $name"
      docker logs --tail 100 "$name" 2>&1
    done`
}
