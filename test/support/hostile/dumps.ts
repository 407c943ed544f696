import type { Copy } from './marks.ts'

/** What a dump has a server run, given room for it: the definition of a view, which pg_restore hands on as it is. */
const begins = 'CREATE VIEW public.zz_room AS'
const ends = 'AS room;\n'
const room = 2500

/** SQL of the view whose definition makes the room. */
export const placeholder = `create view public.zz_room as select '${'x'.repeat(room)}'::text as room`

/** A dump in the format of `pg_dump -Fc` with other SQL in that place. */
export function dumpWith(dump: Buffer, sql: string): Buffer {
  const from = dump.indexOf(begins)
  const to = dump.indexOf(ends, from) + ends.length
  const text = Buffer.from(`set search_path = public; ${sql}`)
  if (from < 0 || to < ends.length || text.length > to - from) throw new Error(`no room for ${sql}`)
  return Buffer.concat([dump.subarray(0, from), text, Buffer.alloc(to - from - text.length, ' '), dump.subarray(to)])
}

export interface Trap {
  readonly what: string
  readonly sql: string
  /** What is said of it; undefined: it is restored, and does no harm. */
  readonly says?: RegExp
}

const ran = `copy (select 1) to program 'touch /tmp/ran'`
/** Waits for the superuser, who dumps, counts and analyzes it later; what is refused to it is not noticed. */
const later = `create function g() returns int language plpgsql as $f$ begin
   if session_user = 'postgres' then execute $x$ ${ran} $x$; execute 'alter role hello_bot superuser'; end if; return 1;
   exception when others then return 1; end $f$;
   create function f(int) returns int language plpgsql immutable as $f$ begin return public.g(); end $f$;`
const may =
  /permission denied|must be (superuser|owner|able)|[Oo]nly roles with|cannot run inside a transaction|transaction block|cannot be executed/

