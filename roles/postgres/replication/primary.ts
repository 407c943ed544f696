import { mapChanges } from '../../../lib/model/combinators.ts'
import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { passFile } from '../../../lib/platform/pgpass.ts'
import { databaseRole, ident, literal } from '../../../lib/platform/postgres.ts'
import { type Catalog, catalogBecomes } from '../../../lib/platform/postgres-catalog.ts'
import { psql } from '../../../lib/platform/postgres-client.ts'
import {
  standbyPassword,
  standbyRole,
  standbySecrets,
  standbySlot,
  synchronousFile,
  synchronousText,
} from '../../../lib/platform/standby/names.ts'
import { absentFile, directory, file } from '../../../lib/resources/file.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { lines, sh } from '../../../lib/shell/sh.ts'
import { majorOf, owner } from '../cluster.ts'
import { serverData } from './data.ts'
import type { ServerPair } from './pair.ts'

/** What lets a standby in. Its slot it makes itself, when it copies the cluster. */
export function letsStandbyIn({ synchronous }: ServerPair): Resource[] {
  return [
    databaseRole(standbyRole, {
      passwordFile: standbyPassword,
      // The standby, and while it copies the cluster two more.
      connectionLimit: 6,
      attributes: ['REPLICATION'],
      settings: {},
    }),
    ...(synchronous === undefined ? [] : [synchronousCommits(synchronous)]),
  ]
}

/** The password of the role, made where the server was first. */
export function standbySecret(): Resource[] {
  return [
    directory(standbySecrets, { mode: '0700', owner, group: owner }),
    generatedSecret(standbyPassword, { owner }),
    passFile(standbyRole, standbySecrets, 'password'),
  ]
}

/** Shell text: has the server read its files again. Whoever waits for a standby then goes on, if nobody is to wait any more. */
export const reload = sh`printf 'select pg_reload_conf()' | ${psql()} >/dev/null`

function synchronousCommits(wanted: boolean): Resource {
  if (wanted) return file(synchronousFile, { content: synchronousText, afterwards: reload })
  return mapChanges(absentFile(synchronousFile), (change) => ({ ...change, script: lines([change.script, reload]) }))
}

/**
 * The server has no standby any more: nobody waits for it, no WAL is kept for it, nobody comes in as it. The folder goes last, so
 * that a removal that was cut is made again.
 */
export function noStandby(image: string): Resource {
  const reads = { now: fileState(standbySecrets), data: serverData(majorOf(image)) }
  return resource({
    id: 'standby:absent',
    wants: 'absent',
    reads,
    plan: ({ now, data }) => {
      if (now === 'absent') return []
      const sql = `select format('alter role %I nologin', rolname) from pg_roles where rolname = ${literal(standbyRole)} \\gexec
select pg_terminate_backend(pid, 5000) from pg_stat_replication where usename = ${literal(standbyRole)};
select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${literal(standbySlot)};
drop role if exists ${ident(standbyRole)};`
      const drop = sh`
        ${reload}
        # A standby that is there comes again at once: the slot may be in use.
        for each in 1 2 3 4 5; do
          ! printf '%s\n' ${sql} | ${psql()} >/dev/null 2>&1 || break
          [ "$each" != 5 ] || { echo 'the slot of the standby cannot be dropped'; exit 1; }
          sleep 1
        done`
      const script = sh`
        rm -f ${synchronousFile}
        ${data === 'none' ? sh`:` : drop}
        rm -rf ${standbySecrets}`
      const without = ({ roles, ...rest }: Catalog): Catalog => {
        const { [standbyRole]: _, ...others } = roles
        return { ...rest, roles: others }
      }
      const predicts = [becomes(reads.now, 'absent' as const), catalogBecomes(without)]
      return [{ summary: 'let no standby in, and drop its slot', script, predicts }]
    },
  })
}
