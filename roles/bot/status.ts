import { notice } from '../../lib/model/combinators.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Outputs, Resource } from '../../lib/model/resource.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { sh } from '../../lib/shell/sh.ts'
import { botFolders, currentRecords } from './spec/layout.ts'
import { type Place, parsePlace } from './spec/place.ts'
import { corruption, currentRelease, parseRelease } from './spec/release-record.ts'
import { missingSecrets, storedSecrets } from './spec/stored-secrets.ts'

/**
 * Outputs of a run: the serving release of each of these bots, those that are not deployed, and bots of the host that are not in
 * the inventory, where it has all of `known`.
 */
export function botStatus(bots: readonly BotEntry[], known: readonly BotEntry[] = bots): Resource {
  const names = bots.map(({ name }) => name)
  return {
    ...notice({ id: 'bots:told', wants: names, reads: {}, outputs: () => ({}) }),
    reads: [deployedBots, movedBots, ...names.map(currentRelease)],
    outputs: (read) => {
      const moved = movedIn(read(movedBots))
      const isMoved = (name: string) => moved.some(({ bot }) => bot === name)
      const waiting = names.filter((name) => read(currentRelease(name)) === undefined && !isMoved(name))
      const unknown = read(deployedBots).filter((name) => known.every((each) => each.name !== name))
      const serving = names.filter((name) => !waiting.includes(name) && !isMoved(name))
      return {
        ...(serving.length > 0 && { bots: serving.map((name) => `${name} ${releaseOf(read(currentRelease(name)))}`) }),
        ...(waiting.length > 0 && {
          notDeployed: waiting.map((name) => `${name} (npx zx playbooks/bot.ts --name ${name})`),
        }),
        ...(unknown.length > 0 && { unknownBots: unknown.map((name) => `${name}, which is not in the inventory`) }),
        ...(moved.length > 0 && { movedBots: moved.map(movedText) }),
      }
    },
  }
}

/** The id and mode of a release, or why its record cannot be read. */
function releaseOf(record: string | undefined): string {
  const release = parseRelease(record)
  return release ? `${release.id}, ${release.spec.mode}` : `its current.json cannot be read: ${corruption(record)}`
}

/** Output of a run: secrets that the host has lost. The bot is left running until they are set again. */
export function missingSecretsNotice(bot: string): Resource {
  return notice({
    id: `secrets:${bot}`,
    reads: { current: currentRelease(bot), there: storedSecrets(bot) },
    outputs: ({ current, there }): Outputs => {
      const release = parseRelease(current)
      const names = release === undefined ? [] : missingSecrets(release, there)
      if (names.length === 0) return {}
      return { [`${bot} has lost`]: `${names.join(', ')}: set them again: npx zx playbooks/bot.ts --name ${bot}` }
    },
  })
}

/** What is left of a bot that was moved away. */
export function movedText({ bot, serves, from, at }: MovedBot): string {
  return `${bot}, which was moved to ${serves} at ${at}; what it had here is kept, and goes by: npx zx playbooks/bot.ts --name ${bot} --forget ${from}`
}

export interface MovedBot extends Place {
  readonly bot: string
}

const releases: Kind<readonly string[]> = {
  name: 'releases',
  // By the shell itself, for what most hosts have none of.
  script: () => sh`
      for file in ${currentRecords}; do
        [ -e "$file" ] || continue
        folder=\${file%/*}
        echo "\${folder##*/}"
      done
      for file in ${botFolders.state}/*/place.json; do
        folder=\${file%/*} line=
        { [ -e "$file" ] && [ ! -e "$folder/current.json" ]; } || continue
        { IFS= read -r line || :; } 2>/dev/null <"$file"
        printf '%s %s\n' "\${folder##*/}" "$line"
      done`,
  parse: (output) => {
    const lines = output.split('\n').filter(Boolean)
    return new Map([
      ['bots', lines.filter((line) => !line.includes(' '))],
      ['moved', lines.filter((line) => line.includes(' '))],
    ])
  },
}

/** The bots that have a record of their release. */
export const deployedBots: Reading<readonly string[]> = reading(releases, 'bots')

/** The bots that may not serve here, since they were moved away or are being moved here, each with its place as JSON. */
export const movedBots: Reading<readonly string[]> = reading(releases, 'moved')

/** What these lines say. */
export function movedIn(lines: readonly string[]): readonly MovedBot[] {
  return lines.flatMap((line) => {
    const [, bot = '', text = ''] = /^(\S+) (.*)$/.exec(line) ?? []
    const place = parsePlace(text)
    return place === undefined ? [] : [{ bot, ...place }]
  })
}
