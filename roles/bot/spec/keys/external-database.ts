import * as v from 'valibot'
import { secretSource } from '../../../../lib/model/secret-source.ts'

/** How strictly the connection to a database is proved, as libpq calls it. */
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
const unproved: readonly string[] = sslModes.slice(0, 3)

/** A database that somebody else keeps, as a bot finds it; its password is a secret of the bot. */
export interface ExternalDatabase {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly name: string
  readonly sslmode: string
  /** Further parameters of the URL, without the `?`: `channel_binding=require`. */
  readonly parameters?: string
}

/** The secret of a bot that is the password of its external database. */
export const externalPassword = 'DATABASE_PASSWORD'

export const externalKeys = v.strictObject({
  /** `postgresql://USER@HOST:PORT/NAME?sslmode=…`, without the password. Without `sslmode` the server is proved: `verify-full`. */
  url: v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? faultOf(dataset.value) : undefined
      if (message !== undefined) addIssue({ message })
    }),
  ),
  password: secretSource,
})

/** The parts of a URL that the schema has accepted. */
export function externalDatabase({ url }: { readonly url: string }): ExternalDatabase {
  const { hostname, port, username, pathname, searchParams } = new URL(url)
  const sslmode = searchParams.get('sslmode') ?? 'verify-full'
  searchParams.delete('sslmode')
  return {
    host: hostname,
    port: Number(port || '5432'),
    user: decodeURIComponent(username),
    name: decodeURIComponent(pathname.slice(1)),
    sslmode,
    ...(searchParams.size > 0 && { parameters: searchParams.toString() }),
  }
}

/** What is wrong with a URL; undefined where nothing is. No message repeats it: a password may be in it. */
function faultOf(text: string): string | undefined {
  if (!URL.canParse(text)) return 'should be postgresql://USER@HOST:PORT/NAME'
  const { protocol, hostname, username, password, pathname, searchParams } = new URL(text)
  if (!/^postgres(ql)?:$/.test(protocol)) return 'should begin with postgresql://'
  if (password !== '' || searchParams.has('password'))
    return 'has the password in it: leave it out, and set its source beside the URL, as password: { env: NAME }'
  if (hostname === '' || username === '' || !/^\/[^/]+$/.test(pathname))
    return 'should name user, host and database, as postgresql://USER@HOST:PORT/NAME'
  if (!/^[\w.-]+$/.test(hostname)) return 'should name one host, by its name or its IPv4 address'
  if (![username, pathname.slice(1)].every((each) => isPlain(each)))
    return 'has a user or a database with characters that no shell, URL and password file have alike: letters, digits and . _ @ - are'
  const mode = searchParams.get('sslmode') ?? 'verify-full'
  if (!(sslModes as readonly string[]).includes(mode)) return `sslmode=${mode}: should be one of ${sslModes.join(', ')}`
  if (unproved.includes(mode) && !isPrivate(hostname))
    return `sslmode=${mode}: the password and all data could cross the internet unencrypted: leave sslmode out, or write sslmode=require`
  return undefined
}

function isPlain(encoded: string): boolean {
  try {
    return /^[\w.@-]+$/.test(decodeURIComponent(encoded))
  } catch {
    return false
  }
}

/** An address of a private network: RFC 1918, and the shared one of RFC 6598. */
function isPrivate(host: string): boolean {
  return /^(10|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.[\d.]+$/.test(host)
}
