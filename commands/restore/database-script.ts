import { dumpFunction, dumpsFolder } from '../../lib/platform/database-dump.ts'
import { isReserved } from '../../lib/platform/database-name.ts'
import { reader, replaced, restoring } from '../../lib/platform/leftovers.ts'
import { freed, ident, literal } from '../../lib/platform/postgres.ts'
import { postgresContainer } from '../../lib/platform/postgres-catalog.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { placesOf } from '../../roles/bot/spec/layout.ts'
import { ownerKnown } from './database-owner.ts'
import { drillContainer, forgetDrill, startDrill, tooLarge } from './drill-server.ts'
import type { DatabasePart, Order } from './order.ts'
import { countQuery, wantedCounts } from './row-counts.ts'

/** In MB, what stays free of the disk whatever a dump unfolds to: all databases lie on it. */
const reserve = 256

const functions = shellFile(new URL('restore.sh', import.meta.url))
const disk = shellFile(new URL('restore-disk.sh', import.meta.url))

/**
 * Takes in a dump that lies on the host: into a database of its own first, compared table by table with what was counted
 * when it was taken, and only then in the place of the one that is there, which is dumped before. The file is removed in the end.
 * What the dump says is run by a role that has nothing but this database: even of its owner's it is no member, who may drop
 * the one that is there. All of it is given to the owner in the end.
 */
export function restoreScript(order: Order, part: DatabasePart, dump: string): Script {
  const drill = order.target === undefined
  const owner = !drill ? part.owner : isReserved(part.database) ? 'botgarden-owner' : part.database
  const { text } = sh`
    server=${drill ? drillContainer : postgresContainer} dump=${dump} idle=''
    ${order.bot === undefined ? sh`bot=` : servingContainer(order.bot)}
    ${functions}
    ${drill ? sh`:` : disk}
    tidy() {
      trap - EXIT
      rm -f "$dump" "$dump.counts" "$dump.wanted"
      # Also where a cut restore has stopped it, and this one has nothing to stop.
      [ -z "$bot" ] || docker start "$bot" >/dev/null || { echo 'its container does not start: run site.ts'; idle=yes; }
      ${
        drill
          ? forgetDrill()
          : sh`
      docker exec "$server" rm -f /tmp/restoring.pgpass
      forget ${restoring} || :
      sql ${`drop role if exists ${ident(reader)};`} || :`
      }
      [ -z "$idle" ] || exit 1
    }
    trap tidy EXIT
    # An orderly reboot ends us by it, and sh without a trap of its own then runs no other.
    trap 'exit 143' TERM
    began=$(date +%s)
    ${drill ? lines([tooLarge(part.database), startDrill(part.size), sh`sql ${`create role ${ident(owner)};`}`]) : ownerKnown(order, part)}
    ${order.target === undefined || order.target === order.database ? sh`:` : notThere(order.target)}
    make_place
    ${drill ? sh`:` : sh`need_disk ${reserve + Math.ceil(part.size / 2 ** 20)}`}
    begin_reading
    ${drill ? sh`:` : sh`watch_disk ${reserve}`}
    wait "$reading" || {
      tail -n 20 "$dump.counts"
      ${drill ? sh`! { docker container inspect --format 'killed {{.State.OOMKilled}}' "$server"; docker logs --tail 50 "$server" 2>&1; } | grep -q 'killed true\|No space left on device' || too_large` : sh`[ -z "$full" ] || echo ${`the disk would be full: ${reserve} MB of it are to stay free`}`}
      echo 'the dump cannot be restored; what was there is as it was'
      exit 1
    }
    compare_rows ${countQuery(part)} ${wantedCounts(part)}
    sql ${`reassign owned by ${ident(reader)} to ${ident(owner)}; drop owned by ${ident(reader)};`} ${restoring}
    # Nothing of that is in a dump as pg_dump makes it, and what is restored is to be backed up and opened as any other.
    sql ${`comment on database ${ident(restoring)} is null; ${nobodyElse}`}
    sql ${`alter database ${ident(restoring)} with is_template false allow_connections true connection limit -1; alter database ${ident(restoring)} reset all;`}
    ${drill ? sh`:` : swapDatabases(order)}
    echo "in $(($(date +%s) - began)) s"`
  return { text, shown: `pg_restore --dbname=${restoring} <${dump}` }
}

/** SQL: no right on the database is left that its owner has not as such: not even what everybody may. */
const nobodyElse = `
  select format('revoke all on database %I from %s cascade', datname, case grantee when 0 then 'public' else grantee::regrole::text end)
  from pg_database, aclexplode(datacl) where datname = ${literal(restoring)} and grantee <> datdba \\gexec`

/** The container that a bot's release says serves: it is meant to run, whether or not it does. */
function servingContainer(bot: string): Script {
  return sh`
    bot=$(sed -n 's/.*"colour":"\([a-z]*\)".*/\1/p' ${placesOf(bot).current} 2>/dev/null) || :
    bot=\${bot:+${`botgarden-${bot}-`}"$bot"}`
}

function notThere(target: string): Script {
  const there = `select count(*) from pg_database where datname = ${literal(target)}`
  return sh`[ "$(sql ${there})" = 0 ] || { echo ${`there is a database ${target} already`}; exit 1; }`
}

/** Whoever writes to it is stopped for that; Telegram keeps what comes meanwhile. */
function swapDatabases({ target = '', bot }: Order): Script {
  const exists = `select count(*) from pg_database where datname = ${literal(target)}`
  const swap = [
    'begin;',
    `alter database ${ident(target)} rename to ${ident(replaced)};`,
    // For whoever finds it after a cut.
    `comment on database ${ident(replaced)} is ${literal(target)};`,
    `alter database ${ident(restoring)} rename to ${ident(target)};`,
    'commit;',
  ]
  return sh`
    ${
      bot === undefined
        ? sh`:`
        : sh`docker ps --quiet --filter ${`label=botgarden.bot=${bot}`} | xargs -r docker stop --time 20 >/dev/null`
    }
    there=$(sql ${exists})
    if [ "$there" = 1 ]; then
      ${freed(target)}
      ${dumpFunction}
      take_dump ${target} ${`${dumpsFolder}/${bot ?? target}`} before-restore- 3
      echo "what was there is in $taken"
      forget ${replaced}
      sql ${`select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = ${literal(target)};`} >/dev/null
      # Both names change at once, or neither.
      sql ${swap.join('\n')}
      forget ${replaced}
    else
      sql ${`alter database ${ident(restoring)} rename to ${ident(target)};`}
    fi`
}
