import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { ident, literal } from '../../lib/platform/postgres.ts'
import { psql } from '../../lib/platform/postgres-client.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'

/** What depends on a bot and must be detached before the bot can be removed. */
export interface RemovalConflicts {
  /** `NETWORK CONTAINER`: containers on its networks that are not its own. */
  readonly containers: readonly string[]
  /** Databases in which its role owns objects or has privileges; a further database that it owns is listed as `postgres`. */
  readonly databases: readonly string[]
}

export function removalConflicts(bot: string): Reading<RemovalConflicts> {
  return reading(conflictsKind, bot)
}

/** Throws a `HostError` with a command for each conflict, before anything is removed. */
export function refuseConflicts(bot: string, { containers, databases }: RemovalConflicts): void {
  const role = ident(databaseName(bot))
  const disown = `reassign owned by ${role} to postgres; drop owned by ${role}`
  const lines = [
    ...containers.map(
      (each) =>
        `the container ${each.split(' ')[1]} does not belong to ${bot} and is connected to its network; disconnect it: docker network disconnect ${each}`,
    ),
    ...databases.map(
      (database) =>
        `the role ${role} owns or has privileges on objects outside its database; remove them: docker exec botgarden-postgres psql -U postgres -c '${disown}' ${database}`,
    ),
  ]
  if (lines.length > 0) throw new HostError(lines.join('\n'))
}

const conflictsKind: Kind<RemovalConflicts> = {
  name: 'removal-conflicts',
  script: (bots) => sh`
    tied() {
      docker network inspect --format '{{$net := .Name}}{{range .Containers}}{{println $net .Name}}{{end}}' "botgarden-$1" "botgarden-$1.db" 2>/dev/null |
        grep -vxE "[^ ]* botgarden-$1(-(blue|green|migrate|cache)|\\.[a-z0-9-]+(-(blue|green)|\\.job))|[^ ]* botgarden-postgres|" | sed "s/^/container $1 /"
      printf %s "$2" | ${psql()} 2>/dev/null | sed "s/^/database $1 /"
    }
    ${bots
      .map((bot) => sh`tied ${bot} ${dependentQuery(databaseName(bot))}`)
      .reduce(
        (all, each) => sh`${all}
    ${each}`,
      )}`,
  parse: (output, names) => {
    const of = (word: string, bot: string) =>
      [...output.matchAll(new RegExp(`^${word} ${bot} (.+)$`, 'gm'))].flatMap(([, found]) => found ?? [])
    return new Map(names.map((bot) => [bot, { containers: of('container', bot), databases: of('database', bot) }]))
  },
}

/** SQL: databases in which something depends on a role, besides the role's own. Shared objects are listed as `postgres`. */
function dependentQuery(role: string): string {
  return `
select distinct coalesce(there.datname, 'postgres')
from pg_shdepend tie join pg_roles r on r.oid = tie.refobjid and tie.refclassid = 'pg_authid'::regclass
  left join pg_database there on there.oid = tie.dbid
  left join pg_database own on own.datname = r.rolname
where r.rolname = ${literal(role)} and tie.dbid is distinct from own.oid
  and not (tie.dbid = 0 and tie.classid = 'pg_database'::regclass and tie.objid is not distinct from own.oid)
order by 1;`
}
