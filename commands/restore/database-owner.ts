import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { databaseName, isPlainName, isReserved } from '../../lib/platform/database-name.ts'
import { literal } from '../../lib/platform/postgres.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { DatabasePart, RestoreTask } from './restore-task.ts'

/**
 * Throws a `HostError` for an owner in a manifest that cannot be right. The manifest never decides on an owner, it is only
 * compared: the database of a bot belongs to the role of the same name; another one to its owner on the host, or to the role of
 * the same name.
 */
export function refuseOwner(backup: string, { ofBot, target }: RestoreTask, { database, owner }: DatabasePart): void {
  const refuse = (why: string) => {
    throw new HostError(`${backup}: ${why}: it is not a valid backup of this host; nothing was changed`)
  }
  if (ofBot && owner !== database)
    refuse(
      `says that the database ${database} belongs to "${owner}", but the database of a bot belongs to the role of the same name`,
    )
  // The temporary server of a drill has a role of its own for it.
  if (target === undefined) return
  if (isReserved(owner) || !isPlainName(owner))
    refuse(`says that the database ${database} belongs to "${owner}", which must not own a restored database`)
}

/** Shell text: exits with 1 unless the owner is a role of the host with no more rights than to own a database. Uses `sql`. */
export function checkOwner({ ofBot }: RestoreTask, { database, owner }: DatabasePart): Script {
  const held = `select pg_get_userbyid(datdba) from pg_database where datname = ${literal(database)}`
  return sh`
    ${
      ofBot || owner === database
        ? sh`:`
        : sh`[ "$(sql ${held})" = ${owner} ] || {
      echo ${`the backup says that the database ${database} belongs to ${owner}, but on this host it does not: if it should, run in psql: create database ${database} owner ${owner}`}
      exit 1
    }`
    }
    verdict=$(sql ${ownerVerdict(owner)})
    [ "$verdict" = plain ] || {
      echo ${`the database ${database} would belong to the role ${owner}, which `}"$verdict"
      exit 1
    }`
}

function ownerVerdict(owner: string): string {
  return `select case
    when r.oid is null then 'does not exist on this host: deploy its bot first (bot.ts), or restore the whole host (--host)'
    when rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls then 'may do more than own a database'
    when exists (select from pg_auth_members where member = r.oid) then 'is a member of other roles'
    else 'plain' end
    from (values (1)) one left join pg_roles r on rolname = ${literal(owner)}`
}

/** The bot of the inventory that has this database. */
export function botOf({ bots }: InventoryHost, database: string): string | undefined {
  return bots.find(({ name }) => databaseName(name) === database)?.name
}

export function isOfBot(host: InventoryHost, database: string): boolean {
  return botOf(host, database) !== undefined
}
