import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import { ident } from '../../../lib/platform/postgres.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { suggest } from '../../../lib/std/suggest.ts'
import { currentRelease, parseRelease } from '../spec/release-record.ts'
import { type Contents, databaseContents } from './contents.ts'

/**
 * The extensions of a bot's database: those of `wanted`, or without it those of the release that serves. Others stay. The plan
 * throws a `HostError` for one that PostgreSQL does not trust an owner with.
 */
export function extensions(bot: string, wanted: readonly string[] | undefined): Resource {
  const now = databaseContents(bot, { always: wanted !== undefined })
  const database = databaseName(bot)
  return resource({
    id: `postgres-extensions:${database}`,
    wants: wanted ?? 'as released',
    reads: { now, current: currentRelease(bot) },
    plan: ({ now: contents, current }) => {
      const names = wanted ?? parseRelease(current)?.spec.extensions ?? []
      if (names.length > 0) refuseUntrusted(names, contents)
      const missing = names.filter((name) => contents.database && !contents.database.extensions.includes(name))
      if (missing.length === 0) return []
      const after = (before: Contents): Contents => ({
        ...before,
        database: before.database && {
          ...before.database,
          extensions: [...before.database.extensions, ...missing].sort(),
        },
      })
      return [
        { summary: `create ${missing.join(', ')}`, script: create(database, missing), predicts: [becomes(now, after)] },
      ]
    },
  })
}

function refuseUntrusted(names: readonly string[], { trusted }: Contents): void {
  if (trusted === undefined) return
  const strange = names.find((name) => !trusted.includes(name))
  if (strange === undefined) return
  const why = 'it is not one that PostgreSQL trusts the owner of a database with, since it could reach beyond it'
  throw new HostError(
    `database.extensions: ${strange}: ${why}${suggest(strange, trusted)}; this server has ${trusted.join(', ')}`,
  )
}

/** As the bot's own role, which is the owner of the database: then no more is trusted than that one could have itself. */
function create(database: string, names: readonly string[]): Script {
  const options = `PGOPTIONS=-c role=${database} -c search_path=public`
  const text = names.map((name) => `create extension ${ident(name)} cascade;`)
  const psql = ['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=terse', '-U', 'postgres', '-d', database]
  const { text: script } = sh`printf '%s\n' ${text} | docker exec -i -e ${options} ${postgresContainer} ${psql}`
  return { text: script, shown: text.join('\n') }
}
