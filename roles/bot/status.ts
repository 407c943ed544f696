import { notice } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, reading } from '../../lib/model/reading.ts'
import type { Outputs, Resource } from '../../lib/model/resource.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { sh } from '../../lib/shell/sh.ts'
import { currentRecords } from './spec/layout.ts'
import { corruption, currentRelease, parseRelease } from './spec/release-record.ts'
import { missingSecrets, storedSecrets } from './spec/stored-secrets.ts'

/** Outputs of a run: the serving release of each bot, bots that are not deployed, and bots that are not in the inventory. */
export function botStatus(bots: readonly BotEntry[]): Resource {
  const names = bots.map(({ name }) => name)
  return notice({
    id: 'bots:told',
    wants: names,
    reads: { there: reading(servingReleases, 'bots') },
    outputs: ({ there }) => {
      const waiting = names.filter((name) => there[name] === undefined)
      const unknown = Object.keys(there).filter((name) => !names.includes(name))
      const serving = names.flatMap((name) => (there[name] === undefined ? [] : `${name} ${there[name]}`))
      return {
        ...(serving.length > 0 && { bots: serving }),
        ...(waiting.length > 0 && {
          notDeployed: waiting.map((name) => `${name} (npx zx playbooks/bot.ts --name ${name})`),
        }),
        ...(unknown.length > 0 && { unknownBots: unknown.map((name) => `${name}, which is not in the inventory`) }),
      }
    },
  })
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

/** By bot: the id and mode of its release, or why its record cannot be read. */
const servingReleases: Kind<Readonly<Record<string, string>>> = {
  name: 'releases',
  volatile: true,
  // One process for all bots. First the names alone, since an empty record has no lines.
  script: () => sh`
    for file in ${currentRecords}; do
      [ ! -e "$file" ] || printf '%s:\n' "$file"
    done
    grep -aH '' ${currentRecords} 2>/dev/null`,
  parse: oneValue((output) => {
    const lines = output.split('\n').flatMap((line) => {
      const [, bot, text] = /^[^:]*\/([^/:]+)\/current\.json:(.*)$/s.exec(line) ?? []
      return bot === undefined || text === undefined ? [] : [{ bot, text }]
    })
    const found = [...Map.groupBy(lines, ({ bot }) => bot)].map(([bot, [, ...rows]]) => {
      const record = rows.map(({ text }) => text).join('\n')
      const release = parseRelease(record)
      const what = release
        ? `${release.id}, ${release.spec.mode}`
        : `its current.json cannot be read: ${corruption(record)}`
      return [bot, what] as const
    })
    return Object.fromEntries(found)
  }),
}
