import { isDeepStrictEqual } from 'node:util'
import { becomes, type Change, type Resource, resource } from '../model/resource.ts'
import { type Script, sh } from '../shell/sh.ts'
import {
  catalogBecomes,
  type DatabaseState,
  known,
  passwordState,
  postgresCatalog,
  type RoleState,
} from './postgres-catalog.ts'
import { psql } from './postgres-client.ts'
import { markPassword } from './role-password.ts'

export interface RoleOptions {
  /** Where the host keeps its password: one line, of characters that need no quoting anywhere. */
  readonly passwordFile: string
  readonly connectionLimit: number
  /** What it may besides logging in. */
  readonly attributes?: readonly 'REPLICATION'[]
  /** What every session of its starts with; others that it has been given stay. */
  readonly settings: Readonly<Record<string, string>>
}

/** A role that logs in with the password that the host keeps, and may nothing else: no other attribute, no membership. */
export function databaseRole(
  name: string,
  { passwordFile, connectionLimit, attributes = [], settings }: RoleOptions,
): Resource {
  const kept = passwordState(name, passwordFile)
  return resource({
    id: `postgres-role:${name}`,
    wants: { passwordFile, connectionLimit, ...(attributes.length > 0 && { attributes }), settings },
    reads: { catalog: postgresCatalog, kept },
    plan: ({ catalog, kept: password }) => {
      const state = known(catalog).roles[name]
      const wanted: RoleState = {
        attributes: ['LOGIN', ...attributes],
        connectionLimit,
        settings: { ...state?.settings, ...settings },
        memberOf: [],
      }
      const predicts = [
        catalogBecomes((now) => ({ ...now, roles: { ...now.roles, [name]: wanted } })),
        becomes(kept, 'proved' as const),
      ]
      const set = setPassword(name, passwordFile)
      if (state === undefined) {
        const script = sh`${sql(`create role ${ident(name)} ${options(wanted)};\n${setting(name, settings)}`)}
          ${set}`
        return [{ summary: 'create', script, predicts }]
      }
      const differences = differencesOf(state, wanted)
      const alter = [
        `alter role ${ident(name)} ${options(wanted)};`,
        setting(name, settings),
        ...state.memberOf.map((group) => `revoke ${ident(group)} from ${ident(name)};`),
      ].join('\n')
      return [
        ...(differences.length === 0
          ? []
          : [{ summary: differences.join(', '), script: sql(alter), predicts, diff: () => differences.join('\n') }]),
        ...(password === 'wrong' ? [{ summary: 'set its password, as the host keeps it', script: set, predicts }] : []),
        ...(password === 'right'
          ? [{ summary: 'mark its password as verified', script: markPassword(name, passwordFile), predicts }]
          : []),
      ]
    },
  })
}

/** A database that only its owner may connect to. */
export function database(name: string, { owner }: { owner: string }): Resource {
  return resource({
    id: `postgres-database:${name}`,
    wants: { owner },
    reads: { catalog: postgresCatalog },
    plan: ({ catalog }): Change[] => {
      const state = known(catalog).databases[name]
      const wanted: DatabaseState = { owner, grantees: [owner] }
      const predicts = [catalogBecomes((now) => ({ ...now, databases: { ...now.databases, [name]: wanted } }))]
      const shut = `revoke all on database ${ident(name)} from public;`
      if (state === undefined) {
        // From template0: what an operator has put into template1 is not the bot's.
        const create = `create database ${ident(name)} owner ${ident(owner)} template template0;\n${shut}`
        return [{ summary: 'create', script: sql(create), predicts }]
      }
      const strangers = state.grantees.filter((grantee) => grantee !== owner && grantee !== state.owner)
      const differences = [
        ...(state.owner === owner ? [] : [`owner ${state.owner} → ${owner}`]),
        ...(strangers.length === 0 ? [] : [`shut to ${strangers.join(', ')}`]),
        ...(state.barred ? ['no template, and open to connections'] : []),
      ]
      if (differences.length === 0) return []
      const revoke = strangers.map(
        (each) => `revoke all on database ${ident(name)} from ${each === 'PUBLIC' ? 'public' : ident(each)};`,
      )
      const open = state.barred ? [`alter database ${ident(name)} with is_template false allow_connections true;`] : []
      const script = sql([`alter database ${ident(name)} owner to ${ident(owner)};`, ...open, ...revoke].join('\n'))
      return [{ summary: differences.join(', '), script, predicts, diff: () => differences.join('\n') }]
    },
  })
}

/**
 * A database whose owner may have denied all connections can be dumped, renamed and dropped again; one that is not there is
 * no matter.
 */
export function freed(name: string): Script {
  const open = `select format('alter database %I with is_template false allow_connections true connection limit -1', datname)`
  const prepared =
    "select format('rollback prepared %L', gid) from pg_prepared_xacts where database = current_database()"
  const { text } = sh`
    printf '%s\n' ${`${open} from pg_database where datname = ${literal(name)} \\gexec`} | ${psql()}
    [ -z "$(printf %s ${`select 1 from pg_prepared_xacts where database = ${literal(name)}`} | ${psql()})" ] ||
      printf '%s\n' ${`${prepared} \\gexec`} | ${psql(name)}`
  return { text, shown: `alter database ${ident(name)} with is_template false allow_connections true` }
}

/** The script that runs this SQL as the superuser, all of it or nothing where the server can. */
export function sql(text: string): Script {
  return { text: sh`printf '%s\n' ${text} | ${psql()}`.text, shown: text.trim() }
}

/** An identifier of SQL. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(value: string): string {
  const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return value.includes('\\') ? ` E${quoted}` : quoted
}

function options({ attributes, connectionLimit }: RoleState): string {
  const every = ['SUPERUSER', 'CREATEDB', 'CREATEROLE', 'REPLICATION', 'BYPASSRLS', 'LOGIN']
  return [
    ...every.map((each) => (attributes.includes(each) ? each : `NO${each}`)),
    `connection limit ${connectionLimit}`,
  ].join(' ')
}

function setting(role: string, settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `alter role ${ident(role)} set ${ident(name)} = ${literal(value)};`)
    .join('\n')
}

function differencesOf(now: RoleState, wanted: RoleState): string[] {
  const attributes = [...now.attributes, ...wanted.attributes].filter(
    (each, i, all) => all.indexOf(each) === i && now.attributes.includes(each) !== wanted.attributes.includes(each),
  )
  const settings = Object.keys(wanted.settings).filter((name) => now.settings[name] !== wanted.settings[name])
  return [
    ...attributes.map((each) => (wanted.attributes.includes(each) ? each : `NO${each}`)),
    ...(now.connectionLimit === wanted.connectionLimit
      ? []
      : [`connection limit ${now.connectionLimit} → ${wanted.connectionLimit}`]),
    ...settings.map((name) => `${name} ${now.settings[name] ?? 'unset'} → ${wanted.settings[name]}`),
    ...(isDeepStrictEqual(now.memberOf, wanted.memberOf) ? [] : [`no member of ${now.memberOf.join(', ')}`]),
  ]
}

/** psql asks twice and sends a verifier: the server never sees the password itself, and can log none. */
export function setPassword(role: string, file: string): Script {
  const { text } = sh`
    [ -s ${file} ] || { echo ${`${file}: no password`}; exit 1; }
    password=$(head -n 1 ${file}); printf "%s\n" "$password" "$password" | ${psql('-c', `\\password ${ident(role)}`)} 2>/dev/null
    ${markPassword(role, file)}`
  return { text, shown: `\\password ${role}` }
}