/** Each would run during a restore. */
export const traps: readonly Trap[] = [
  {
    what: 'a program in a CHECK',
    sql: `create function trap() returns boolean language plpgsql as $f$ begin ${ran}; return true; end $f$; create table trap (x int check (trap())); insert into trap values (1)`,
    says: may,
  },
  { what: 'a program', sql: ran, says: may },
  { what: 'a program, after the end of its transaction', sql: `commit; ${ran}`, says: may },
  { what: '`lo_export`', sql: `select lo_export(lo_from_bytea(0, 'x'), '/tmp/ran')`, says: may },
  { what: '`lo_import`', sql: `select lo_import('/etc/passwd')`, says: may },
  { what: '`pg_read_file`', sql: `create table s as select pg_read_file('/etc/passwd')`, says: may },
  { what: '`copy … from` a file', sql: `create table s (x text); copy s from '/etc/passwd'`, says: may },
  {
    what: 'an event trigger',
    sql: `create function ev() returns event_trigger language plpgsql as $f$ begin ${ran}; end $f$; create event trigger ev on ddl_command_end execute function ev()`,
    says: may,
  },
  {
    what: 'an event trigger at login',
    sql: `create function ev() returns event_trigger language plpgsql as $f$ begin ${ran}; end $f$; create event trigger ev on login execute function ev()`,
    says: may,
  },
  { what: '`create extension file_fdw`', sql: 'create extension file_fdw', says: may },
  { what: '`create extension dblink`', sql: 'create extension dblink', says: may },
  { what: 'a function in C', sql: `create function c() returns int language c as 'libc', 'system'`, says: may },
  { what: '`alter role … superuser` of the bot', sql: 'alter role hello_bot superuser', says: may },
  { what: '`alter role … superuser` of the reader', sql: 'alter role "botgarden-reader" superuser', says: may },
  { what: '`create role`', sql: 'create role evil login superuser', says: may },
  {
    what: '`grant pg_execute_server_program`',
    sql: 'grant pg_execute_server_program to "botgarden-reader"',
    says: may,
  },
  { what: '`grant hello_bot`', sql: 'grant hello_bot to "botgarden-reader"', says: may },
  { what: '`set role postgres`', sql: 'set role postgres', says: may },
  { what: '`set session authorization`', sql: 'set session authorization postgres', says: may },
  { what: '`drop database` of the one that serves', sql: 'commit; drop database hello_bot', says: may },
  {
    what: '`alter database` of the one that serves',
    sql: 'alter database hello_bot set default_transaction_read_only = on',
    says: may,
  },
  { what: '`alter database … rename` of it', sql: 'alter database hello_bot rename to gone', says: may },
  { what: '`alter system`', sql: `commit; alter system set archive_command = 'touch /tmp/ran'`, says: may },
  {
    what: '`pg_terminate_backend` of the server’s own',
    sql: 'select pg_terminate_backend(pid) from pg_stat_activity where usename = $$postgres$$',
    says: may,
  },
  { what: '`pg_reload_conf`', sql: 'select pg_reload_conf()', says: may },
  { what: 'a metacommand of psql', sql: '\\! touch /tmp/ran', says: /syntax error/ },
  {
    what: 'a subscription',
    sql: `create subscription s connection 'host=/run/postgresql user=postgres' publication p with (connect = false)`,
    says: may,
  },
  { what: 'a tablespace', sql: `commit; create tablespace t location '/tmp'`, says: may },
  {
    what: 'a database that refuses all connections',
    sql: 'alter database "botgarden-restoring" allow_connections false',
    says: /cannot disallow connections/,
  },
  {
    what: 'a password of its own for the reader',
    sql: `alter role "botgarden-reader" password 'known'`,
    says: /password authentication failed/,
  },
  {
    what: 'settings of the database and of the reader',
    sql: `alter database "botgarden-restoring" set search_path = evil; alter database "botgarden-restoring" set default_transaction_read_only = on; alter role "botgarden-reader" set role = postgres`,
    says: /permission denied/,
  },
  {
    what: 'settings of the database, with `is_template`',
    sql: `alter database "botgarden-restoring" is_template true; alter database "botgarden-restoring" connection limit 50; alter database "botgarden-restoring" set search_path = evil, public; alter database "botgarden-restoring" set statement_timeout = '1h'`,
  },
  {
    what: 'rights on its database for everybody',
    sql: 'grant all on database "botgarden-restoring" to public; grant all on schema public to public',
  },
  { what: 'a comment on its database', sql: `comment on database "botgarden-restoring" is 'postgres'` },
  {
    what: 'security definer, by an always enabled trigger',
    sql: `${later} create table trap (x int); create function tr() returns trigger language plpgsql security definer as $f$ begin perform public.f(1); return new; end $f$; create trigger tr before insert on trap for each row execute function tr(); alter table trap enable always trigger tr; insert into trap values (1)`,
  },
  {
    what: 'a function in an index',
    sql: `${later} create index on public.users (public.f(greetings)); create statistics st on (public.f(greetings)), presses from public.users`,
  },
  {
    what: 'a function in a generated column',
    sql: `${later} create table trap (x int, y int generated always as (public.f(x)) stored); insert into trap values (1)`,
  },
  {
    what: 'a view and a policy',
    sql: `${later} create view public.v as select public.f(1); create materialized view public.m as select public.f(1); create policy p on public.users using (public.f(1) = 1)`,
  },
  {
    what: 'functions and operators before the server’s own',
    sql: `${later} create function public.count(anyelement) returns bigint language sql as 'select public.f(1)::bigint'; create function public.eq(name, text) returns boolean language sql as 'select public.f(1) = 1'; create operator public.= (leftarg = name, rightarg = text, function = public.eq); create schema pg_temp_x; create table public.pg_class (relname text); create table public.pg_database (x int)`,
    says: /unacceptable schema name/,
  },
  {
    what: 'the same, without a name of the server’s',
    sql: `${later} create function public.count(anyelement) returns bigint language sql as 'select public.f(1)::bigint'; create function public.eq(name, text) returns boolean language sql as 'select public.f(1) = 1'; create operator public.= (leftarg = name, rightarg = text, function = public.eq); create table public.pg_class (relname text); create table public.pg_database (x int)`,
  },
  {
    what: 'tables whose names have ESC',
    sql: `create table public."a\x1b[2J\x1b]0;x\x07" (x int); create table public."b\u202e" (x int)`,
  },
  {
    what: 'locks that are never given back',
    sql: `select pg_advisory_lock(1); lock table public.users in access exclusive mode; commit; select pg_advisory_lock(2)`,
  },
]

