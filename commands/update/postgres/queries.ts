/** Options of every session, by which nothing counts that the owner of a database has set for it. */
export const plainSession =
  '-c client_min_messages=warning -c search_path= -c role=none -c default_transaction_read_only=off -c statement_timeout=0 -c row_security=off'

/** How values are spelled where two servers are compared. */
export const spelling =
  '-c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC -c bytea_output=hex -c extra_float_digits=1 -c lc_monetary=C'

const ofUsers = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`
/** What an extension brings may be another in another version. */
const noMember = (relation: string) =>
  `not exists (select from pg_depend d where d.classid = '${relation}'::regclass and d.objid = o.oid and d.deptype = 'e')`

/** SQL that makes a statement which locks every table of a database against writes. */
export const lockQuery = `select format('lock table %s in exclusive mode', string_agg(o.oid::regclass::text, ', ')) from pg_class o join pg_namespace n on n.oid = o.relnamespace where o.relkind in ('r', 'p') and o.relpersistence <> 't' and ${ofUsers} having count(*) > 0`

/**
 * SQL that makes a statement for each table and sequence, which prints what is in it: the number of rows, and the sum of the checksums
 * of each. A row is spelled by \`row(t.*)\`, never by a cast, which could be a function of the bot.
 */
export const sumsQuery = `${sumOf('o.oid::regclass::text', 'only %s t')}
  from pg_class o join pg_namespace n on n.oid = o.relnamespace
  where o.relkind = 'r' and o.relpersistence <> 't' and ${ofUsers} and ${noMember('pg_class')}
  union all select format('select %L || '' at '' || last_value || '' '' || is_called from %s', o.oid::regclass::text, o.oid::regclass::text)
  from pg_class o join pg_namespace n on n.oid = o.relnamespace where o.relkind = 'S' and ${ofUsers} and ${noMember('pg_class')}
  union all ${sumOf(`'pg_catalog.pg_largeobject'::text`, 'only %s t')}
  order by 1`.replaceAll('\n', ' ')

function sumOf(name: string, from: string): string {
  const row = `select md5(format(''%%s'', row(t.*))) m from ${from}`
  const halves = `select (''x'' || left(m, 16))::bit(64)::bigint a, (''x'' || right(m, 16))::bit(64)::bigint b from (${row}) rows`
  return `select format('select %L || '' rows '' || count(*) || '' '' || coalesce(sum(a), 0) || '' '' || coalesce(sum(b), 0) from (${halves}) sums', ${name}, ${name})`
}

/** SQL that makes the extensions which the superuser has put into a database: its owner may not. */
export const extensionQuery = `select format('create extension if not exists %I schema %I;', extname, nspname) from pg_extension join pg_namespace n on n.oid = extnamespace join pg_roles r on r.oid = extowner where rolsuper and extname <> 'plpgsql' order by extname`

/** SQL that gives those things to others which do not belong to the owner of the database. */
export const ownerQuery = [
  ownedBy(
    'pg_class',
    'relowner',
    'relnamespace',
    `case o.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end || ' ' || o.oid::regclass`,
    `o.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and not exists (select from pg_depend i where i.classid = 'pg_class'::regclass and i.objid = o.oid and i.deptype in ('a', 'i') and o.relkind = 'S')`,
  ),
  ownedBy('pg_proc', 'proowner', 'pronamespace', `'routine ' || o.oid::regprocedure`, 'true'),
  ownedBy('pg_type', 'typowner', 'typnamespace', `'type ' || o.oid::regtype`, `o.typtype in ('d', 'e', 'r') `),
  `select format('alter schema %I owner to %I;', n.nspname, pg_get_userbyid(n.nspowner)) from pg_namespace n, pg_database b where b.datname = current_database() and n.nspowner <> b.datdba and ${ofUsers} and n.nspname <> 'public'`,
].join(' union all ')

function ownedBy(catalog: string, owner: string, schema: string, what: string, when: string): string {
  return `select format('alter %s owner to %I;', ${what}, pg_get_userbyid(o.${owner})) from ${catalog} o join pg_namespace n on n.oid = o.${schema} join pg_database b on b.datname = current_database() where o.${owner} <> b.datdba and ${when} and ${ofUsers} and ${noMember(catalog)}`
}

/** SQL that gives the rights on databases, which no dump without its database has. None of them is open to more roles meanwhile. */
export const accessQuery =
  `select format('revoke all on database %I from public;', datname) from pg_database where datacl is not null and datname <> 'template0'
  union all select format('grant %s on database %I to %s%s;', privilege_type, datname, case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end, case when is_grantable then ' with grant option' else '' end)
  from pg_database, aclexplode(datacl) where datname <> 'template0'`.replaceAll('\n', ' ')
