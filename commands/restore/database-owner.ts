import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { databaseName, isPlainName, isReserved } from '../../lib/platform/database-name.ts'
import { literal } from '../../lib/platform/postgres.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { DatabasePart, Order } from './order.ts'

/**
 * What a backup says of an owner decides nothing, it is only compared: the role of a bot's database has the database's name,
 * and that of another database is the one which owns it on the host, or else has its name. Refuses what is wrong in any case.
 */
export function refuseOwner(backup: string, { ofBot, target }: Order, { database, owner }: DatabasePart): void {
  const refuse = (why: string) => {
    throw new HostError(`${backup}: ${why}: this backup was not made by this host as it should be; nothing was touched`)
  }
  if (ofBot && owner !== database)
    refuse(`says that the database ${database} belongs to "${owner}", and a bot's belongs to the role of its own name`)
  // In a throwaway server it is nobody's.
  if (target === undefined) return
  if (isReserved(owner) || !isPlainName(owner))
    refuse(`says that the database ${database} belongs to "${owner}", which may own no database that is restored`)
}

/** Shell text, with `sql` there: ends unless the host knows the owner, as a role that may do nothing but own a database. */
export function ownerKnown({ ofBot }: Order, { database, owner }: DatabasePart): Script {
  const held = `select pg_get_userbyid(datdba) from pg_database where datname = ${literal(database)}`
  return sh`
    ${
      ofBot || owner === database
        ? sh`:`
        : sh`[ "$(sql ${held})" = ${owner} ] || {
      echo ${`the backup says that the database ${database} belongs to ${owner}, and on this host it does not: if it should, create database ${database} owner ${owner}`}
      exit 1
    }`
    }
    verdict=$(sql ${verdictOn(owner)})
    [ "$verdict" = plain ] || {
      echo ${`the database ${database} would belong to the role ${owner}, which `}"$verdict"
      exit 1
    }`
}

function verdictOn(owner: string): string {
  return `select case
    when r.oid is null then 'is not on this host: deploy its bot first (bot.ts), or restore the whole host (--host)'
    when rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls then 'may do more than own a database'
    when exists (select from pg_auth_members where member = r.oid) then 'is a member of other roles'
    else 'plain' end
    from (values (1)) one left join pg_roles r on rolname = ${literal(owner)}`
}

/** The bot of the inventory whose database that is. */
export function botOf({ bots }: InventoryHost, database: string): string | undefined {
  return bots.find(({ name }) => databaseName(name) === database)?.name
}

export function isOfBot(host: InventoryHost, database: string): boolean {
  return botOf(host, database) !== undefined
}
