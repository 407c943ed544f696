import { HostError } from '../../lib/errors.ts'
import { images } from '../../lib/images.ts'
import { ident, literal } from '../../lib/postgres.ts'
import { postgresContainer } from '../../lib/postgres-catalog.ts'
import { type Script, sh } from '../../lib/sh.ts'
import type { DatabasePart, Order } from './take-in.ts'

/** The role that a dump is read as: a member of its owner's, and nothing else. What a dump asks for beyond that it does not get. */
// With a dash, which no bot's role or database has.
const reader = 'botgarden-reader'
const scratch = 'botgarden-restoring'
const before = 'botgarden-before'

/**
 * Takes in a dump that lies on the host: into a database of its own first, compared table by table with what was counted
 * when it was taken, and only then in the place of the one that is there, which is dumped before. The file is removed in the end.
 */
export function restoreScript(order: Order, part: DatabasePart, dump: string): Script {
  const drill = order.target === undefined
  const server = drill ? 'botgarden-drill' : postgresContainer
  // In a throwaway server it is nobody's.
  const owner = drill ? 'botgarden-owner' : part.owner
  const { text } = sh`
    server=${server} dump=${dump} idle=
    ${order.bot === undefined ? sh`bot=` : servingContainer(order.bot)}
    sql() { printf '%s\n' "$1" | docker exec -i "$server" psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres -d "\${2:-postgres}"; }
    tidy() {
      trap - EXIT
      rm -f "$dump"
      # Also where a cut restore has stopped it, and this one has nothing to stop.
      [ -z "$bot" ] || docker start "$bot" >/dev/null || { echo 'its container does not start: run site.ts'; idle=yes; }
      ${
        drill
          ? sh`docker rm -f --volumes "$server" >/dev/null 2>&1 || :`
          : sh`
      docker exec "$server" rm -f /tmp/restoring.pgpass
      sql ${`drop database if exists ${ident(scratch)} with (force);`} || :
      sql ${`drop role if exists ${ident(reader)};`} || :`
      }
      [ -z "$idle" ] || exit 1
    }
    trap tidy EXIT
    # An orderly reboot ends us by it, and sh without a trap of its own then runs no other.
    trap 'exit 143' TERM
    began=$(date +%s)
    ${drill ? throwaway(owner) : sh`:`}
    ${drill ? sh`:` : refusals(order, owner)}
    password=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')
    sql ${`drop database if exists ${ident(scratch)} with (force);`}
    sql ${`drop role if exists ${ident(reader)};`}
    sql "create role "${ident(reader)}" login nosuperuser nocreatedb nocreaterole inherit password '$password'; grant "${ident(owner)}" to "${ident(reader)}";"
    sql ${`create database ${ident(scratch)} owner ${ident(owner)} template template0;`}
    sql ${`revoke all on database ${ident(scratch)} from public;`}
    printf '*:*:*:%s:%s\n' ${reader} "$password" | docker exec -i "$server" sh -c 'umask 077; cat >/tmp/restoring.pgpass'
    docker exec -i -e PGPASSFILE=/tmp/restoring.pgpass "$server" pg_restore --username=${reader} --role=${owner} \
      --dbname=${scratch} --no-owner --no-privileges --exit-on-error --single-transaction <"$dump" 2>&1 || {
      echo 'the dump cannot be restored; what was there is as it was'
      exit 1
    }
    printf '%s\n' ${countQuery(part, owner)} | docker exec -i -e PGPASSFILE=/tmp/restoring.pgpass "$server" psql -XqAt -v ON_ERROR_STOP=1 -U ${reader} -d ${scratch} >"$dump.counts"
    printf %s ${wantedCounts(part)} >"$dump.wanted"
    ${sh`cmp -s "$dump.counts" "$dump.wanted" || { echo 'not the rows that were counted when it was taken (-), but (+):'; diff -U 0 "$dump.wanted" "$dump.counts" | tail -n +4 | head -n 20; rm -f "$dump.counts" "$dump.wanted"; exit 1; }`}
    rm -f "$dump.counts" "$dump.wanted"
    ${drill ? sh`:` : inItsPlace(order)}
    echo "in $(($(date +%s) - began)) s"`
  return { text, shown: `pg_restore --dbname=${scratch} <${dump}` }
}

