import type { Note } from '../read/finding.ts'
import { type DatabaseUrl, type Driver, databaseUrl, dialectOf } from './database.ts'
import type { Entry } from './entry.ts'
import type { Meant } from './variables.ts'
import { baseValue, type Delivery } from './webhook.ts'

/** What is known when the variables are written down. */
export interface Circumstances {
  readonly delivery: Delivery
  readonly port: number | undefined
  readonly driver: Driver | undefined
  /** Some file shows variables; then one that only the code names is one that the bot starts without. */
  readonly hasExample: boolean
  /** Names in any case of letters are the same to it. */
  readonly takesCapitals: boolean
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
  const small: string[] = []
  const engines = new Set(
    variables.filter(({ shownBy }) => shownBy !== 'code').map(({ meaning }) => meaning.split('.')[0]),
  )
  const hasParts = variables.some(({ meaning, shownBy }) => meaning === 'database.host' && shownBy !== 'code')
  for (const variable of variables) {
    if (variable.name !== capitals(variable.name) && !known.takesCapitals) {
      small.push(variable.name)
      continue
    }
    const written = writtenAs(variable, known, hasParts, engines)
    if ('leftOut' in written) {
      leftOut.set(written.leftOut, [...(leftOut.get(written.leftOut) ?? []), variable.name])
      continue
    }
    tcp ||= written.tcp === true
    const key = capitals(variable.name)
    const why = [variable.from, written.why, key === variable.name ? '' : `as ${variable.name} there`]
      .filter(Boolean)
      .join('; ')
    entries.push({ key, value: written.value, why, ...(written.optional && { optional: true as const }) })
  }
  if (small.length > 0)
    notes.push(
      `names of variables are in capitals here, so these cannot be set: ${small.join(', ')}: have the bot read them in capitals`,
    )
  const isUsed = (prefix: string) =>
    entries.some(({ value, optional }) => !optional && String(value).includes(`\${${prefix}.`))
  return { entries: unique(entries), leftOut, notes, tcp, usesDatabase: isUsed('database'), usesCache: isUsed('cache') }
}

type Written =
  | { readonly leftOut: string }
  | { readonly value: string; readonly why?: string; readonly optional?: boolean; readonly tcp?: boolean }

function writtenAs(
  variable: Meant,
  known: Circumstances,
  hasParts: boolean,
  engines: ReadonlySet<string | undefined>,
): Written {
  const { meaning, name, value = '', shownBy } = variable
  if (shownBy === 'code' && !isNeeded(variable, known.hasExample, engines)) {
    const isOwn = meaning === 'secret' || meaning === 'personal' || meaning === 'elsewhere'
    return isOwn
      ? { value: `\${secret.${capitals(name)}}`, why: 'only the code names it', optional: true }
      : { leftOut: 'only the code names it' }
  }
  if (meaning === 'token') return { value: '${token}' }
  if (meaning === 'unused') return { leftOut: 'for other services' }
  if (meaning === 'sqlite') return { value: plain(known.sqlite.get(name) ?? value), why: 'in a folder that lasts' }
  if (/^(database|cache)\./.test(meaning)) return ofServer(variable, known, hasParts)
  if (/^(webhook|listen)\./.test(meaning)) return ofDelivery(variable, known)
  return ofTheOperator(variable)
}

/** The database and the cache, in the form that the bot's client wants. */
function ofServer({ meaning, value = '' }: Meant, { driver }: Circumstances, hasParts: boolean): Written {
  if (meaning === 'database.scheme') return { value: value === '' ? dialectOf(driver?.name ?? '') : plain(value) }
  if (meaning === 'database.url')
    return value === '' && hasParts ? { leftOut: 'its parts are set' } : fromUrl(databaseUrl(value, driver), driver)
  if (meaning === 'cache.url') return { value: `\${cache.url}${/^rediss?:\/\/[^/]*(\/\d+)$/.exec(value)?.[1] ?? ''}` }
  if (meaning === 'cache.user') return { value: 'default' }
  if (meaning === 'cache.number') return { value: /^\d+$/.test(value) ? value : '0' }
  return { value: `\${${meaning}}`, ...(meaning.startsWith('database.') && { tcp: true }) }
}

/** Where the bot listens, and where it is reached. */
function ofDelivery(variable: Meant, { delivery, port }: Circumstances): Written {
  const { meaning, name, value = '' } = variable
  if (meaning === 'listen.host') return { value: '0.0.0.0', why: 'in a container it listens for others' }
  if (meaning === 'listen.port' && name === 'PORT') return { leftOut: 'set for every bot' }
  if (meaning === 'listen.port') return port === undefined ? asShown(variable) : { value: String(port) }
  if (meaning === 'webhook.switch') return asShown(variable)
  if (delivery.mode.value === 'polling')
    return meaning === 'webhook.secret' ? { leftOut: 'only with a webhook' } : asShown(variable)
  if (meaning === 'webhook.secret') return { value: '${webhook.secret}' }
  if (meaning === 'webhook.path') return { value: delivery.path?.value ?? '/webhook' }
  if (meaning === 'webhook.base')
    return { value: baseValue(variable), ...(!/HOOK/.test(name) && value === '' && { optional: true }) }
  if (delivery.buildsUrl && !/\/[^/]/.test(value.replace(/^https?:\/\//, ''))) return { value: '${public.url}' }
  const isBare = /^https?:\/\/[^/]+\/?$/.test(value)
  return {
    value: '${webhook.url}',
    why: isBare ? 'if the bot appends a path of its own, see "Who tells Telegram" in docs/bots.md' : '',
  }
}

/** Secrets, numbers of people, and servers elsewhere: the operator's .env or inventory has the value. */
function ofTheOperator(variable: Meant): Written {
  const { meaning, name, shownBy } = variable
  const secret = `\${secret.${capitals(name)}}`
  if (meaning === 'plain')
    return shownBy === 'kept' ? { value: secret, why: 'its value stays there' } : asShown(variable)
  if (shownBy === 'kept') return { value: secret, why: 'its value stays there' }
  if (variable.value === '') return { value: secret, why: 'empty there', optional: true }
  return {
    value: secret,
    why: meaning === 'personal' ? 'yours to give' : meaning === 'elsewhere' ? 'a server elsewhere' : '',
  }
}

function asShown({ name, value, required }: Meant): Written {
  if (value === undefined)
    return { value: `\${secret.${capitals(name)}}`, why: 'yours to give', optional: required !== true }
  if (value === '') return { leftOut: 'empty there' }
  const isDevelopers =
    /(^|_)(ENV|ENVIRONMENT|DEV|DEV_MODE|DEBUG)$/.test(name) && /^(dev|development|debug|true|1|local)$/i.test(value)
  return { value: plain(value), why: isDevelopers ? 'as for development: see that you want it so' : '' }
}

function fromUrl(url: DatabaseUrl, driver: Driver | undefined): Written {
  return { value: url.value, tcp: url.tcp, ...(driver !== undefined && { why: `for ${driver.name}` }) }
}

/** Whether the name in the code is enough. */
function isNeeded(
  { meaning, required }: Meant,
  hasExample: boolean,
  engines: ReadonlySet<string | undefined>,
): boolean {
  if (meaning === 'token') return true
  if (/^(database|cache)\./.test(meaning) || meaning === 'elsewhere')
    return !hasExample || engines.has(meaning.split('.')[0])
  return !hasExample && (required === true || /^webhook\.(url|secret|path|base)/.test(meaning))
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
