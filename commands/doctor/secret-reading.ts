import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** Where secrets were looked for: arguments and environments of processes, what the engine keeps of containers, logs. */
export type Where = 'cmdline' | 'environ' | 'inspect' | 'log'

/** A secret that was found where none may be. */
export interface Leak {
  readonly where: Where
  /** Its file, below the folder of secrets: `bots/hello-bot/token`. */
  readonly secret: string
  /** A container; a log; the user and the name of a process. */
  readonly place: string
}

export interface SecretSearch {
  readonly searched: readonly string[]
  readonly leaks: readonly Leak[]
}

const script = shellFile(new URL('secrets.sh', import.meta.url))

const kind: Kind<SecretSearch> = {
  name: 'leaks',
  volatile: true,
  cost: 2000,
  script: () => script,
  parse: oneValue(parseSearch),
}

export const secretSearch: Reading<SecretSearch> = reading(kind, 'all')

export function parseSearch(output: string): SecretSearch {
  return {
    searched: [...output.matchAll(/^searched (\w+)$/gm)].map(([, where = '']) => where),
    leaks: [...output.matchAll(/^found (cmdline|environ|inspect|log) (\S+) (.*)$/gm)].map(
      ([, where, secret = '', place = '']) => ({ where: where as Where, secret, place }),
    ),
  }
}
