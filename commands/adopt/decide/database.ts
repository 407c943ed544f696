import type { Found } from '../read/finding.ts'
import type { Project } from '../read/survey.ts'
import { type Engine, engineOfUrl, enginesByPort, serverPart } from './servers.ts'
import type { Services } from './services.ts'
import type { Meant } from './variables.ts'

/** The engine that the bot keeps its rows in, and what says so; undefined where nothing does. */
export function databaseEngine(
  variables: readonly Omit<Meant, 'meaning'>[],
  { known }: Services,
  project: Project,
): Found<Engine> | undefined {
  const driver = driverIn(project)
  const byPort = enginesByPort(variables)
  const isRelational = (engine: Engine | 'database' | undefined): engine is Engine =>
    engine !== undefined && ['postgres', 'mysql', 'mongo', 'sqlite'].includes(engine)
  for (const { value = '', from } of variables) {
    const engine = engineOfUrl(value)
    if (isRelational(engine)) return { value: engine, from }
  }
  const named = variables.flatMap(({ name, from }) => {
    const part = serverPart(name, byPort)
    return part === undefined || part.engine === 'cache' || part.engine === 'queue' ? [] : [{ ...part, from }]
  })
  const [sure] = named.filter(({ engine }) => isRelational(engine))
  if (sure !== undefined && isRelational(sure.engine)) return { value: sure.engine, from: sure.from }
  const [service] = known.filter(({ kind }) => kind === 'postgres' || kind === 'mysql' || kind === 'mongo')
  if (service !== undefined) return { value: service.kind as Engine, from: service.service.from }
  if (named.length > 0) return { value: driver?.value.engine ?? 'postgres', from: driver?.from ?? named[0]?.from ?? '' }
  const isElsewhere = driver?.value.engine === 'mongo' || driver?.value.engine === 'mysql'
  return isElsewhere && driver !== undefined ? { value: driver.value.engine, from: driver.from } : undefined
}

export interface Driver {
  readonly engine: Engine
  readonly name: string
  /** SQLAlchemy's, Tortoise's, Prisma's way of writing a URL. */
  readonly through: 'sqlalchemy' | 'tortoise' | 'prisma' | undefined
}

const drivers: readonly (readonly [name: RegExp, engine: Engine])[] = [
  [
    /^(asyncpg|psycopg|psycopg2|psycopg2-binary|psycopg-binary|pg|pg-promise|postgres|slonik|@prisma\/adapter-pg)$/,
    'postgres',
  ],
  [/^(github\.com\/(jackc\/pgx(\/v\d+)?|lib\/pq)|gorm\.io\/driver\/postgres)$/, 'postgres'],
  [
    /^(aiomysql|asyncmy|pymysql|mysqlclient|mysql2?|github\.com\/go-sql-driver\/mysql|gorm\.io\/driver\/mysql)$/,
    'mysql',
  ],
  [
    /^(motor|pymongo|beanie|odmantic|mongodb|mongoose|@typegoose\/typegoose|go\.mongodb\.org\/mongo-driver(\/v\d+)?)$/,
    'mongo',
  ],
  [
    /^(aiosqlite|better-sqlite3|sqlite3?|github\.com\/mattn\/go-sqlite3|modernc\.org\/sqlite|gorm\.io\/driver\/sqlite)$/,
    'sqlite',
  ],
]

/** The client library of the database; of several PostgreSQL's. */
export function driverIn({ node, python, go }: Project): Found<Driver> | undefined {
  const packages = new Map([
    ...(python?.dependencies ?? []),
    ...(node?.dependencies ?? []),
    ...(go?.dependencies ?? []),
  ])
  const through =
    packages.has('sqlalchemy') || packages.has('sqlmodel')
      ? 'sqlalchemy'
      : packages.has('tortoise-orm')
        ? 'tortoise'
        : packages.has('@prisma/client') || packages.has('prisma')
          ? 'prisma'
          : undefined
  for (const [pattern, engine] of drivers)
    for (const [name, from] of packages) if (pattern.test(name)) return { value: { engine, name, through }, from }
  const prisma = packages.get('@prisma/client')
  return prisma === undefined
    ? undefined
    : { value: { engine: 'postgres', name: '@prisma/client', through }, from: prisma }
}

/** How the URL of a database is written for a driver. */
export interface DatabaseUrl {
  readonly value: string
  /** It goes by TCP: the client takes no socket, or it is not known to. */
  readonly tcp: boolean
}

const bySocket = '${database.user}:${database.password}@/${database.name}?host=${database.host}'
const byTcp = '${database.user}:${database.password}@${database.host}:${database.port}/${database.name}'

/** `example` is the URL that the repository shows. */
export function databaseUrl(example: string, driver: Driver | undefined): DatabaseUrl {
  const [, shown = '', query = ''] = /^([a-z0-9+]+):\/\/[^?]*(?:\?(.*))?$/.exec(example) ?? []
  const scheme = shown || (driver?.through === 'sqlalchemy' ? dialectOf(driver.name) : 'postgresql')
  const more = /^[\w=&.-]*$/.test(query) && !/(^|&)(host|user|pass\w*|\w*key)=/i.test(query) ? query : ''
  if (driver?.through === 'prisma') return { value: `\${database.url}?${more || 'schema=public'}`, tcp: true }
  // Only these are known to take the folder of a socket, in this form.
  if (/^postgresql\+(asyncpg|psycopg2?)$/.test(scheme))
    return { value: `${scheme}://${bySocket}${more && `&${more}`}`, tcp: false }
  if (
    /^(psycopg|asyncpg$|github\.com\/(jackc|lib\/pq))/.test(driver?.name ?? '') &&
    /^postgres(ql)?$/.test(scheme) &&
    driver?.through !== 'tortoise'
  )
    return { value: `\${database.url}${more && `&${more}`}`, tcp: false }
  const plain = scheme === 'postgresql' || (scheme === 'postgres' && driver?.through === undefined)
  return { value: `${plain ? '${database.url}' : `${scheme}://${byTcp}`}${more && `?${more}`}`, tcp: true }
}

export function dialectOf(driver: string): string {
  if (driver === 'asyncpg') return 'postgresql+asyncpg'
  return driver.startsWith('psycopg2')
    ? 'postgresql+psycopg2'
    : driver.startsWith('psycopg')
      ? 'postgresql+psycopg'
      : 'postgresql'
}
