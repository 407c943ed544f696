import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { ident, literal } from '../../lib/platform/postgres.ts'
import { psql } from '../../lib/platform/postgres-catalog.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { placesOf } from './spec/layout.ts'

/** What others have tied to a bot, so that it cannot be taken off its host. */
export interface InTheWay {
  /** Containers on its network that are not its own. */
  readonly guests: readonly string[]
  /** Databases in which its role owns or may use something; those that it owns besides its own count for `postgres`. */
  readonly databases: readonly string[]
}

export function inTheWay(bot: string): Reading<InTheWay> {
  return reading(ties, bot)
}

/** Said before anything is removed: what is in the way, and what takes it out of the way. */
export function refuseInTheWay(bot: string, { guests, databases }: InTheWay): void {
  const { network } = placesOf(bot)
  const role = ident(databaseName(bot))
  const disown = `reassign owned by ${role} to postgres; drop owned by ${role}`
  const lines = [
    ...guests.map(
      (guest) =>
        `${guest}, which is no container of ${bot}, is on its network: docker network disconnect ${network} ${guest}`,
    ),
    ...databases.map(
      (database) =>
        `role ${role} owns or may use something outside its database: docker exec botgarden-postgres psql -U postgres -c '${disown}' ${database}`,
    ),
  ]
  if (lines.length > 0) throw new HostError(lines.join('\n'))
}

const ties: Kind<InTheWay> = {
  name: 'in-the-way',
  script: (bots) => sh`
    tied() {
      docker network inspect --format '{{range .Containers}}{{println .Name}}{{end}}' "botgarden-$1" 2>/dev/null |
        grep -vxE "botgarden-$1-(blue|green|migrate)|" | sed "s/^/guest $1 /"
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
    return new Map(names.map((bot) => [bot, { guests: of('guest', bot), databases: of('database', bot) }]))
  },
}

/** Where something depends on a role besides the database of its name: what all databases share is told to one of them. */
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
