import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { StartError } from './start-error.ts'

export interface Config {
  readonly token: string
  readonly mode: 'polling' | 'webhook'
  readonly webhook: { readonly path: string; readonly secret: string }
  readonly port: number
  readonly apiRoot: string
  readonly logLevel: string
  readonly database: DatabaseConfig
  /** What must never be seen in a log. */
  readonly secrets: readonly string[]
}

export type DatabaseConfig =
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 'server'
      /** A name, an address, or the directory of a socket. */
      readonly host: string
      readonly port: number
      readonly user: string
      readonly database: string
      /** Read again for each connection, so that a changed password needs no restart. */
      readonly password: (() => string) | undefined
      /** Who vouches for the server, PEM, or `system`: whom Node trusts. The connection is then encrypted. */
      readonly certificate?: string
    }
  | { readonly kind: 'embedded'; readonly folder: string }

/** Reads the environment, and the files that it points to. All faults are one error, a line each. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const faults: string[] = []
  const database = databaseConfig(env, faults)
  const raw = Object.fromEntries(Object.keys(settings.entries).map((name) => [name, given(env, name, faults)]))
  const { success, output, issues } = v.safeParse(settings, raw)
  for (const issue of issues ?? []) {
    const name = v.getDotPath(issue) ?? ''
    // Its file could not be read: that has been said, and "missing" would mislead.
    if (!faults.some((fault) => fault.startsWith(name))) faults.push(`${name}: ${issue.message}`)
  }
  const webhookWanted = raw.BOT_MODE === 'webhook' && raw.WEBHOOK_SECRET === undefined
  if (webhookWanted && !faults.some((fault) => fault.startsWith('WEBHOOK_SECRET')))
    faults.push('WEBHOOK_SECRET: is missing; BOT_MODE=webhook needs it, or WEBHOOK_SECRET_FILE')
  if (!success || faults.length > 0) throw new StartError(`the configuration is wrong\n  ${faults.join('\n  ')}`)
  const { WEBHOOK_SECRET: secret = '' } = output
  return {
    token: output.BOT_TOKEN,
    mode: output.BOT_MODE,
    webhook: { path: output.WEBHOOK_PATH, secret },
    port: output.PORT,
    apiRoot: output.TELEGRAM_API_ROOT,
    logLevel: output.LOG_LEVEL,
    database,
    secrets: [output.BOT_TOKEN, secret, ...secretsOf(database)].filter((each) => each !== ''),
  }
}

/** Migrations need the database only: no token. */
export function readDatabaseConfig(env: NodeJS.ProcessEnv): DatabaseConfig {
  const faults: string[] = []
  const database = databaseConfig(env, faults)
  if (faults.length > 0) throw new StartError(`the configuration is wrong\n  ${faults.join('\n  ')}`)
  return database
}

const like = (pattern: RegExp, words: string) => v.pipe(v.string(), v.regex(pattern, words))
const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
const portWords = 'should be a port, 1 to 65535'

const settings = v.object({
  BOT_TOKEN: v.pipe(
    v.string('is missing; set it, or BOT_TOKEN_FILE'),
    v.regex(/^\d+:[\w-]+$/, 'should look like 123456:ABC-def, as BotFather gives it'),
  ),
  BOT_MODE: v.optional(v.picklist(['polling', 'webhook'], 'should be polling or webhook'), 'polling'),
  WEBHOOK_PATH: v.optional(like(/^\/[\w./~-]+$/, 'should be a path that begins with /'), '/webhook'),
  WEBHOOK_SECRET: v.optional(like(/^[\w-]{1,256}$/, 'should be 1 to 256 letters, digits, _ or -')),
  PORT: v.optional(v.pipe(like(/^\d{1,5}$/, portWords), v.transform(Number), v.check(isPort, portWords)), '3000'),
  TELEGRAM_API_ROOT: v.optional(
    v.pipe(
      like(/^https?:\/\/[^/?#]+[^?#]*$/, 'should be a URL, http or https'),
      v.transform((url) => url.replace(/\/+$/, '')),
    ),
    'https://api.telegram.org',
  ),
  LOG_LEVEL: v.optional(v.picklist(levels, `should be one of ${levels.join(', ')}`), 'info'),
})

function databaseConfig(env: NodeJS.ProcessEnv, faults: string[]): DatabaseConfig {
  const url = given(env, 'DATABASE_URL', faults)
  if (url !== undefined) {
    if (!/^postgres(ql)?:\/\//.test(url)) faults.push('DATABASE_URL: should begin with postgres://')
    return { kind: 'url', url }
  }
  if (!env.PGHOST) return { kind: 'embedded', folder: 'data' }
  const needed = (name: string) => {
    if (!env[name]) faults.push(`${name}: is missing; PGHOST needs it`)
    return env[name] ?? ''
  }
  const port = Number(env.PGPORT || '5432')
  if (!isPort(port)) faults.push(`PGPORT: ${portWords}`)
  const first = given(env, 'PGPASSWORD', faults)
  const password = first === undefined ? undefined : () => given(env, 'PGPASSWORD', []) ?? first
  const certificate = rootCertificate(env.PGSSLROOTCERT, faults)
  return {
    ...{ kind: 'server', host: env.PGHOST, port, user: needed('PGUSER'), database: needed('PGDATABASE'), password },
    ...(certificate !== undefined && { certificate }),
  }
}

/** As libpq has it: a file, or `system`. */
function rootCertificate(file: string | undefined, faults: string[]): string | undefined {
  if (!file) return undefined
  return file === 'system' ? file : textOf(file, 'PGSSLROOTCERT', faults)
}

/** NAME, or what stands in the file that NAME_FILE points to. An empty variable counts as none. */
function given(env: NodeJS.ProcessEnv, name: string, faults: string[]): string | undefined {
  const file = env[`${name}_FILE`]
  if (!file) return env[name] || undefined
  if (env[name]) faults.push(`${name}: is given twice, as ${name} and as ${name}_FILE`)
  return textOf(file, `${name}_FILE`, faults)
}

function textOf(file: string, variable: string, faults: string[]): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (text === '') faults.push(`${variable}: ${file} is empty`)
    return text || undefined
  } catch (error) {
    faults.push(`${variable}: cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`)
    return undefined
  }
}

function secretsOf(database: DatabaseConfig): string[] {
  if (database.kind === 'server') return [database.password?.() ?? '']
  // With the password alone masked, a URL in a message still tells what is wrong with it.
  return database.kind === 'url' ? [/^\w+:\/\/[^:@/]*:([^@/]*)@/.exec(database.url)?.[1] ?? ''] : []
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
