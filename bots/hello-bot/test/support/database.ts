import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import { type Database, openDatabase, openForMigrations, type Tables } from '../../src/database.ts'
import { createLog } from '../../src/log.ts'
import { migrate } from '../../src/migrations.ts'
import { afterwards } from './cleanup.ts'

let shared: Database | undefined

/** An empty database with all tables. It takes a second to start, so tests share it, one after another. */
export async function cleanDatabase(): Promise<Database> {
  shared ??= await newDatabase()
  await shared.deleteFrom('users').execute()
  await shared.deleteFrom('processed_update').execute()
  await shared.deleteFrom('outbox').execute()
  return shared
}

/** One of a real server, with empty tables. */
export async function serverDatabase(url: string) {
  const config = { kind: 'url', url } as const
  const silent = createLog({ level: 'silent', secrets: [] })
  const empty = await openForMigrations(config, silent)
  await migrate(empty)
  await empty.deleteFrom('users').execute()
  await empty.deleteFrom('processed_update').execute()
  await empty.deleteFrom('outbox').execute()
  await empty.destroy()
  const db = await openDatabase(config, silent)
  afterwards(() => db.destroy())
  return db
}

/** A server that is not there. */
export function deadDatabase(): Database {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new Pool({ host: '/nowhere', user: 'nobody' }) }) })
}

async function newDatabase(): Promise<Database> {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: () => PGlite.create() }) })
  await migrate(db)
  return db
}

/** How many updates count as processed. */
export async function processed(db: Database): Promise<number> {
  return (await db.selectFrom('processed_update').select('update_id').execute()).length
}

/** How often each user was greeted. */
export async function greetings(db: Database): Promise<number[]> {
  return (await db.selectFrom('users').select('greetings').orderBy('id').execute()).map((row) => row.greetings)
}

/** How many calls to Telegram are not confirmed. */
export async function waiting(db: Database): Promise<number> {
  return (await db.selectFrom('outbox').select('id').execute()).length
}
