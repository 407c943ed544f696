import { stateDir } from '../../../lib/model/host-layout.ts'
import { becomes, type Change, type Resource, resource } from '../../../lib/model/resource.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { textOf } from '../../../lib/resources/file-state.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { HostError } from '../../../lib/std/errors.ts'
import type { Dump, InitScript } from '../spec/deployment.ts'
import { layoutOf, uidOf, uploadedDumpPath } from '../spec/layout.ts'
import { currentRelease, parseRelease } from '../spec/release-record.ts'
import { clientOptions } from './client.ts'
import { type Contents, databaseContents } from './contents.ts'

/** What a new database is filled from, and who reads it. */
export interface Source {
  readonly kind: 'init' | Dump['kind']
  /** The file's name in errors of psql. */
  readonly name: string
  /** SHA-256 of it, hexadecimal. */
  readonly checksum: string
  /** Shell text: the file on the host is "$source"; it is removed afterwards. */
  readonly place: Script
}

/** A new database has run the script of its bot's source, once. One that has something in it is left alone. */
export function initialised(bot: string, number: number, { name, sql, checksum }: InitScript): Resource {
  const reads = readingsOf(bot)
  const place = sh`
    source=${layoutOf(bot).state}/init.sql
    printf %s ${Buffer.from(sql).toString('base64')} | base64 -d >"$source"`
  return resource({
    id: `database-init:${bot}`,
    wants: 'run',
    reads,
    plan: ({ contents: { database }, mark }) => {
      if (database === undefined || database.objects > 0 || isMarked(mark, database.oid)) return []
      const source = { kind: 'init', name, checksum, place } as const
      return [change(bot, number, source, `run ${name}, since its database is new`)]
    },
  })
}

/**
 * A new database has what a dump holds. The same dump is not read again. The plan throws a `HostError` where there is something
 * in the database, or the bot serves: it could be in the middle of writing.
 */
export function imported(bot: string, number: number, { kind, name, checksum, bytes }: Dump): Resource {
  const reads = readingsOf(bot)
  return {
    ...resource({
      id: `database-import:${bot}`,
      wants: checksum,
      reads: { ...reads, current: currentRelease(bot) },
      plan: ({ contents: { database }, mark, current }) => {
        if (database === undefined || isMarked(mark, database.oid, checksum)) return []
        const serving = parseRelease(current)
        if (database.objects > 0) throw new HostError(refusal(bot, `has ${database.objects} tables and the like`))
        if (serving !== undefined) throw new HostError(refusal(bot, `is in use by the release ${serving.id}`))
        const source = { kind, name: 'import', checksum, place: sh`source=${uploadedDumpPath(checksum)}` }
        return [change(bot, number, source, `read ${name}, ${Math.max(1, Math.round(bytes / 1e6))} MB`)]
      },
    }),
    outputs: (read) => {
      const mark = read(reads.mark)
      const rows = [...(mark ?? '').matchAll(/^rows (.*)$/gm)].map(([, line = '']) => line)
      return mark?.startsWith(`${kind} ${checksum}\n`) ? { [`${bot} imported, rows`]: rows } : {}
    },
  }
}

function refusal(bot: string, why: string): string {
  return `--import fills a new database, and that of ${bot} ${why}; to begin anew, remove the bot first, which keeps a last dump of it: npx zx playbooks/bot.ts --name ${bot} --remove`
}

function readingsOf(bot: string) {
  return { contents: databaseContents(bot, { always: true }), mark: textOf(markOf(bot)) }
}

/** A file with what the database was filled from: KIND CHECKSUM, `oid NUMBER`, and the rows of each table at that time. */
function markOf(bot: string): string {
  return `${layoutOf(bot).state}/filled`
}

/** It is of this very database, and not of one before it with the same name. */
function isMarked(mark: string | undefined, oid: number, checksum = ''): boolean {
  const text = mark ?? ''
  return text.includes(`\noid ${oid}\n`) && text.includes(checksum)
}

function change(bot: string, number: number, source: Source, summary: string): Change {
  const { contents, mark } = readingsOf(bot)
  const filled = (now: Contents): Contents => ({ ...now, database: now.database && { ...now.database, objects: 1 } })
  return {
    summary,
    script: fillDatabase(bot, number, source),
    long: true,
    predicts: [
      becomes(contents, filled),
      becomes(mark, (_, read) => `${source.kind} ${source.checksum}\noid ${read(contents).database?.oid}\n`),
    ],
  }
}

/** In MiB: disk space that stays free, since all databases share the disk. A small dump can become a large database. */
const reserve = 256

/** Shell text: what the client runs, with the kind of what is read and its file. */
export const loadDatabase = shellFile(new URL('load.sh', import.meta.url))

/**
 * Shell text: fills the database by a client of its own, which is gone afterwards.
 */
export function fillDatabase(bot: string, number: number, { kind, name, checksum, place }: Source): Script {
  const { state } = layoutOf(bot)
  const [client, user] = [clientOf(bot), uidOf(number)]
  // The limits of a bot's sessions are not for a dump.
  const unlimited =
    'PGOPTIONS=-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning'
  const { text } = sh`
    umask 077
    mkdir -p ${state}
    ${place}
    filled=${markOf(bot)}
    trap 'rm -f "$source" "$filled.new"; docker rm -f --volumes ${{ text: client, shown: client }} >/dev/null 2>&1 || :' EXIT
    trap 'exit 143' TERM
    chown ${`${user}:${user}`} "$source"
    chmod 0400 "$source"
    docker rm -f --volumes ${client} >/dev/null 2>&1 || :
    image=$(docker container inspect --format '{{.Config.Image}}' ${postgresContainer})
    printf '%s %s\n' ${kind} ${checksum} >"$filled.new"
    docker run --rm --name ${client} ${clientOptions(bot, user)} --env ${unlimited} \
      --mount type=bind,source="$source",target=/${{ text: name, shown: name }},readonly \
      --entrypoint /bin/sh "$image" -euc ${loadDatabase.text} load ${kind} /${{ text: name, shown: name }} >>"$filled.new" </dev/null &
    client=$! disk_full=''
    while kill -0 "$client" 2>/dev/null; do
      [ "$(df --output=avail -m ${stateDir} | tail -n 1)" -ge ${reserve} ] || {
        disk_full=yes
        docker rm -f --volumes ${client} >/dev/null 2>&1 || :
      }
      sleep 0.2
    done
    wait "$client" || {
      [ -z "$disk_full" ] || echo ${`the disk would be full: ${reserve} MiB must stay free`}
      echo 'nothing was read into the database: it is as empty as it was'
      exit 1
    }
    sync "$filled.new"
    mv -fT "$filled.new" "$filled"`
  return { text, shown: kind === 'archive' ? `pg_restore ${name}` : `psql -f ${name}` }
}

/** The name of the client's container. */
export function clientOf(bot: string): string {
  return `botgarden-${bot}-client`
}
