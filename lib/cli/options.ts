import { basename } from 'node:path'
import { UsageError } from '../std/errors.ts'
import { type Flags, flags, givenFlags, spellingOf, takenByNpm } from './flags.ts'

export interface Options {
  inventory: string
  check: boolean
  diff: boolean
  limit: string[]
  tags: string[]
  /** How many hosts at once. */
  forks: number
  wait: boolean
  acceptNew: boolean
  json: boolean
  showSecrets: boolean
  /** The variable to explain, instead of a run. */
  explain: string | undefined
  verbose: boolean
  help: boolean
  /** The playbook's own flags: each with its values, a flag without a value as ''. */
  own: ReadonlyMap<string, readonly string[]>
}

/**
 * Reads what follows the script on the command line; `playbook` is for the last line of an error. `without`: the options of every
 * playbook that mean nothing to this one.
 */
export function parseOptions(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  playbook = 'site',
  own: Flags = {},
  without: readonly string[] = [],
): Options {
  try {
    const given = givenFlags(argv, { ...own, ...flags })
    const unused = without.find((name) => given.has(name))
    if (unused !== undefined) throw new UsageError(`${playbook}.ts has no --${unused}`)
    const list = (name: 'limit' | 'tags') => (given.get(name) ?? []).flatMap((value) => parts(name, value))
    return {
      inventory: given.get('inventory')?.[0] ?? (env.BOTGARDEN_INVENTORY || 'inventory/sandbox.yaml'),
      check: given.has('check'),
      diff: given.has('diff'),
      limit: list('limit'),
      tags: list('tags'),
      forks: forksOf(given.get('forks')?.[0] ?? '25'),
      wait: given.has('wait'),
      acceptNew: given.has('accept-new'),
      json: given.has('json'),
      showSecrets: given.has('show-secrets'),
      explain: given.get('explain')?.[0],
      verbose: given.has('verbose'),
      help: given.has('help'),
      own: new Map([...given].filter(([name]) => Object.hasOwn(own, name))),
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(`${error.message}\nsee: npx zx playbooks/${playbook}.ts --help`)
  }
}

/**
 * What follows the script in process.argv. Flags before it never reach the playbook, which would then run without
 * them, `--check` above all: they are refused.
 */
export function scriptArguments(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  script: string,
  own: Flags = {},
): string[] {
  const at = argv.findIndex((word, i) => i > 0 && basename(word) === basename(script))
  if (at < 0) return argv.slice(2)
  const lost = [...argv.slice(2, at).filter((word) => word !== '--'), ...takenByNpm(env, { ...own, ...flags })].join(
    ' ',
  )
  if (lost === '') return argv.slice(at + 1)
  const next = `npx zx playbooks/${basename(script)} ${lost}`
  throw new UsageError(`"${lost}" comes before the script, where it has no effect; type: ${next}`)
}

/** The text of `--help`. */
export function usage(
  playbook: string,
  summary: string,
  { flags: own = {}, examples = siteExamples, without = [], exitCodes: codes = {} }: Usage = {},
): string {
  const longest = Math.max(...examples.map(([line]) => line.length))
  const known = Object.entries({ ...own, ...flags }).filter(([name]) => !without.includes(name))
  const rows = known.map(([name, flag]) => [spellingOf(name, flag), flag.help] as const)
  const width = Math.max(...rows.map(([spelling]) => spelling.length))
  return `${playbook}: ${summary}

usage: npx zx playbooks/${playbook}.ts [options]

options:
${rows.map(([spelling, help]) => `  ${spelling.padEnd(width)}  ${help}`).join('\n')}

exit codes:
${Object.entries({ ...exitCodes, ...codes })
  .flatMap(([code, meaning]) => (meaning === '' ? [] : [`  ${code}  ${meaning}`]))
  .join('\n')}

examples:
${examples.map(([line, meaning]) => `  npx zx playbooks/${playbook}.ts ${line.padEnd(longest)}  # ${meaning}`).join('\n')}
`
}

/** What a playbook says of itself in `--help`. */
export interface Usage {
  readonly flags?: Flags
  readonly examples?: readonly Example[]
  /** The options of every playbook that it has not. */
  readonly without?: readonly string[]
  /** What an exit code means here where it is something else; empty: it is not used. */
  readonly exitCodes?: Readonly<Record<number, string>>
}

const exitCodes: Readonly<Record<number, string>> = {
  0: 'as wanted (after a run: converged)',
  1: 'wrong usage, inventory or vars; nothing was touched',
  2: '--check: changes or unknowns are pending',
  3: 'a host failed',
  4: 'a host could not be reached',
  5: 'a guarded change was reverted',
  70: 'a bug of botgarden, with its stack; also a run that ended without finishing',
  130: 'Ctrl-C',
}

/** What to type after the script, and what for. */
export type Example = readonly [line: string, meaning: string]

const siteExamples: readonly Example[] = [
  ['--check --diff', 'what a run would change, line by line'],
  ['-i inventory/production.yaml', 'your own hosts, not the sandbox'],
  ['--limit vps1 --tags docker', 'one role on one host'],
  ['--explain docker.daemon', 'where the value comes from'],
  ['--json --check', 'for scripts: exit code 2, changes pending'],
]

function forksOf(text: string): number {
  if (!/^0*[1-9]\d{0,5}$/.test(text))
    throw new UsageError(`--forks: should be a whole number of at least 1, found "${text}"`)
  return Number(text)
}

function parts(name: string, value: string): string[] {
  const names = value.split(',').map((part) => part.trim())
  if (names.includes('')) throw new UsageError(`--${name}: a name is missing in "${value}"`)
  return names
}
