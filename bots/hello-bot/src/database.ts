import { type Generated, type GeneratedAlways, Kysely, PGliteDialect, PostgresDialect, type Transaction } from 'kysely'
import { Pool, type PoolConfig } from 'pg'
import type { DatabaseConfig } from './config.ts'
import type { Log } from './log.ts'
import { migrate } from './migrations.ts'
import { StartError } from './start-error.ts'

/** The tables as the migrations leave them. */
export interface Tables {
  users: {
    /** A bigint: pg gives a string, PGlite a number. */
    id: number | string
    language_code: string | null
    greetings: Generated<number>
    presses: Generated<number>
    since: Generated<Date>
  }
  processed_update: { update_id: number | string; at: Generated<Date> }
  /** Calls to Telegram that have not been confirmed, see outbox/table.ts. */
  outbox: {
    id: GeneratedAlways<number | string>
    update_id: number | string
    /** Calls of one chat are made in order of id. */
    chat: string
    method: string
    payload: unknown
    at: Generated<Date>
    /** The process that makes the call; it says again and again until when nobody else may. */
    owner: number | null
    until: Date
  }
}

export type Database = Kysely<Tables>
export type Work = Transaction<Tables>

/** One connection more than updates that are handled at once: for the outbox, and to ask for readiness at any time. */
export const connections = 4

/** A server's database is migrated by `npm run migrate` alone, before a new version starts; the embedded one here. */
export async function openDatabase(config: DatabaseConfig, log: Log): Promise<Database> {
  if (config.kind === 'embedded') {
    const db = await openEmbedded(config.folder)
    await migrate(db)
    return db
  }
  return openServer(config, log, {
    max: connections,
    min: 0,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: 1_800,
    application_name: 'hello-bot',
    statement_timeout: 10_000,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: 15_000,
  })
}

/** For migrations: one connection, and time to wait for a lock, but not so much that a deploy hangs. */
export async function openForMigrations(config: DatabaseConfig, log: Log): Promise<Database> {
  if (config.kind === 'embedded') return openEmbedded(config.folder)
  // Kysely waits up to an hour for another migrator, whatever lock_timeout says: statement_timeout ends that too.
  return openServer(config, log, {
    max: 1,
    application_name: 'hello-bot migrate',
    lock_timeout: 60_000,
    statement_timeout: 60_000,
  })
}

function openServer(config: Exclude<DatabaseConfig, { kind: 'embedded' }>, log: Log, options: PoolConfig): Database {
  const pool = new Pool({ ...addressOf(config), connectionTimeoutMillis: 5_000, keepAlive: true, ...options })
  // Without a listener the end of an idle connection, as in any restart of the server, would end this process.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection was lost'))
  // The same for one that is in use, but waits for Telegram at the moment. The next query on it fails by itself.
  pool.on('connect', (client) => client.on('error', (error) => log.debug({ err: error }, 'connection lost')))
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
}

function addressOf(config: Exclude<DatabaseConfig, { kind: 'embedded' }>): PoolConfig {
  if (config.kind === 'url') return { connectionString: config.url }
  const { host, port, user, database, password, certificate } = config
  return {
    ...{ host, port, user, database },
    ...(password !== undefined && { password }),
    ...(certificate !== undefined && {
      ssl: { ...(certificate !== 'system' && { ca: certificate }), servername: host },
    }),
  }
}

async function openEmbedded(folder: string): Promise<Database> {
  // It is large, and of use on a developer's machine only: the image comes without it.
  const { PGlite } = await import('@electric-sql/pglite').catch((cause: unknown) => {
    throw new StartError('there is no database: set DATABASE_URL or PGHOST (PGlite is not installed)', { cause })
  })
  return new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: () => PGlite.create(folder) }) })
}
