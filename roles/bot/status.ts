import { notice } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Outputs, Resource } from '../../lib/model/resource.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { sh } from '../../lib/shell/sh.ts'
import { currentRecords } from './spec/layout.ts'
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
    reads: [deployedBots, ...names.map(currentRelease)],
    outputs: (read) => {
      const waiting = names.filter((name) => read(currentRelease(name)) === undefined)
      const unknown = read(deployedBots).filter((name) => known.every((each) => each.name !== name))
      const serving = names.filter((name) => !waiting.includes(name))
      return {
        ...(serving.length > 0 && { bots: serving.map((name) => `${name} ${releaseOf(read(currentRelease(name)))}`) }),
        ...(waiting.length > 0 && {
          notDeployed: waiting.map((name) => `${name} (npx zx playbooks/bot.ts --name ${name})`),
        }),
        ...(unknown.length > 0 && { unknownBots: unknown.map((name) => `${name}, which is not in the inventory`) }),
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

/** The bots that have a record of their release. */
export const deployedBots: Reading<readonly string[]> = reading(
  {
    name: 'releases',
    volatile: true,
    script: () => sh`
      for file in ${currentRecords}; do
        [ -e "$file" ] || continue
        folder=\${file%/*}
        echo "\${folder##*/}"
      done`,
    parse: oneValue((output) => output.split('\n').filter(Boolean)),
  } satisfies Kind<readonly string[]>,
  'bots',
)
