import { asOwner } from '../../../lib/platform/as-owner.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { performBoth } from '../../../lib/ssh/perform.ts'
import { relay } from '../../../lib/ssh/relay.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { cacheLayout } from '../../../roles/bot/cache/layout.ts'
import { dataOf } from '../../../roles/bot/data/layout.ts'
import type { Route } from '../route.ts'
import { isSent } from '../sending.ts'

const part = (name: string) => shellFile(new URL(`${name}.sh`, import.meta.url))
const [pack, unpack, allFiles] = [part('pack'), part('unpack'), part('all-files')]

/** The lasting files of a bot: its data, or those of its cache. */
export type FilesKind = 'data' | 'cache'

export function folderOf(bot: string, kind: FilesKind): string {
  return kind === 'data' ? dataOf(bot).current : cacheLayout(bot).data
}

/**
 * Copies the files as they stand, while the bot writes to them; or the `rest`: what has changed since, and what is gone, so that both
 * are the same. Returns how many bytes went over.
 */
export function copyFiles(
  { from, to }: Route,
  bot: string,
  kind: FilesKind,
  { rest, progress = () => {} }: { rest: boolean; progress?: (bytes: number) => void },
): Promise<number> {
  return relay(
    { target: from, relayed: packScript(bot, kind, rest) },
    { target: to, relayed: unpackScript(bot, kind) },
    progress,
  )
}

/** Shell text: a function `relayed` that prints an archive. */
export function packScript(bot: string, kind: FilesKind, rest: boolean): Script {
  return sh`
    ${inFolder(bot, kind)}
    marks=/run/botgarden-move-${bot}-${kind}/marks rest=${rest ? 'yes' : 'no'}
    ${pack}`
}

/** Shell text: a function `relayed` that unpacks one. */
export function unpackScript(bot: string, kind: FilesKind): Script {
  return sh`
    ${isSent(bot)}
    ${inFolder(bot, kind)}
    ${unpack}`
}

/** Throws a `HostError` with what differs, unless both hosts have the same files, by checksum. Returns how many there are. */
export async function compareFiles(here: Connection, there: Connection, bot: string, kind: FilesKind): Promise<number> {
  const script = allFilesScript(bot, kind)
  const [before, after] = await performBoth(here, there, script)
  if (before !== after)
    throw new HostError(`the ${kind} of ${bot} is not the same on both hosts:\n${difference(before, after)}`)
  return before.split('\n').filter((line) => line.startsWith('f ')).length
}

export function allFilesScript(bot: string, kind: FilesKind): Script {
  return sh`
    ${inFolder(bot, kind)}
    ${allFiles}`
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
    folder=${folderOf(bot, kind)}
    ${asOwner}`
}

/** The first lines that only one of two texts has. */
export function difference(before: string, after: string): string {
  const [one, other] = [before, after].map((text) => new Set(text.split('\n')))
  const only = (lines: Set<string> | undefined, others: Set<string> | undefined, sign: string) =>
    [...(lines ?? [])].filter((line) => !others?.has(line)).map((line) => `${sign}${line}`)
  return [...only(one, other, '-'), ...only(other, one, '+')].slice(0, 20).join('\n')
}