/** All of them at once, each where the one before was refused. */
export const everything = `do $d$ declare each text; begin foreach each in array array[
  ${[
    ran,
    `select lo_export(lo_from_bytea(0, 'x'), '/tmp/ran')`,
    'alter role hello_bot superuser',
    'grant pg_execute_server_program to "botgarden-reader"',
    'create role evil superuser login',
    'set role postgres',
    'set session authorization postgres',
    'alter database hello_bot set search_path = evil',
    'create extension file_fdw',
    `alter role "botgarden-reader" set search_path = evil`,
    'alter database "botgarden-restoring" is_template true',
    'grant all on database "botgarden-restoring" to public',
  ]
    .map((each) => `$q$${each}$q$`)
    .join(',\n  ')}] loop begin execute each; exception when others then null; end; end loop; end $d$`

type Tables = Record<string, number>

/** The copy that has this dump of the bot's database. */
export function copyWith(dump: Buffer, tables: Tables): Partial<Copy> {
  return { databases: [{ database: 'hello_bot', owner: 'hello_bot', tables, dump }] }
}

const says = /the restored row counts \(\+\) differ/
const dumped = (dump: (base: Buffer) => Buffer) => (base: Buffer, tables: Tables) => copyWith(dump(base), tables)
const counted = (more: Tables) => (base: Buffer, tables: Tables) => copyWith(base, { ...tables, ...more })
const sized = (size: number) => () => ({
  manifest: (manifest: Record<string, unknown>) => {
    const parts = manifest.parts as Record<string, unknown>[]
    return { ...manifest, parts: parts.map((part) => (part.kind === 'database' ? { ...part, size } : part)) }
  },
})
const many = Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`public.t${i}`, 0]))

/** What is no dump, or not the one that its manifest tells of; 0: as --name, 1: --as, 2: --drill. */
export const oddCopies = [
  {
    what: 'a dump in plain SQL, with `\\!`',
    copy: dumped(() => Buffer.from('\\! touch /tmp/ran\nselect 1;\n')),
    way: 0,
    says: /does not appear to be a valid archive|text format dump/,
  },
  {
    what: 'a dump that is cut',
    copy: dumped((base) => base.subarray(0, base.length / 2)),
    way: 0,
    says: /unexpected end of file|could not read/,
  },
  {
    what: 'a dump that is empty',
    copy: dumped(() => Buffer.alloc(0)),
    way: 0,
    says: /input file is too short|could not read/,
  },
  {
    what: 'a dump that is noise',
    copy: dumped(() => Buffer.alloc(5000, '\x1b[2Jx')),
    way: 0,
    says: /cannot be restored/,
  },
  {
    what: 'a dump of a version of tomorrow',
    copy: dumped((base) => Buffer.concat([base.subarray(0, 5), Buffer.from([9]), base.subarray(6)])),
    way: 0,
    says: /unsupported version/,
  },
  { what: 'a count of 1e308 rows', copy: counted({ 'public.users': 1e308 }), way: 0, says },
  { what: 'a count of 2^53 rows', copy: counted({ 'public.users': 2 ** 53 }), way: 1, says },
  {
    what: 'a count for a table that moves the terminal',
    copy: counted({ '"a\x1b[2J\u202e"': 1 }),
    way: 1,
    says: /does not exist/,
  },
  {
    what: 'a count for the server’s passwords',
    copy: counted({ 'pg_catalog.pg_authid': 3 }),
    way: 0,
    says: /permission denied/,
  },
  { what: 'counts for 100,000 tables that the dump has not', copy: counted(many), way: 1, says: /does not exist/ },
  { what: 'a size of 1e300 bytes', copy: sized(1e300), way: 0, says: /does not match the manifest/ },
  { what: 'a size of 1 byte', copy: sized(1), way: 0, says: /does not match the manifest/ },
  { what: 'a program, in a drill', copy: dumped((base) => dumpWith(base, ran)), way: 2, says: may },
] as const
