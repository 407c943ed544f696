import { parseArgs } from 'node:util'
import { UsageError } from '../std/errors.ts'
import { suggest } from '../std/suggest.ts'

export interface Flag {
  readonly short?: string
  /** What its value is called in `--help`; a flag without one takes none. */
  readonly value?: string
  readonly multiple?: boolean
  /** Takes what follows `--`, whatever it is, as its values: how they are called in `--help`. */
  readonly rest?: string
  /** npm has an option of this name itself. */
  readonly npm?: boolean
  readonly help: string
}

export type Flags = Readonly<Record<string, Flag>>

/** The options of every playbook, in the order of `--help`. */
export const flags: Flags = {
  inventory: {
    short: 'i',
    value: 'FILE',
    help: 'the hosts (default: $BOTGARDEN_INVENTORY, else inventory/sandbox.yaml)',
  },
  check: { help: 'show what would change, and change nothing' },
  diff: { npm: true, help: 'show changes line by line' },
  limit: { short: 'l', value: 'HOST,GROUP', multiple: true, help: 'only these hosts' },
  tags: { value: 'ROLE,…', multiple: true, help: 'only these roles' },
  forks: { value: 'N', help: 'so many hosts at once, at the most (default: 25)' },
  wait: { help: 'wait for another run that is changing a host' },
  'accept-new': { help: 'trust host keys that were never seen before' },
  json: { npm: true, help: 'print the result as one JSON object' },
  'show-secrets': { help: 'print the credentials that the host has made, and where they are' },
  explain: { value: 'KEY', help: 'say where a variable of each host comes from, and touch no host' },
  verbose: { short: 'v', npm: true, help: 'show commands and their output' },
  help: { short: 'h', npm: true, help: 'show this' },
}

/** The flags on a command line with their values, a flag without a value as ''. Everything else is an error. */
export function givenFlags(argv: readonly string[], known: Flags = flags): Map<string, string[]> {
  const [own, rest] = withoutRest(argv, known)
  const { tokens } = parseArgs({ args: [...own], options: parseArgsOptions(known), strict: false, tokens: true })
  const given = new Map<string, string[]>()
  for (const token of tokens) {
    const word = own[token.index] ?? ''
    if (token.kind === 'positional') throw stray(token.value)
    if (token.kind === 'option')
      given.set(token.name, [...(given.get(token.name) ?? []), acceptedValue(token, word, given, known)])
  }
  if (rest !== undefined) given.set(rest.name, [...rest.words])
  return given
}

/** What comes before `--`, and what comes behind it for the flag that takes that. */
function withoutRest(
  argv: readonly string[],
  known: Flags,
): [own: readonly string[], rest?: { readonly name: string; readonly words: readonly string[] }] {
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  const [name, flag] = Object.entries(known).find(([each, { rest }]) => rest && own.includes(`--${each}`)) ?? []
  if (name === undefined) return [argv]
  const words = end < 0 ? [] : argv.slice(end + 1)
  if (words.length === 0) throw new UsageError(`--${name} needs ${flag?.rest}: --${name} -- ${flag?.rest}`)
  return [own, { name, words }]
}

/** `-i, --inventory FILE` */
export function spellingOf(name: string, { short, value, rest }: Flag): string {
  const takes = value === undefined ? (rest === undefined ? '' : ` -- ${rest}`) : ` ${value}`
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${takes}`
}

/**
 * Flags that npm took for its own: `npx --check zx site.ts`, `npm run play site.ts --check`. npm 11 hands every setting
 * that is not at its default down as npm_config_NAME, and does not say whether it came from the command line, the
 * environment or an npmrc. A name that npm does not know (check, limit, tags …) is in no npmrc, so there it is
 * proof. Its own ones (json, diff, help; verbose becomes loglevel) are in some people's, so they are let pass; losing one
 * of these changes what is shown, not what is done. Without npm_command npm had no part in it.
 */
export function takenByNpm(env: NodeJS.ProcessEnv, known: Flags = flags): string[] {
  if (!env.npm_command) return []
  return Object.entries(known).flatMap(([name, { npm, value }]) => {
    const taken = env[`npm_config_${name.replaceAll('-', '_')}`]
    if (npm || !taken) return []
    return value === undefined ? [`--${name}`] : [`--${name} ${taken}`]
  })
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function acceptedValue(
  { name, rawName, value, inlineValue }: OptionToken,
  word: string,
  given: Map<string, string[]>,
  known: Flags,
): string {
  const flag = Object.hasOwn(known, name) ? known[name] : undefined
  // -check would else be read as -c -h -e …, and -limit as -l with the value "imit".
  if (flag === undefined || isLong(word, known)) throw unknown(word.startsWith('--') ? rawName : word, known)
  if (flag.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value, but has "${value}"`)
    return ''
  }
  if (given.has(name) && !flag.multiple) throw new UsageError(`${rawName} is given twice; it takes one ${flag.value}`)
  if (value === undefined || (!inlineValue && /^-./.test(value))) throw missing(rawName, flag.value)
  if (value.trim() === '') throw new UsageError(`${rawName} has an empty value; it takes ${flag.value}`)
  return value
}

function isLong(word: string, known: Flags): boolean {
  return /^-\w/.test(word) && Object.hasOwn(known, word.slice(1).split('=')[0] ?? '')
}

function missing(flag: string, value: string): UsageError {
  return new UsageError(`${flag} needs a value: ${flag} ${value}`)
}

function unknown(word: string, known: Flags): UsageError {
  const names = Object.entries(known).flatMap(([name, { short }]) => [`--${name}`, ...(short ? [`-${short}`] : [])])
  const near = suggest(word, word.length > 2 ? names.filter((name) => name.length > 2) : names)
  return new UsageError(`unknown option "${word}"${near}`)
}

function stray(word: string): UsageError {
  const flag = /\.ya?ml$/.test(word) ? '--inventory' : '--limit'
  return new UsageError(`unexpected "${word}" (did you mean "${flag} ${word}"?)`)
}

function parseArgsOptions(known: Flags) {
  return Object.fromEntries(
    Object.entries(known).map(([name, { short, value }]) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short && { short }),
        multiple: true,
      },
    ]),
  )
}
