import type { Variable } from '../read/finding.ts'
import { flat, type Meaning } from './names.ts'

export type Engine = 'postgres' | 'mysql' | 'mongo' | 'sqlite' | 'cache' | 'queue'

const schemes: readonly (readonly [Engine, RegExp])[] = [
  ['cache', /^(rediss?|valkey|unix):\/\//],
  ['postgres', /^(postgres(ql)?(\+\w+)?|asyncpg|psycopg2?):\/\//],
  ['mysql', /^(mysql|mariadb|aiomysql)(\+\w+)?:\/\//],
  ['mongo', /^mongodb(\+srv)?:\/\//],
  ['sqlite', /^sqlite(\+\w+)?:\/\/|^file:.*\.(db|sqlite3?)\b/],
  ['queue', /^(amqps?|nats|kafka|mqtt):\/\//],
]

export function engineOfUrl(value: string): Engine | undefined {
  return schemes.find(([, pattern]) => pattern.test(value))?.[0]
}

const ports = new Map<string, Engine>([
  ...[['5432', 'postgres'] as const, ['6379', 'cache'] as const, ['3306', 'mysql'] as const],
  ...[['27017', 'mongo'] as const, ['5672', 'queue'] as const, ['4222', 'queue'] as const],
])

const prefixes: readonly (readonly [Engine | 'database', RegExp])[] = [
  ['cache', /(^|_)(REDIS|VALKEY|KEYDB)$/],
  ['mysql', /(^|_)(MYSQL|MARIADB)$/],
  ['mongo', /(^|_)(MONGO|MONGODB|MONGO_DB)$/],
  ['queue', /(^|_)(RABBIT|RABBITMQ|RMQ|AMQP|NATS|KAFKA|MQTT)$/],
  ['postgres', /(^|_)(POSTGRES|POSTGRESQL|PG|PSQL|PGSQL)$/],
  ['database', /(^|_)(DB|DATABASE|SQL)$/],
]

/** Names that are an address by themselves. */
const wholes: readonly (readonly [Engine | 'database', RegExp])[] = [
  ['mongo', /^MONGO(DB)?$/],
  ['cache', /^REDIS$/],
]

const parts: readonly (readonly [part: string, RegExp])[] = [
  ['url', /^(URL|URI|DSN|CONNECTION|CONNECTION_(STRING|URL|URI)|CONN(_STR|_URL)?|LINK)$/],
  ['host', /^(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|IP)$/],
  ['port', /^PORT$/],
  ['user', /^(USER|USERNAME|LOGIN)$/],
  ['password', /^(PASSWORD|PASS|PASSWD|PWD)$/],
  ['scheme', /^(DRIVER|DIALECT|SCHEME|SCHEMA_TYPE|SYSTEM)$/],
  ['name', /^(NAME|DB|DATABASE|DBNAME|DB_NAME|DATABASE_NAME|BASE)$/],
]

/** A variable that is a part of the address of a server: which server, which part. */
export interface ServerPart {
  readonly engine: Engine | 'database'
  readonly part: string
}

/** `known`: engines by the prefixes of names whose `…_PORT` has a port that tells: FSM_PORT=6379. */
export function serverPart(name: string, known: ReadonlyMap<string, Engine>): ServerPart | undefined {
  const whole = wholes.find(([, pattern]) => pattern.test(flat(name)))
  if (whole !== undefined) return { engine: whole[0], part: 'url' }
  if (/^(USE|ENABLE|WITH)_/.test(flat(name))) return undefined
  const words = flat(name.replace(/^(PG)(HOST|PORT|USER|PASSWORD|DATABASE)$/, '$1_$2')).split('_')
  for (let i = words.length - 1; i > 0; i--) {
    const prefix = words.slice(0, i).join('_')
    const part = parts.find(([, pattern]) => pattern.test(words.slice(i).join('_')))?.[0]
    if (part === undefined) continue
    const engine = known.get(prefix) ?? prefixes.find(([, pattern]) => pattern.test(prefix))?.[0]
    if (engine !== undefined) return { engine, part }
  }
  return undefined
}

export function enginesByPort(variables: readonly Variable[]): ReadonlyMap<string, Engine> {
  return new Map(
    variables.flatMap(({ name, value }) => {
      const engine = /_PORT$/.test(flat(name)) ? ports.get(value ?? '') : undefined
      return engine === undefined ? [] : [[flat(name).replace(/_PORT$/, ''), engine] as const]
    }),
  )
}

/** What the part of a server is to a bot here. `database` is the engine that DB_HOST and the like are about. */
export function partMeans({ engine, part }: ServerPart, database: Engine | undefined): Meaning {
  const real = engine === 'database' ? database : engine
  if (part === 'scheme' && real !== 'postgres') return 'plain'
  if (real === 'cache') return part === 'name' ? 'cache.number' : (`cache.${part}` as Meaning)
  if (real === 'postgres') return `database.${part}` as Meaning
  if (real === 'sqlite') return part === 'url' || part === 'name' ? 'sqlite' : 'plain'
  return 'elsewhere'
}