/** The container that a bot's release says serves: it is meant to run, whether or not it does. */
function servingContainer(bot: string): Script {
  return sh`
    bot=$(sed -n 's/.*"colour":"\([a-z]*\)".*/\1/p' ${`/var/lib/botgarden/bots/${bot}/current.json`} 2>/dev/null) || :
    bot=\${bot:+${`botgarden-${bot}-`}"$bot"}`
}

/** A server without a network, in memory, that nobody else knows of. */
function throwaway(owner: string): Script {
  return sh`
    docker rm -f --volumes "$server" >/dev/null 2>&1 || :
    image=$(docker container inspect --format '{{.Config.Image}}' ${postgresContainer} 2>/dev/null || echo ${images.postgres})
    docker run --detach --name "$server" --network none --memory 512m --shm-size 64m --env POSTGRES_HOST_AUTH_METHOD=trust --env POSTGRES_PASSWORD=unused "$image" \
      -c fsync=off -c listen_addresses= >/dev/null
    for second in $(seq 90); do
      [ "$(docker exec "$server" sh -c 'head -n 1 "$PGDATA/postmaster.pid"' 2>/dev/null)" = 1 ] && docker exec "$server" pg_isready --quiet && break
      [ "$second" != 90 ] || { echo 'the throwaway server does not start'; docker logs --tail 10 "$server" 2>&1; exit 1; }
      sleep 1
    done
    sql ${`create role ${ident(owner)};`}`
}

function refusals({ database, target = '' }: Order, owner: string): Script {
  const there = (name: string) => `select count(*) from pg_database where datname = ${literal(name)}`
  return sh`
    [ "$(sql ${`select count(*) from pg_roles where not rolsuper and rolname = ${literal(owner)}`})" = 1 ] || {
      echo ${`there is no role ${owner} on this host that may own it: deploy its bot first (bot.ts), or restore the whole host (--host)`}
      exit 1
    }
    ${target === database ? sh`:` : sh`[ "$(sql ${there(target)})" = 0 ] || { echo ${`there is a database ${target} already`}; exit 1; }`}`
}

/** Whoever writes to it is stopped for that; Telegram keeps what comes meanwhile. */
function inItsPlace({ target = '', bot }: Order): Script {
  const folder = `/var/lib/botgarden/dumps/${bot ?? target}`
  const exists = `select count(*) from pg_database where datname = ${literal(target)}`
  return sh`
    ${
      bot === undefined
        ? sh`:`
        : sh`docker ps --quiet --filter ${`label=botgarden.bot=${bot}`} | xargs -r docker stop --time 20 >/dev/null`
    }
    there=$(sql ${exists})
    if [ "$there" = 1 ]; then
      mkdir -p -m 0700 /var/lib/botgarden/dumps ${folder}
      kept=${folder}/before-restore-$(date -u +%Y%m%d-%H%M%S).dump
      (umask 077; docker exec "$server" pg_dump -U postgres -Fc ${target} >"$kept.new")
      docker exec -i "$server" pg_restore --list <"$kept.new" >/dev/null
      mv -fT "$kept.new" "$kept"
      echo "what was there is in $kept"
      sql ${`drop database if exists ${ident(before)} with (force);`}
      sql ${`select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = ${literal(target)};`} >/dev/null
      ls -1 ${folder}/before-restore-*.dump | sort -r | tail -n +4 | xargs -r rm -f
      # Both names change at once, or neither.
      sql ${`begin;\nalter database ${ident(target)} rename to ${ident(before)};\nalter database ${ident(scratch)} rename to ${ident(target)};\ncommit;`}
    else
      sql ${`alter database ${ident(scratch)} rename to ${ident(target)};`}
    fi
    sql ${`drop database if exists ${ident(before)} with (force);`}`
}

const quotedName = /^(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")(?:\.(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+"))*$/

/** As SQL has them: a manifest comes from elsewhere. */
function tablesOf({ tables, database }: DatabasePart): [string, number][] {
  const all = Object.entries(tables).sort(([one], [other]) => (one < other ? -1 : 1))
  const strange = all.find(([table]) => !quotedName.test(table))
  if (strange) throw new HostError(`the manifest of ${database} names a table that cannot be one: ${strange[0]}`)
  return all
}

function countQuery(part: DatabasePart, owner: string): string {
  const each = tablesOf(part).map(([table]) => `select ${literal(table)} || ' ' || count(*) from ${table};`)
  return [`set role ${ident(owner)};`, ...each].join('\n')
}

function wantedCounts(part: DatabasePart): string {
  return tablesOf(part)
    .map(([table, count]) => `${table} ${count}\n`)
    .join('')
}
