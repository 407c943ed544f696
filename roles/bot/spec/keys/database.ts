import * as v from 'valibot'
import { externalKeys } from './external-database.ts'

/** What a bot needs of its database beyond having one. */
const needs = {
  /** It is also reached by TCP, as postgres:5432, with TLS or without, by this bot alone. */
  tcp: v.optional(v.boolean()),
  /** The most connections that a version of the bot may open; left out: 4. While it is replaced there are two versions. */
  connections: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100), v.description('a number of connections, 1 to 100')),
  ),
  /** Extensions to create in it, of those that PostgreSQL trusts its owner with. */
  extensions: v.optional(
    v.array(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_-]{0,62}$/), v.description('an extension like pg_trgm'))),
  ),
  /** A file of SQL in the source, run once, when the database is new. */
  init: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(?!.*\.\.)[\w.-]+(\/[\w.-]+)*\.sql$/),
      v.description('a file in the source like init.sql'),
    ),
  ),
}

export const databaseKeys = v.strictObject({
  ...needs,
  external: v.optional(
    v.never('where a database is belongs to the place and not to the app: it goes into the inventory, under "bots:"'),
  ),
})

/** In the inventory: what it needs, or where it is, if somebody else keeps it. */
export const placedDatabaseKeys = v.pipe(
  v.strictObject({ ...needs, external: v.optional(externalKeys) }),
  v.check(
    (said) => said.external === undefined || Object.keys(said).length === 1,
    '"external:" is a database that somebody else keeps, with its own limits, extensions and content: leave the other keys out',
  ),
)
export type DatabaseSettings = v.InferOutput<typeof databaseKeys>
export type PlacedDatabase = v.InferOutput<typeof placedDatabaseKeys>
