import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { botFolders } from './layout.ts'
import type { Release } from './release-record.ts'

/** By the name of each secret that the host keeps for a bot: when it was written, in milliseconds since 1970. */
export type StoredSecrets = Readonly<Record<string, number>>

/** Names of the secrets that the host generates. A container reads them once, at its start. */
export const hostGenerated = ['webhook-secret', 'database-password', 'cache-password']

export function storedSecrets(bot: string): Reading<StoredSecrets> {
  return reading(storedSecretsKind, bot)
}

/** Names of missing secrets that only the operator can set: without them no container of the release can start. */
export function missingSecrets({ spec }: Release, there: StoredSecrets): string[] {
  return [...(spec.mode === 'none' ? [] : ['token']), ...spec.secrets].filter((name) => there[name] === undefined)
}

const storedSecretsKind: Kind<StoredSecrets> = {
  name: 'kept-secrets',
  // A time in the future comes from a wrong clock: it counts as 0.
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
