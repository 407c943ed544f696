import { notice } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, reading } from '../../lib/model/reading.ts'
import type { Outputs, Resource } from '../../lib/model/resource.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { sh } from '../../lib/shell/sh.ts'
import { currentRecords } from './spec/layout.ts'
import { currentRelease, parseRelease, tornBecause } from './spec/release-record.ts'
import { keptSecrets, lostSecrets } from './spec/stored-secrets.ts'

/** What a run tells at its end: which release of each bot serves, what is not deployed yet, and whom nobody knows. */
export function whatRuns(bots: readonly BotEntry[]): Resource {
  const names = bots.map(({ name }) => name)
  return notice({
    id: 'bots:told',
    wants: names,
    reads: { there: reading(releases, 'bots') },
    outputs: ({ there }) => {
      const waiting = names.filter((name) => there[name] === undefined)
      const unknown = Object.keys(there).filter((name) => !names.includes(name))
      const serving = names.flatMap((name) => (there[name] === undefined ? [] : `${name} ${there[name]}`))
      return {
        ...(serving.length > 0 && { bots: serving }),
        ...(waiting.length > 0 && {
          notDeployed: waiting.map((name) => `${name} (npx zx playbooks/bot.ts --name ${name})`),
        }),
        ...(unknown.length > 0 && {
          unknownBots: unknown.map((name) => `${name}, which the inventory does not have`),
        }),
      }
    },
  })
}

/** What a run tells at its end: the bot is left as it runs until somebody brings its secrets back. */
export function lost(bot: string): Resource {
  return notice({
    id: `secrets:${bot}`,
    reads: { current: currentRelease(bot), there: keptSecrets(bot) },
    outputs: ({ current, there }): Outputs => {
      const release = parseRelease(current)
      const names = release === undefined ? [] : lostSecrets(release, there)
      if (names.length === 0) return {}
      return { [`${bot} has lost`]: `${names.join(', ')}: npx zx playbooks/bot.ts --name ${bot} brings them back` }
    },
  })
}

/** By bot: its release and how it gets its updates, or what is wrong with what is known of it. */
const releases: Kind<Readonly<Record<string, string>>> = {
  name: 'releases',
  volatile: true,
  script: () => sh`
    for file in ${currentRecords}; do
      [ ! -e "$file" ] || { printf '%s ' "$(basename "$(dirname "$file")")"; base64 --wrap=0 "$file"; echo; }
    done`,
  parse: oneValue((output) => {
    const found = output.split('\n').flatMap((line) => {
      const [, bot, text] = /^(\S+) (\S*)$/.exec(line) ?? []
      if (bot === undefined || text === undefined) return []
      const record = Buffer.from(text, 'base64').toString()
      const release = parseRelease(record)
      const what = release
        ? `${release.id}, ${release.spec.mode}`
        : `its current.json cannot be read: ${tornBecause(record)}`
      return [[bot, what] as const]
    })
    return Object.fromEntries(found)
  }),
}
