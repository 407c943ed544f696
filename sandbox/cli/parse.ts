import { parseArgs } from 'node:util'
import { UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'

/** What to do with the sandbox, as it was typed. */
export interface Order {
  readonly action: Action
  /** The host or the bot. */
  readonly word: string | undefined
  /** The words after `--`. */
  readonly command: readonly string[]
  readonly hosts: number | undefined
  readonly memory: string | undefined
  /** What the registry is to have beside what every sandbox needs. */
  readonly with: readonly string[]
  /** The chat, which is the person too. */
  readonly as: number
  readonly language: string
  readonly images: boolean
}

export type Action = keyof typeof forms

interface Form {
  readonly flags: readonly string[]
  /** Of what it takes one word, and whether it can do without. */
  readonly word?: string
  readonly optional?: boolean
  readonly command?: boolean
}

const forms = {
  up: { flags: ['hosts', 'memory', 'with'] },
  status: { flags: [] },
  ssh: { flags: [], word: 'HOST', optional: true, command: true },
  chat: { flags: ['as', 'language'], word: 'BOT' },
  token: { flags: [], word: 'BOT' },
  down: { flags: ['images'] },
} as const satisfies Readonly<Record<string, Form>>

const options = {
  hosts: { type: 'string' },
  memory: { type: 'string' },
  with: { type: 'string' },
  as: { type: 'string' },
  language: { type: 'string' },
  images: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Parses the words after the script on the command line. */
export function parseOrder(argv: readonly string[]): Order | 'help' {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  const { values, positionals } = parsed(argv.slice(0, end))
  if (values.help) return 'help'
  const [first, ...words] = positionals
  const action = actionOf(first)
  const command = argv.slice(end + 1)
  refuseStray(action, Object.keys(values), words, command)
  const { hosts, memory, as = '1', language = 'en', images = false } = values
  return {
    ...{ action, word: words[0], command, memory, language: languageOf(language), images },
    with: (values.with ?? '').split(',').filter((each) => each !== ''),
    hosts: hosts === undefined ? undefined : numberOf('hosts', hosts),
    as: numberOf('as', as),
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    const [message = '', flag] = /^.*?'(--?[\w-]+).*?(?=\.\s|$)/s.exec((error as Error).message) ?? [String(error)]
    const known = Object.keys(options).map((name) => `--${name}`)
    throw new UsageError(`${message}${flag === undefined || known.includes(flag) ? '' : suggest(flag, known)}`)
  }
}

function actionOf(word: string | undefined): Action {
  const actions = Object.keys(forms) as Action[]
  const action = actions.find((each) => each === word)
  if (action !== undefined) return action
  if (word === undefined) throw new UsageError(`what to do: ${actions.join(', ')}; see --help`)
  throw new UsageError(`unknown action "${word}"${suggest(word, actions)}: one of ${actions.join(', ')}`)
}

function refuseStray(action: Action, flags: string[], words: string[], command: readonly string[]): void {
  const form: Form = forms[action]
  const stray = flags.find((flag) => !form.flags.includes(flag))
  if (stray !== undefined) throw new UsageError(`sandbox.ts ${action} has no --${stray}`)
  const extra = words[form.word === undefined ? 0 : 1] ?? (form.command ? undefined : command[0])
  if (extra !== undefined) throw new UsageError(`sandbox.ts ${action}: stray argument "${extra}"`)
  if (form.word === undefined || form.optional || words.length > 0) return
  throw new UsageError(`sandbox.ts ${action} needs a ${form.word}: npx zx playbooks/sandbox.ts ${action} ${form.word}`)
}

function numberOf(flag: string, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new UsageError(`--${flag}: should be a whole number of at least 1, found "${text}"`)
}

function languageOf(text: string): string {
  if (/^[a-z]{2,3}(-[a-z0-9]+)*$/i.test(text)) return text
  throw new UsageError(`--language: should be a language like en or pt-br, found "${text}"`)
}
