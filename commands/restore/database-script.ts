import { dumpFunction, dumpsFolder } from '../../lib/platform/database-dump.ts'
import { isReserved } from '../../lib/platform/database-name.ts'
import { reader, replaced, restoring } from '../../lib/platform/leftovers.ts'
import { freed, ident, literal } from '../../lib/platform/postgres.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { checkOwner } from './database-owner.ts'
import { drillContainer, removeDrill, startDrill, tooLarge } from './drill-server.ts'
import type { DatabasePart, RestoreTask } from './restore-task.ts'
import { countQuery, wantedCounts } from './row-counts.ts'

/** In MiB: disk space that a restore leaves free, since all databases share the disk. */
const reserve = 256

const functions = shellFile(new URL('restore.sh', import.meta.url))
const disk = shellFile(new URL('restore-disk.sh', import.meta.url))

/**
 * Shell text: restores an uploaded dump into a database of its own, compares the row count of each table with the backup, and
 * only then swaps it with the existing database, which is dumped before. The uploaded file is removed in any case. The dump is
 * restored by a role without other rights, and not by the owner, who could drop the existing database.
 */
export function restoreScript(task: RestoreTask, part: DatabasePart, dump: string): Script {
  const drill = task.target === undefined
  const owner = !drill ? part.owner : isReserved(part.database) ? 'botgarden-owner' : part.database
  const { text } = sh`
    server=${drill ? drillContainer : postgresContainer} dump=${dump} idle=''
    ${task.bot === undefined ? sh`bot=` : servingContainer(task.bot)}
    ${functions}
    ${drill ? sh`:` : disk}
    cleanup() {
      trap - EXIT
      rm -f "$dump" "$dump.counts" "$dump.wanted"
      # Also where an interrupted restore has stopped it.
      [ -z "$bot" ] || printf '%s\n' "$bot" | xargs docker start >/dev/null || { echo 'its container does not start: run site.ts'; idle=yes; }
      ${
        drill
          ? removeDrill()
          : sh`
      docker exec "$server" rm -f /tmp/restoring.pgpass
      drop_database ${restoring} || :
      sql ${`drop role if exists ${ident(reader)};`} || :`
      }
      [ -z "$idle" ] || exit 1
    }
    trap cleanup EXIT
    # A reboot sends TERM. Without a trap for it sh would not run the one of EXIT.
    trap 'exit 143' TERM
    began=$(date +%s)
    ${drill ? lines([tooLarge(part.database), startDrill(part.size), sh`sql ${`create role ${ident(owner)};`}`]) : checkOwner(task, part)}
    ${task.target === undefined || task.target === task.database ? sh`:` : refuseExisting(task.target)}
    create_restoring
    ${drill ? sh`:` : sh`need_disk ${reserve + Math.ceil(part.size / 2 ** 20)}`}
    start_restore
    ${drill ? sh`:` : sh`watch_disk ${reserve}`}
    wait "$restore_pid" || {
      tail -n 20 "$dump.counts"
      ${drill ? sh`! { docker container inspect --format 'killed {{.State.OOMKilled}}' "$server"; docker logs --tail 50 "$server" 2>&1; } | grep -q 'killed true\|No space left on device' || too_large` : sh`[ -z "$disk_full" ] || echo ${`the disk would be full: ${reserve} MiB must stay free`}`}
      echo 'the dump cannot be restored; no existing database was changed'
      exit 1
    }
    compare_rows ${countQuery(part)} ${wantedCounts(part)}
    sql ${`reassign owned by ${ident(reader)} to ${ident(owner)}; drop owned by ${ident(reader)};`} ${restoring}
    # pg_dump writes none of these settings. Without them the database can be backed up and opened like any other.
    sql ${`comment on database ${ident(restoring)} is null; ${revokeOthers}`}
    sql ${`alter database ${ident(restoring)} with is_template false allow_connections true connection limit -1; alter database ${ident(restoring)} reset all;`}
    ${drill ? sh`:` : swapDatabases(task)}
    echo "in $(($(date +%s) - began)) s"`
  return { text, shown: `pg_restore --dbname=${restoring} <${dump}` }
}

/** SQL: revokes all rights on the database from everyone but its owner, from `public` as well. */
const revokeOthers = `
  select format('revoke all on database %I from %s cascade', datname, case grantee when 0 then 'public' else grantee::regrole::text end)
  from pg_database, aclexplode(datacl) where datname = ${literal(restoring)} and grantee <> datdba \\gexec`

/** Shell text: sets `bot` to the containers that should serve by the release record, that of the bot first; empty where there are none. */
export function servingContainer(bot: string): Script {
  const { current, network } = layoutOf(bot)
  return sh`
    colour=$(sed -n 's/.*"colour":"\([a-z]*\)".*/\1/p' ${current} 2>/dev/null) || :
    bot=\${colour:+${`${network}-`}"$colour"}
    if [ -n "$bot" ] && grep -q '"processes":{' ${current}; then
      bot=$(echo "$bot"; docker ps --all --format '{{.Names}}' --filter ${`name=^${network}\\.[a-z0-9-]+-`}"$colour\$")
    fi`
}

function refuseExisting(target: string): Script {
  const there = `select count(*) from pg_database where datname = ${literal(target)}`
  return sh`[ "$(sql ${there})" = 0 ] || { echo ${`the database ${target} already exists: choose another name, or drop it first`}; exit 1; }`
}

/** Shell text: renames both databases in one transaction, after a dump of the old one. The bot is stopped meanwhile. */
function swapDatabases({ target = '', bot }: RestoreTask): Script {
  const exists = `select count(*) from pg_database where datname = ${literal(target)}`
  const swap = [
    'begin;',
    `alter database ${ident(target)} rename to ${ident(replaced)};`,
    // Says after an interruption which database it was.
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
      echo "a dump of the replaced database is in $taken"
      drop_database ${replaced}
      sql ${`select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = ${literal(target)};`} >/dev/null
      # Both names change at once, or neither.
      sql ${swap.join('\n')}
      drop_database ${replaced}
    else
      sql ${`alter database ${ident(restoring)} rename to ${ident(target)};`}
    fi`
}
