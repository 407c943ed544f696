import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('language_code', 'text')
    .addColumn('greetings', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('presses', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('since', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .execute()
  await db.schema
    .createTable('processed_update')
    .addColumn('update_id', 'bigint', (column) => column.primaryKey())
    .addColumn('at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .execute()
  await db.schema.createIndex('processed_update_at').on('processed_update').column('at').execute()
}
