import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { forget } from '../src/app.ts'
import type { Tables } from '../src/database.ts'
import { migrate } from '../src/migrations.ts'
import { cleanUp } from './support/cleanup.ts'
import { cleanDatabase } from './support/database.ts'
import { emptyFolder } from './support/folder.ts'
import { setUp } from './support/setup.ts'

test.after.each(cleanUp)

test('from nothing to all tables, and the second time nothing is left to do', async () => {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: () => PGlite.create() }) })
  assert.equal(await migrate(db), ['2026-11-24-hello', '2026-11-25-outbox'])
  assert.equal(await migrate(db), [])
  const tables = await db.introspection.getTables()
  assert.equal(tables.map(({ name }) => name).sort(), ['outbox', 'processed_update', 'users'])
  await db.destroy()
})

test('a migration that fails leaves nothing behind, and is named', async () => {
  const folder = emptyFolder()
  const db = new Kysely<unknown>({ dialect: new PGliteDialect({ pglite: () => PGlite.create() }) })
  const migration = (query: string) => `export const up = (db) => db.schema.${query}.execute()`
  writeFileSync(join(folder, '2026-01-01-good.mjs'), migration(`createTable('good').addColumn('id', 'integer')`))
  writeFileSync(join(folder, '2026-01-02-bad.mjs'), migration(`dropTable('missing')`))
  const message = await migrate(db, folder).then(String, (error: Error) => error.message)
  assert.is(message, 'migration 2026-01-02-bad: table "missing" does not exist')
  assert.equal(await db.introspection.getTables(), [])
  await db.destroy()
})

test('what was processed is forgotten when Telegram cannot send it again', async () => {
  const db = await cleanDatabase()
  const { log } = await setUp()
  const hours = (n: number) => new Date(Date.now() - n * 3_600_000)
  const rows = [47, 49].map((n) => ({ update_id: n, at: hours(n) }))
  await db.insertInto('processed_update').values(rows).execute()
  await forget(db, log)
  const left = await db.selectFrom('processed_update').select('update_id').execute()
  assert.equal(
    left.map((row) => Number(row.update_id)),
    [47],
  )
})

test.run()
