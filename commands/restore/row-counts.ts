import { literal } from '../../lib/platform/postgres.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { DatabasePart } from './order.ts'

// No line of a dump holds half of a name: one with a line break was never counted.
const quotedName = /^(?:[a-z_][a-z0-9_$]*|"(?:[^"\0\r\n]|"")+")(?:\.(?:[a-z_][a-z0-9_$]*|"(?:[^"\0\r\n]|"")+"))?$/

/** SQL that counts the rows of each table of a manifest, whose names are as SQL has them. */
export function countQuery(part: DatabasePart): string {
  return tablesOf(part)
    .map(([table]) => `select ${literal(table)} || ' ' || count(*) from ${table};`)
    .join('\n')
}

/** What that prints where all is as it was. */
export function wantedCounts(part: DatabasePart): string {
  return tablesOf(part)
    .map(([table, count]) => `${table} ${count}\n`)
    .join('')
}

/** A manifest comes from elsewhere. */
function tablesOf({ tables, database }: DatabasePart): [string, number][] {
  const all = Object.entries(tables).sort(([one], [other]) => (one < other ? -1 : 1))
  const strange = all.find(([table]) => !quotedName.test(table))
  if (strange)
    throw new HostError(`the manifest of ${database} names a table that cannot be one: ${JSON.stringify(strange[0])}`)
  return all
}
