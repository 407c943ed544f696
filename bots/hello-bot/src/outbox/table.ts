import { type Kysely, sql } from 'kysely'
import type { Database, Tables, Work } from '../database.ts'

/** A call to Telegram as data. */
export interface Call {
  /** The chat that it goes to. */
  readonly chat: string
  readonly method: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface Row extends Call {
  readonly id: number
  readonly updateId: number
  readonly owner: number
  /** When it was written, in milliseconds since 1970. */
  readonly at: number
}

/** How long a row belongs to a process that does not renew it: it is dead, or cannot reach the database. */
const lease = sql`clock_timestamp() + interval '15 seconds'`

/**
 * Writes calls into the outbox, in the transaction of their update. Where the chat has rows that belong to another
 * process, alive or dead, they belong to none: a sweep takes them, when it can take or no longer finds the others.
 */
export async function insert(work: Work, owner: number, updateId: number, calls: readonly Call[]): Promise<Row[]> {
  // Not as one JSON array: taken apart, its \u0000 would be an error.
  const [chats, methods, payloads] = [
    calls.map(({ chat }) => chat),
    calls.map(({ method }) => method),
    calls.map(({ payload }) => JSON.stringify(payload)),
  ]
  const { rows } = await sql<Stored>`
    insert into outbox (update_id, chat, method, payload, owner, until)
    select ${updateId}::bigint, chat, method, payload::json, case when not exists
      (select from outbox as other where other.chat = call.chat and other.owner is distinct from ${owner}::integer)
      then ${owner}::integer end, ${lease}
    from unnest(${chats}::text[], ${methods}::text[], ${payloads}::text[]) with ordinality
      as call(chat, method, payload, n) order by n
    returning ${columns}`.execute(work)
  return rows.map(rowOf)
}

/** They were made, or refused. */
export async function remove(db: Database, ids: readonly number[]): Promise<void> {
  await sql`delete from outbox where id = any(${ids}::bigint[])`.execute(db)
}

/** Keeps rows for this process. Returns the ids that are still its own. */
export async function renew(db: Database, rows: readonly Row[]): Promise<Set<number>> {
  const renewed = await sql<{ id: number | string }>`
    update outbox set until = ${lease} where ${ownOnes(rows)} returning id`.execute(db)
  return new Set(renewed.rows.map(({ id }) => Number(id)))
}

/** Leaves rows to the next process that looks. */
export async function release(db: Database, rows: readonly Row[]): Promise<void> {
  await sql`update outbox set owner = null where ${ownOnes(rows)}`.execute(db)
}

/** Whether there are rows that are not this owner's. */
export async function hasOthers(db: Kysely<Tables>, owner: number): Promise<boolean> {
  const row = await db
    .selectFrom('outbox')
    .select('id')
    .where((where) => where.or([where('owner', 'is', null), where('owner', '<>', owner)]))
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Takes the rows that belong to no living process, but for chats where another one is still at work. */
export async function claim(db: Database, owner: number): Promise<Row[]> {
  return db.transaction().execute(async (work) => {
    // Two at once could share the rows of a chat between them. Not the key of any chat: those have one number.
    const { rows: turn } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(1, 1) as mine`.execute(work)
    if (turn[0]?.mine !== true) return []
    const { rows } = await sql<Stored>`
      update outbox set owner = ${owner}::integer, until = ${lease}
      where owner is distinct from ${owner}::integer and not exists
        (select from outbox as other where other.chat = outbox.chat and other.owner <> ${owner}::integer
          and other.until >= clock_timestamp())
      returning ${columns}`.execute(work)
    return rows.map(rowOf).sort((one, other) => one.id - other.id)
  })
}

/** What `columns` are. A bigint is a string from pg, and a number from PGlite. */
interface Stored extends Call {
  readonly id: number | string
  readonly update_id: number | string
  readonly owner: number | null
  readonly at: Date
}

const columns = sql.raw('id, update_id, chat, method, payload, owner, at')

function rowOf({ id, update_id, owner, at, chat, method, payload }: Stored): Row {
  return { id: Number(id), updateId: Number(update_id), owner: owner ?? 0, at: at.getTime(), chat, method, payload }
}

function ownOnes(rows: readonly Row[]) {
  const owners = [...new Set(rows.map(({ owner }) => owner))]
  return sql`id = any(${rows.map(({ id }) => id)}::bigint[]) and owner = any(${owners}::integer[])`
}
