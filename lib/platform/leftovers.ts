import { optDir, runDir, secretsDir, stateDir } from '../model/host-layout.ts'
import { oneValue } from '../model/kinds.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource, unknownUntilApply } from '../model/resource.ts'
import { containerState } from '../resources/container.ts'
import { type Script, sh } from '../shell/sh.ts'
import { dumpsFolder, removedFolder } from './database-dump.ts'
import { ident } from './postgres.ts'
import { type Catalog, catalogBecomes, postgresCatalog, refused } from './postgres-catalog.ts'
import { psql } from './postgres-client.ts'

/** Uploads to a host, until they are used: dumps in plain text, secrets, images and what they are built from. */
export const incoming = `${stateDir}/incoming`

// With a dash, which no bot's role or database has.
/** The database that a dump is read into, and the role that reads it. */
export const restoring = 'botgarden-restoring'
export const reader = 'botgarden-reader'
/** A database that another one has replaced, until it is dropped; its comment holds its old name. */
export const replaced = 'botgarden-before'
const drill = 'botgarden-drill'

/** Where files are written as NAME.new, and renamed when they are complete. */
const candidates = [secretsDir, `${optDir}/bots`, `${stateDir}/bots`, dumpsFolder, removedFolder]

/**
 * Removes what a run that was cut has left: plain text of secrets, and database roles that could log in. The files of a run
 * that is under way stay, and so do the uploads of this one: the paths of `except`.
 */
export function noLeftovers(except: readonly string[] = []): Resource {
  const reads = { files: leftFiles, catalog: postgresCatalog, server: containerState(drill) }
  return resource({
    id: 'leftovers:restore',
    wants: { except },
    reads,
    plan: ({ files: { busy, paths }, catalog: there, server }) => {
      const catalog = there === refused ? undefined : there
      const files = paths.filter((path) => !except.includes(path))
      const databases = [restoring, replaced].filter((name) => catalog?.databases[name] !== undefined)
      const roles = catalog?.roles[reader] === undefined ? [] : [reader]
      const found = [
        ...files.map((path) => path.replace(`${stateDir}/`, '')),
        ...databases.map((name) => `database ${name}`),
        ...roles.map((name) => `role ${name}`),
        ...(server === 'absent' ? [] : [`container ${drill}`]),
      ]
      if (busy || found.length === 0) return []
      const script = sh`
        ${files.length === 0 ? sh`:` : sh`rm -rf -- ${files}`}
        ${server === 'absent' ? sh`:` : sh`docker rm -f --volumes ${drill} >/dev/null`}
        ${databases.length + roles.length === 0 ? sh`:` : dropScript()}`
      const without = (now: Catalog) => ({
        ...now,
        databases: omitted(now.databases, restoring, replaced),
        roles: omitted(now.roles, reader),
      })
      const predicts = [
        becomes(leftFiles, { busy: false, paths: paths.filter((path) => except.includes(path)) }),
        becomes(reads.server, 'absent' as const),
        // It may get its name back.
        databases.includes(replaced) ? unknownUntilApply(postgresCatalog) : catalogBecomes(without),
      ]
      return [{ summary: `remove what an interrupted run has left: ${found.join(', ')}`, script, predicts }]
    },
  })
}

/** A replaced database is dropped only where its replacement exists; else it is the only copy, and gets its name back. */
function dropScript(): Script {
  const was = `coalesce(shobj_description(oid, 'pg_database'), pg_get_userbyid(datdba)::text)`
  const forget = (name: string, when: string) =>
    `select format('alter database %I is_template false', datname) from pg_database where datname = '${name}' and ${when} \\gexec
     select format('drop database %I with (force)', datname) from pg_database where datname = '${name}' and ${when} \\gexec`
  const sql = [
    forget(restoring, 'true'),
    `select format('alter database %I rename to %I', datname, ${was}) from pg_database
     where datname = '${replaced}' and ${was} not in (select datname from pg_database) \\gexec`,
    forget(replaced, `${was} in (select datname from pg_database)`),
    `drop role if exists ${ident(reader)};`,
  ].join('\n')
  return sh`printf '%s\n' ${sql} | ${psql()}`
}

function omitted<T>(from: Readonly<Record<string, T>>, ...names: string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)))
}

interface LeftFiles {
  /** Another run holds the host, and they may be its own. */
  readonly busy: boolean
  readonly paths: readonly string[]
}

const leftFiles: Reading<LeftFiles> = reading(
  {
    name: 'left-files',
    volatile: true,
    // Whether the host's lock is held, and by whom, is read without taking it: even a shared lock would stop another run.
    script: () => sh`
      found=$(find ${incoming} -mindepth 1 -maxdepth 1 2>/dev/null; find ${candidates} ${stateDir}/allocations.new -name '*.new' 2>/dev/null)
      [ -z "$found" ] || {
        printf '%s\n' "$found"
        grep -q '^lock:' "/proc/$$/fdinfo/9" 2>/dev/null ||
          [ -z "$(find /proc/[0-9]*/fd -lname ${runDir}/lock -o -lname ${runDir}/step 2>/dev/null |
            sed 's#/fd/#/fdinfo/#' | xargs -r grep -ls '^lock:')" ] || echo busy
      }`,
    parse: oneValue((output) => {
      const lines = output.split('\n')
      return { busy: lines.includes('busy'), paths: lines.filter((line) => line.startsWith('/')).sort() }
    }),
  } satisfies Kind<LeftFiles>,
  'restore',
)
