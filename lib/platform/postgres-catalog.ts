import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Prediction } from '../model/resource.ts'
import { engineSilence, unlessSilent } from '../resources/docker-engine.ts'
import { waiting } from '../shell/deadline.ts'
import { type Script, sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import { postgresContainer, postgresSocket, psql } from './postgres-client.ts'
import {
  type KeptPassword,
  nameOf,
  type PasswordState,
  parsePassword,
  passwordOf,
  passwordQuery,
  tryUnproved,
} from './role-password.ts'

/** What the catalog says of a role. */
export interface RoleState {
  /** As CREATE ROLE spells them, those that are given: `LOGIN`, `SUPERUSER`, … */
  readonly attributes: readonly string[]
  readonly connectionLimit: number
  /** What ALTER ROLE … SET has given it, by name. */
  readonly settings: Readonly<Record<string, string>>
  /** The roles whose rights it has too. */
  readonly memberOf: readonly string[]
}

export interface DatabaseState {
  readonly owner: string
  /** The roles that have any right on it; `PUBLIC` is every role. */
  readonly grantees: readonly string[]
  /** Its owner has made it a template, or denied connections: it cannot be dumped or dropped as it is. */
  readonly barred?: boolean
}

export interface Catalog {
  readonly roles: Readonly<Record<string, RoleState>>
  readonly databases: Readonly<Record<string, DatabaseState>>
  /** The checksum that the configuration in force carries; undefined where it carries none. */
  readonly config: string | undefined
  /** The settings that need a restart. */
  readonly pendingRestart: readonly string[]
  readonly maxConnections?: number
  /** Of the database `postgres`. */
  readonly extensions: readonly string[]
  /** Who may come by TCP, as the files of pg_hba.conf say now: `TYPE DATABASE ROLE ADDRESS NETMASK METHOD`, or `error …`. */
  readonly access?: readonly string[]
  /** Those of these files that are newer than what the server has loaded: `pg_hba.conf`, `bots/NAME.conf`. */
  readonly accessOutdated?: readonly string[]
}

/** The catalog of a new server. */
export const freshCatalog: Catalog = {
  roles: {
    postgres: {
      attributes: ['BYPASSRLS', 'CREATEDB', 'CREATEROLE', 'LOGIN', 'REPLICATION', 'SUPERUSER'],
      connectionLimit: -1,
      settings: {},
      memberOf: [],
    },
  },
  databases: {
    postgres: { owner: 'postgres', grantees: ['PUBLIC', 'postgres'] },
    template1: { owner: 'postgres', grantees: ['PUBLIC', 'postgres'] },
  },
  config: undefined,
  pendingRestart: [],
  extensions: ['plpgsql'],
}

/** The server runs, and the password that the host keeps for its superuser does not open it. */
export const refused = 'refused'

/** What the host asks its database server, all at once: the catalog, and the passwords of roles. */
const server: Kind<Catalog | typeof refused | PasswordState | undefined> = {
  name: 'postgres',
  cost: 250,
  script: (names) => askServer(names.filter((name) => name !== catalogName).map(passwordOf)),
  parse: unlessSilent((output, names) => {
    const stateOf = (name: string) =>
      name === catalogName ? parseCatalog(output) : parsePassword(output, passwordOf(name).role)
    return new Map(names.map((name) => [name, stateOf(name)]))
  }),
}

const catalogName = 'catalog'

/** The catalog of a server that runs and can be reached, else undefined. */
export const postgresCatalog = reading(server, catalogName) as Reading<Catalog | typeof refused | undefined>

/** Whether the password in this file is the role's. */
export function passwordState(role: string, file: string): Reading<PasswordState> {
  return reading(server, nameOf({ role, file })) as Reading<PasswordState>
}

// One command in the container tells everything, unless something is wrong. A server that was started a moment ago is waited
// for; one that has lost its socket's folder has to be started again.
function askServer(passwords: readonly KeptPassword[]): Script {
  const query = `${catalogQuery}${passwordQuery(passwords)}`
  return sh`
    ${waiting}
    sums=$(sha256sum ${passwords.map(({ file }) => file)} /dev/null 2>/dev/null | tr '\n' ,)
    ask() { printf '%s\n' "\\set sums '$sums'" ${query} | ${psql()} 2>&1; }
    running() { [ "$(docker container inspect --format '{{.State.Running}}' ${postgresContainer} 2>/dev/null)" = true ]; }
    if answer=$(ask); then :
    elif running; then
      begin_wait 30
      while time_left; do
        docker exec ${postgresContainer} pg_isready --quiet >/dev/null 2>&1 && break
        # From 125 on it was Docker that failed, not what it was to run.
        if [ $? -ge 125 ] || [ ! -d ${postgresSocket} ]; then
          for place in /run /tmp; do [ "$(df --output=avail "$place" | tail -n 1)" -gt 0 ] || echo "$place has no room"; done
          break
        fi
        sleep 1
      done
      answer=$(ask)
    else
      answer=
      ${engineSilence}
    fi
    [ -z "$answer" ] || printf '%s\n' "$answer"
    ${tryUnproved(passwords)}`
}

/** Predicts what a change makes of the catalog, where there is one. */
export function catalogBecomes(after: (now: Catalog) => Catalog): Prediction {
  return becomes(postgresCatalog, (now) => (now === undefined || now === refused ? now : after(now)))
}

/** The catalog that a plan is made on. Throws a `HostError` where there is no server, or where it refuses our password. */
export function known(catalog: Catalog | typeof refused | undefined): Catalog {
  if (catalog === undefined)
    throw new HostError(
      'the database server does not run or cannot be reached, and nothing in this playbook starts it: run site.ts',
    )
  if (catalog === refused)
    throw new HostError('the database server refuses the password that this host keeps for its superuser: run site.ts')
  return catalog
}

function parseCatalog(output: string): Catalog | typeof refused | undefined {
  if (output.trim() === '') return undefined
  const json = output.split('\n').find((line) => line.startsWith('{'))
  if (json === undefined && /no password supplied|password authentication failed/.test(output)) return refused
  if (json === undefined && /failed: No such file or directory/.test(output)) return undefined
  if (json === undefined) {
    const isDocker = /OCI runtime|has no room$/m.test(output)
    const next = isDocker
      ? '\nDocker starts nothing in its container: see df -h /run /tmp on the host, then run again'
      : ''
    throw new HostError(`the database server does not answer: ${output.replaceAll('\r', '').trim()}${next}`)
  }
  const { roles, config, ...others } = JSON.parse(json) as QueriedCatalog
  const settingsOf = (list: string[]) =>
    Object.fromEntries(list.map((each) => [each.split('=', 1)[0], each.replace(/^[^=]*=/, '')]))
  return {
    ...others,
    roles: Object.fromEntries(
      Object.entries(roles).map(([name, role]) => [name, { ...role, settings: settingsOf(role.settings) }]),
    ),
    config: config || undefined,
  }
}

/** The JSON of `catalogQuery`. */
type QueriedCatalog = Omit<Catalog, 'roles' | 'config'> & {
  /** The settings of a role as `NAME=VALUE`. */
  readonly roles: Readonly<Record<string, Omit<RoleState, 'settings'> & { settings: string[] }>>
  readonly config: string | null
}

// One row of JSON, in an order of its own, so that nothing seems to change by itself.
const catalogQuery = `select json_build_object(
  'roles', (select json_object_agg(rolname, json_build_object(
      'attributes', array_remove(array[
        case when rolbypassrls then 'BYPASSRLS' end, case when rolcreatedb then 'CREATEDB' end,
        case when rolcreaterole then 'CREATEROLE' end, case when rolcanlogin then 'LOGIN' end,
        case when rolreplication then 'REPLICATION' end, case when rolsuper then 'SUPERUSER' end], null),
      'connectionLimit', rolconnlimit,
      'settings', (select coalesce(json_agg(setting order by setting), '[]') from unnest(rolconfig) setting),
      'memberOf', (select coalesce(json_agg(roleid::regrole::text order by roleid::regrole::text), '[]')
        from pg_auth_members where member = r.oid)
    ) order by rolname) from pg_roles r where rolname !~ '^pg_'),
  'databases', (select json_object_agg(datname, json_build_object(
      'owner', pg_get_userbyid(datdba),
      'grantees', (select coalesce(json_agg(distinct case when grantee = 0 then 'PUBLIC' else pg_get_userbyid(grantee) end), '[]')
        from aclexplode(coalesce(datacl, acldefault('d', datdba)))),
      'barred', datname <> 'template1' and (datistemplate or not datallowconn)
    ) order by datname) from pg_database where datname <> 'template0'),
  'config', current_setting('botgarden.config', true),
  'maxConnections', current_setting('max_connections')::int,
  'pendingRestart', (select coalesce(json_agg(name order by name), '[]') from pg_settings where pending_restart),
  'extensions', (select json_agg(extname order by extname) from pg_extension),
  -- Where the file is gone, as with its whole folder, the list of its rules is an error.
  'access', case when (pg_stat_file(current_setting('hba_file'), true)).size is null then '[]' else (
    select coalesce(json_agg(rule order by rule), '[]') from (
    select case when error is null
      then concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','), address, netmask, auth_method)
      else format('error %s:%s: %s', file_name, line_number, error) end rule
    from pg_hba_file_rules where type is distinct from 'local') rules) end,
  'accessOutdated', case when (pg_stat_file(current_setting('hba_file'), true)).size is null then '[]' else (
    select coalesce(json_agg(replace(file_name, '/etc/postgresql/', '') order by file_name), '[]')
    from (select distinct file_name from pg_hba_file_rules) files
    where (pg_stat_file(file_name, true)).modification > pg_conf_load_time()) end);
`
