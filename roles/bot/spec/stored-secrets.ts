import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { botFolders } from './layout.ts'
import type { Release } from './release-record.ts'

/** By the name of each secret that the host keeps for a bot: when it was written, in milliseconds since 1970. */
export type StoredSecrets = Readonly<Record<string, number>>

/** What the host makes itself. A container reads them once, at its start. */
export const hostMade = ['webhook-secret', 'database-password']

export function keptSecrets(bot: string): Reading<StoredSecrets> {
  return reading(storedSecretsKind, bot)
}

/** What only its operator can give: without it no container of the release can be started. */
export function lostSecrets({ spec }: Release, there: StoredSecrets): string[] {
  return ['token', ...spec.secrets].filter((name) => there[name] === undefined)
}

const storedSecretsKind: Kind<StoredSecrets> = {
  name: 'kept-secrets',
  // A time to come is that of a clock that was wrong then: it says nothing.
  script: () => sh`
    find ${botFolders.secrets} -mindepth 2 -maxdepth 2 -type f -size +0 \( -newermt now -printf '%P 0\n' -o -printf '%P %T@\n' \) 2>/dev/null | sort`,
  parse: (output, names) => {
    const lines = [...output.matchAll(/^(.+)\/(.+) ([\d.]+)$/gm)]
    const of = (bot: string) => lines.filter(([, each]) => each === bot)
    return new Map(
      names.map((bot) => [bot, Object.fromEntries(of(bot).map(([, , name, time]) => [name, Number(time) * 1000]))]),
    )
  },
}
