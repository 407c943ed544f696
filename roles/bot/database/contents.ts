import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { botFolders } from '../spec/layout.ts'

/** What is in the database of a bot, as far as it is asked. */
export interface Contents {
  /** The extensions that the server trusts an owner with; undefined where it was not asked. */
  readonly trusted: readonly string[] | undefined
  /** Undefined where there is no such database, or it does not answer. */
  readonly database: DatabaseContents | undefined
}

interface DatabaseContents {
  /** The number that the server gave it when it was made. */
  readonly oid: number
  /** Tables, views, sequences and schemas that belong to no extension. */
  readonly objects: number
  readonly extensions: readonly string[]
}

/** What a database holds that was just made. */
export const newDatabase: DatabaseContents = { oid: 0, objects: 0, extensions: ['plpgsql'] }

/**
 * The contents of a bot's database. `always`: else it is asked for only where the release that serves has extensions, so that
 * other bots cost nothing.
 */
export function databaseContents(bot: string, { always }: { always: boolean }): Reading<Contents> {
  return reading(contentsKind, always ? `${bot} always` : bot)
}

const contentsKind: Kind<Contents> = {
  name: 'database-contents',
  // Bots change it at any time.
  volatile: true,
  script: (names) => sh`
    asked=''
    for each in ${names}; do
      bot=\${each% always} record=''
      [ "$bot" != "$each" ] || IFS= read -r record 2>/dev/null <${botFolders.state}/"$bot"/current.json || :
      case "$each $record" in *' always '* | *'"extensions":['*) asked="$asked $bot" ;; esac
    done
    # shellcheck disable=SC2086
    [ -z "$asked" ] || printf '%s\n' ${query} | docker exec -i ${postgresContainer} sh -c ${askEach.text} contents $asked 2>/dev/null`,
  parse: (output, names) => {
    const trusted = /^trusted (\[.*\])$/m.exec(output)?.[1]
    const lines = [...output.matchAll(/^contents (\S+) (\{.*\})$/gm)]
    const found = new Map(lines.map(([, bot, json = '']) => [bot, JSON.parse(json) as DatabaseContents] as const))
    return new Map(
      names.map((name) => [
        name,
        {
          trusted: trusted === undefined ? undefined : (JSON.parse(trusted) as string[]),
          database: found.get(databaseName(name.split(' ')[0] ?? '')),
        },
      ]),
    )
  },
}

const askEach = shellFile(new URL('contents.sh', import.meta.url))

// In one row, so that what an owner has named cannot begin a line.
const query = `select 'contents ' || d.datname || ' ' || json_build_object(
  'oid', d.oid::int8,
  'objects', (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind <> 'i'
        and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e'))
    + (select count(*) from pg_namespace n where n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public')
        and not exists (select from pg_depend where classid = 'pg_namespace'::regclass and objid = n.oid and deptype = 'e')),
  'extensions', (select json_agg(extname order by extname) from pg_extension))
from pg_database d where datname = current_database();`
