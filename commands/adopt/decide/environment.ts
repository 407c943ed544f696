import type { Note } from '../read/finding.ts'
import type { Entry } from './container.ts'
import { type DatabaseUrl, databaseUrl, type Driver } from './database.ts'
import type { Engine } from './servers.ts'
import { baseValue, type Delivery } from './webhook.ts'
import type { Meant } from './variables.ts'

/** What is known when the variables are written down. */
export interface Circumstances {
  readonly bot: string
  readonly delivery: Delivery
  readonly port: number | undefined
  readonly database: Engine | undefined
  readonly driver: Driver | undefined
  /** Values of variables that name a file of SQLite. */
  readonly sqlite: ReadonlyMap<string, string>
}

export interface Environment {
  readonly entries: readonly Entry[]
  /** Names that are left out, by the reason. */
  readonly leftOut: ReadonlyMap<string, readonly string[]>
  readonly notes: readonly Note[]
  /** The database is asked for by TCP. */
  readonly tcp: boolean
  readonly usesDatabase: boolean
  readonly usesCache: boolean
}

/** The variables of a bot, with references in place of what the host knows, and no value that may be a secret. */
export function environmentOf(variables: readonly Meant[], known: Circumstances): Environment {
  const entries: Entry[] = []
  const leftOut = new Map<string, string[]>()
  const notes: Note[] = []
  let tcp = false
  const hasParts = variables.some(({ meaning, shownBy }) => meaning === 'database.host' && shownBy !== 'code')
  for (const variable of variables) {
    const written = writtenAs(variable, known, hasParts)
    if ('leftOut' in written) {
      leftOut.set(written.leftOut, [...(leftOut.get(written.leftOut) ?? []), variable.name])
      continue
    }
    tcp ||= written.tcp === true
    const key = capitals(variable.name)
    const why = [variable.from, written.why, key === variable.name ? '' : `as ${variable.name} there`].filter(Boolean).join('; ')
    entries.push({ key, value: written.value, why, ...(written.optional && { optional: true as const }) })
    if (key !== variable.name)
      notes.push(`${variable.from}: ${variable.name} is written ${key}, since names are in capitals here: see that the bot reads it so`)
  }
  const isUsed = (prefix: string) => entries.some(({ value, optional }) => !optional && String(value).includes(`\${${prefix}.`))
  return { entries: unique(entries), leftOut, notes, tcp, usesDatabase: isUsed('database'), usesCache: isUsed('cache') }
}

type Written =
  | { readonly leftOut: string }
  | { readonly value: string; readonly why?: string; readonly optional?: boolean; readonly tcp?: boolean }

function writtenAs(variable: Meant, known: Circumstances, hasParts: boolean): Written {
  const { meaning, name, value = '', shownBy } = variable
  const { delivery, port } = known
  const isWebhook = delivery.mode.value === 'webhook'
  const isServers = /^(database|cache)\./.test(meaning)
  if (shownBy === 'code' && !isNeeded(meaning)) return { value: `\${secret.${capitals(name)}}`, why: 'only the code names it', optional: true }
  if (meaning === 'token') return { value: '${token}' }
  if (meaning === 'database.url') {
    if (value === '' && hasParts) return { leftOut: 'its parts are set' }
    return fromUrl(databaseUrl(value, known.driver), known.driver)
  }
  if (meaning.startsWith('database.')) return { value: `\${${meaning}}`, tcp: true }
  if (meaning === 'cache.url') return { value: `\${cache.url}${/^rediss?:\/\/[^/]*(\/\d+)$/.exec(value)?.[1] ?? ''}` }
  if (meaning === 'cache.user') return { value: 'default' }
  if (meaning === 'cache.number') return { value: /^\d+$/.test(value) ? value : '0' }
  if (isServers) return { value: `\${${meaning}}` }
  if (meaning === 'sqlite') return { value: plain(known.sqlite.get(name) ?? value), why: 'in a folder that lasts' }
  if (meaning === 'unused') return { leftOut: 'for other services' }
  if (meaning === 'listen.host') return { value: '0.0.0.0', why: 'in a container it listens for others' }
  if (meaning === 'listen.port') {
    if (name === 'PORT') return { leftOut: 'set for every bot' }
    return port === undefined ? asShown(variable) : { value: String(port) }
  }
  if (meaning === 'webhook.switch') return asShown(variable)
  if (meaning.startsWith('webhook.') && !isWebhook) {
    if (meaning === 'webhook.secret') return { leftOut: 'only with a webhook' }
    return asShown(variable)
  }
  if (meaning === 'webhook.secret') return { value: '${webhook.secret}' }
  if (meaning === 'webhook.url')
    return /\/[^/]/.test(value.replace(/^https?:\/\//, '')) || !delivery.buildsUrl
      ? { value: '${webhook.url}', why: /^https?:\/\/[^/]+\/?$/.test(value) ? 'if the bot appends a path of its own, see "Who tells Telegram" in docs/bots.md' : '' }
      : { value: '${public.url}' }
  if (meaning === 'webhook.base') return { value: baseValue(variable), ...(!/HOOK/.test(name) && value === '' && { optional: true }) }
  if (meaning === 'webhook.path') return { value: delivery.path?.value ?? '/webhook' }
  return ofTheOperator(variable)
}

/** Secrets, numbers of people, and servers elsewhere: the operator's .env or inventory has the value. */
function ofTheOperator(variable: Meant): Written {
  const { meaning, name, value = '', shownBy } = variable
  const secret = `\${secret.${capitals(name)}}`
  if (meaning === 'plain') return shownBy === 'kept' ? { value: secret, why: 'its value stays there' } : asShown(variable)
  if (shownBy === 'kept') return { value: secret, why: 'its value stays there' }
  if (value === '') return { value: secret, why: 'empty there', optional: true }
  return { value: secret, why: meaning === 'personal' ? 'a number of your own' : meaning === 'elsewhere' ? 'a server elsewhere' : '' }
}

function asShown({ value = '' }: Meant): Written {
  return value === '' ? { leftOut: 'empty there' } : { value: plain(value) }
}

function fromUrl(url: DatabaseUrl, driver: Driver | undefined): Written {
  return { value: url.value, tcp: url.tcp, ...(driver !== undefined && { why: `for ${driver.name}` }) }
}

/** What a bot cannot do without, so that its name in the code is enough. */
function isNeeded(meaning: Meant['meaning']): boolean {
  return /^(token|database\.|cache\.|webhook\.(url|secret|path|base)|listen\.)/.test(meaning)
}

/** Text as a value of bot.yaml: a dollar there begins a reference. */
function plain(value: string): string {
  return value.replaceAll('$', '$$$$')
}

function capitals(name: string): string {
  return name.toUpperCase()
}

function unique(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ key }, i) => entries.findIndex((each) => each.key === key) === i)
}
