import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { asOwner } from '../../../lib/platform/as-owner.ts'
import { incoming } from '../../../lib/platform/leftovers.ts'
import { lines, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { botFolders } from '../spec/layout.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { dataFolder, dataOf, folderName } from './layout.ts'

/** By the name of each folder of a bot's data: the number of its owner. Undefined where the bot has none. */
export type DataState = Readonly<Record<string, number>> | undefined

export function dataState(bot: string): Reading<DataState> {
  return reading(kind, bot)
}

/**
 * The lasting folders of a bot: those that a release adds are made with what its image has there, as Docker makes a volume.
 * One that the release before had is never made anew: its data is lost, which only the operator can decide on.
 */
export function dataFolders(bot: string, user: string, target: Spec | undefined): Resource {
  const reads = { there: dataState(bot), current: currentRelease(bot) }
  return {
    ...resource({
      id: `data:${bot}`,
      wants: { user, data: target?.data ?? [] },
      reads,
      plan: ({ there = {}, current }) => {
        const release = parseRelease(current)
        const lost = lostData(release, there)
        if (target !== undefined && lost.some((path) => target.data?.includes(path)))
          throw new HostError(lostMessage(bot, lost))
        const wanted = (target ?? release?.spec)?.data ?? []
        const made = target === undefined ? [] : wanted.filter((path) => !(folderName(path) in there))
        const foreign = wanted.filter((path) => (there[folderName(path)] ?? Number(user)) !== Number(user))
        if (made.length + foreign.length === 0) return []
        const after = Object.fromEntries(wanted.filter((path) => !lost.includes(path)).map(ownedFolder))
        return [
          {
            summary: [
              ...made.map((path) => `create ${path}`),
              ...foreign.map((path) => `owner of ${path} → ${user}`),
            ].join(', '),
            script: foldersScript(bot, user, target?.image ?? '', made, foreign),
            long: true,
            predicts: [becomes(reads.there, { ...there, ...after })],
          },
        ]
      },
    }),
    ...(target === undefined && {
      fault: (read) => {
        const lost = lostData(parseRelease(read(reads.current)), read(reads.there))
        return lost.length === 0 ? undefined : lostMessage(bot, lost)
      },
    }),
  }

  function ownedFolder(path: string): [string, number] {
    return [folderName(path), Number(user)]
  }
}

/** The paths of data that the serving release has written to and that are gone from the host. */
export function lostData(current: Release | undefined, there: DataState = {}): string[] {
  return (current?.spec.data ?? []).filter((path) => !(folderName(path) in there))
}

function lostMessage(bot: string, lost: readonly string[]): string {
  const folders = lost.map((path) => dataFolder(bot, path)).join(', ')
  return `the data of ${bot} is gone: ${folders}; nothing was changed; move it back, bring it from a backup (npx zx playbooks/restore.ts --name ${bot} --identity FILE), or begin with none: mkdir ${lost.map((path) => dataFolder(bot, path)).join(' ')}`
}

const seed = shellFile(new URL('seed.sh', import.meta.url))

function foldersScript(bot: string, user: string, image: string, made: readonly string[], foreign: readonly string[]) {
  const { all, current } = dataOf(bot)
  return sh`
    ${asOwner}
    ${seed}
    stage=${`${incoming}/data-${bot}`} user=${user}
    (umask 077; mkdir -p ${incoming} ${all} ${current})
    chown ${`${user}:${user}`} ${current}
    ${lines(made.map((path) => sh`seed_data ${image} ${path} ${dataFolder(bot, path)}`))}
    ${lines(foreign.map((path) => sh`chown -R -h ${`${user}:${user}`} ${dataFolder(bot, path)}`))}`
}

const kind: Kind<DataState> = {
  name: 'data',
  // No process where no bot has data.
  script: () => sh`
    [ ! -d ${botFolders.data} ] || stat --format 'folder %u %n' -- ${botFolders.data}/*/current/*/ 2>/dev/null || :`,
  parse: (output, bots) => {
    const found = [...output.matchAll(/^folder (\d+) .*\/([^/]+)\/current\/([^/]+)\/?$/gm)]
    return new Map(
      bots.map((bot) => {
        const own = found.filter(([, , each]) => each === bot)
        return [
          bot,
          own.length === 0 ? undefined : Object.fromEntries(own.map(([, user, , name]) => [name, Number(user)])),
        ]
      }),
    )
  },
}
