import { literal } from '../../lib/platform/postgres.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { DatabasePart } from './restore-task.ts'

// A table whose name has a line break is never counted by the backup.
const quotedName = /^(?:[a-z_][a-z0-9_$]*|"(?:[^"\0\r\n]|"")+")(?:\.(?:[a-z_][a-z0-9_$]*|"(?:[^"\0\r\n]|"")+"))?$/

/** SQL that counts the rows of each table of a manifest. Throws a `HostError` for a name that is not a quoted SQL name. */
export function countQuery(part: DatabasePart): string {
  return tablesOf(part)
    .map(([table]) => `select ${literal(table)} || ' ' || count(*) from ${table};`)
    .join('\n')
}

/** The output of that query where all counts are those of the manifest. */
export function wantedCounts(part: DatabasePart): string {
  return tablesOf(part)
    .map(([table, count]) => `${table} ${count}\n`)
    .join('')
}

/** Validated, since the manifest comes from a host. */
function tablesOf({ tables, database }: DatabasePart): [string, number][] {
  const all = Object.entries(tables).sort(([one], [other]) => (one < other ? -1 : 1))
  const strange = all.find(([table]) => !quotedName.test(table))
  if (strange)
    throw new HostError(`the manifest of ${database} has an invalid table name: ${JSON.stringify(strange[0])}`)
  return all
}
