import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { Kysely } from 'kysely'
import { FileMigrationProvider, Migrator } from 'kysely/migration'

/** Runs what has not run yet, all or nothing, and returns the names. */
// biome-ignore lint/suspicious/noExplicitAny: migrations are frozen in time and know nothing of today's tables
export async function migrate(db: Kysely<any>, folder = path.join(import.meta.dirname, '../migrations')) {
  const provider = new FileMigrationProvider({ fs, path, migrationFolder: folder })
  // It never throws: what went wrong is in the result.
  const { error, results = [] } = await new Migrator({ db, provider }).migrateToLatest()
  if (error === undefined) return results.map(({ migrationName }) => migrationName)
  const failed = results.find(({ status }) => status === 'Error')
  throw new Error(`migration ${failed?.migrationName ?? 'not begun'}: ${messageOf(error)}`, { cause: error })
}

function messageOf(error: unknown): string {
  // An AggregateError (all addresses of a host refused) has no message of its own.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
