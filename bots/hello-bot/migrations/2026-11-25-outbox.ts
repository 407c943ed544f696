import { type Kysely, sql } from 'kysely'

/** The version before this one does not look at it: both may run at once, and it may come back. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('outbox')
    .addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('update_id', 'bigint', (column) => column.notNull())
    .addColumn('chat', 'text', (column) => column.notNull())
    .addColumn('method', 'text', (column) => column.notNull())
    // Not jsonb, which refuses some of what JSON can say, such as \u0000.
    .addColumn('payload', 'json', (column) => column.notNull())
    .addColumn('at', 'timestamptz', (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn('owner', 'integer')
    .addColumn('until', 'timestamptz', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('outbox_chat').on('outbox').column('chat').execute()
}
