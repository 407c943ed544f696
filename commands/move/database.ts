import { databaseName } from '../../lib/platform/database-name.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { relay } from '../../lib/ssh/relay.ts'
import { HostError } from '../../lib/std/errors.ts'
import { fillDatabase } from '../../roles/bot/database/fill.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { plainSession, spelling, sumsQuery } from '../update/postgres/queries.ts'
import { difference } from './files/index.ts'
import type { Route } from './route.ts'
import { isSent } from './sending.ts'

/** Where a dump is until it is read, in plain text: root's alone, and gone with all else of the bot. */
function dumpPath(bot: string): string {
  return `${layoutOf(bot).state}/move.dump`
}

/** What was compared of a database. */
export interface Compared {
  readonly tables: number
  readonly rows: number
}

/**
 * Brings what is in the database of a stopped bot into the empty one on the other host, and compares all rows. Throws a `HostError`
 * with what differs.
 */
export async function moveDatabase(
  route: Route,
  here: Connection,
  there: Connection,
  bot: string,
  number: number,
): Promise<Compared> {
  const sums = sumsScript(bot)
  const before = perform(here, sums)
  // It may fail first, as with a host that is lost, when nobody awaits it yet.
  const settled = before.catch(() => {})
  try {
    await relay({ target: route.from, relayed: dumpScript(bot) }, { target: route.to, relayed: storeScript(bot) })
    await perform(there, fillScript(bot, number))
  } finally {
    // Whatever has failed: who brings the bot back uses this connection, which takes one request at a time.
    await settled
  }
  const [was, is] = [await before, await perform(there, sums)]
  if (was !== is) throw new HostError(`the database of ${bot} is not the same on both hosts:\n${difference(was, is)}`)
  const counts = [...was.matchAll(/ rows (\d+) \S+ \S+$/gm)].map(([, rows]) => Number(rows))
  return { tables: counts.length, rows: counts.reduce((sum, each) => sum + each, 0) }
}

/** Shell text: a function `relayed` that prints a dump. */
export function dumpScript(bot: string): Script {
  return sh`relayed() { docker exec -e PGOPTIONS=${plainSession} ${postgresContainer} pg_dump -U postgres -Fc -d ${databaseName(bot)}; }`
}

/** Shell text: a function `relayed` that keeps a dump; of one that the disk has no room for nothing. */
export function storeScript(bot: string): Script {
  return sh`
    ${isSent(bot)}
    relayed() { (umask 077; mkdir -p ${layoutOf(bot).state}; cat >${dumpPath(bot)}) || { rm -f ${dumpPath(bot)}; return 1; }; }`
}

/** Shell text: the bot's own role reads the dump into its database, and the dump is removed. */
export function fillScript(bot: string, number: number): Script {
  const source = { kind: 'archive', name: 'import', checksum: 'moved', place: sh`source=${dumpPath(bot)}` } as const
  return fillDatabase(bot, number, source)
}

/** Shell text: prints the number of rows of each table and a checksum of all of them, and where each sequence is. */
export function sumsScript(bot: string): Script {
  return sh`
    printf '%s\n' ${`${sumsQuery} \\gexec`} |
      docker exec -i -e PGOPTIONS=${`${plainSession} ${spelling}`} ${postgresContainer} psql -XqAt -v ON_ERROR_STOP=1 -U postgres -d ${databaseName(bot)}`
}

/** Shell text: removes what a move has left on its way. */
export function forgetDump(bot: string): Script {
  return sh`rm -f ${dumpPath(bot)}`
}
