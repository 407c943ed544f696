import { asOwner } from '../../lib/platform/as-owner.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { type RelayEnd, relay } from '../../lib/ssh/relay.ts'
import { HostError } from '../../lib/std/errors.ts'
import { cacheLayout } from '../../roles/bot/cache/layout.ts'
import { dataOf } from '../../roles/bot/data/layout.ts'
import { perform } from './perform.ts'
import type { Route } from './route.ts'

const functions = shellFile(new URL('files.sh', import.meta.url))

/** The lasting files of a bot: its data, or those of its cache. */
export type FilesKind = 'data' | 'cache'

export function folderOf(bot: string, kind: FilesKind): string {
  return kind === 'data' ? dataOf(bot).current : cacheLayout(bot).data
}

/** Copies the files as they stand, while the bot writes to them. Returns how many bytes went over. */
export function copyFirst(route: Route, bot: string, kind: FilesKind, progress: (bytes: number) => void) {
  return copy(route, bot, kind, 'pack_first', progress)
}

/** Copies what has changed since, and deletes what is gone: afterwards both are the same. */
export function copyRest(route: Route, bot: string, kind: FilesKind) {
  return copy(route, bot, kind, 'pack_rest', () => {})
}

function copy(
  { from, to }: Route,
  bot: string,
  kind: FilesKind,
  pack: 'pack_first' | 'pack_rest',
  progress: (bytes: number) => void,
): Promise<number> {
  const end = (target: RelayEnd['target'], what: string): RelayEnd => ({
    target,
    relayed: filesScript(bot, kind, what),
  })
  return relay(end(from, pack), end(to, 'unpack'), progress)
}

/** Shell text: a function `relayed` that packs or unpacks the files. */
export function filesScript(bot: string, kind: FilesKind, what: string): Script {
  return sh`
    ${inFolder(bot, kind)}
    relayed() { ${{ text: what, shown: what }}; }`
}

/** Throws a `HostError` with what differs, unless both hosts have the same files, by checksum. Returns how many there are. */
export async function compareFiles(here: Connection, there: Connection, bot: string, kind: FilesKind): Promise<number> {
  const script = allFilesScript(bot, kind)
  const [before, after] = await Promise.all([perform(here, script), perform(there, script)])
  if (before !== after)
    throw new HostError(`the ${kind} of ${bot} is not the same on both hosts:\n${difference(before, after)}`)
  return before.split('\n').filter((line) => line.startsWith('f ')).length
}

export function allFilesScript(bot: string, kind: FilesKind): Script {
  return sh`
    ${inFolder(bot, kind)}
    all_files`
}

/** Shell text: the folder that the files are unpacked in, which belongs to the bot's user on that host. */
export function folderScript(bot: string, kind: FilesKind, user: string): Script {
  const folder = folderOf(bot, kind)
  return sh`
    (umask 077; mkdir -p ${folder})
    chown -R -h ${`${user}:${user}`} ${folder}`
}

function inFolder(bot: string, kind: FilesKind): Script {
  return sh`
    folder=${folderOf(bot, kind)} marks=/run/botgarden-move-${bot}-${kind}/marks
    ${asOwner}
    ${functions}`
}

/** The first lines that only one of two texts has. */
export function difference(before: string, after: string): string {
  const [one, other] = [before, after].map((text) => new Set(text.split('\n')))
  const only = (lines: Set<string> | undefined, others: Set<string> | undefined, sign: string) =>
    [...(lines ?? [])].filter((line) => !others?.has(line)).map((line) => `${sign}${line}`)
  return [...only(one, other, '-'), ...only(other, one, '+')].slice(0, 20).join('\n')
}
