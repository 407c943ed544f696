import { becomes, type Resource, resource } from '../../model/resource.ts'
import { fileState } from '../../resources/file-state.ts'
import { sh } from '../../shell/sh.ts'
import { ident, literal } from '../postgres.ts'
import { type Catalog, catalogBecomes } from '../postgres-catalog.ts'
import { psql } from '../postgres-client.ts'
import {
  archiveContainer,
  archiveProgram,
  archiverRole,
  archiveSecrets,
  archiveService,
  archiveSlot,
  archiveState,
  archiveTimer,
  archiveUnitFile,
  baseService,
} from './wal-archive.ts'

/**
 * No WAL is archived: nothing runs, and the slot, by which WAL would pile up, is dropped. What the archive has stays. The file of the
 * timer goes last, so that a removal that was cut is made again.
 */
export function notArchived(): Resource {
  const timer = archiveUnitFile(archiveTimer)
  const now = fileState(timer)
  return resource({
    id: 'archive:absent',
    wants: 'absent',
    reads: { now },
    plan: ({ now: state }) => {
      if (state === 'absent') return []
      const dropSlot = `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${literal(archiveSlot)};`
      const drop = `${dropSlot}\ndrop role if exists ${ident(archiverRole)};`
      const sql = `select not pg_is_in_recovery() as leads \\gset\n\\if :leads\n${drop}\n\\endif`
      const script = sh`
        systemctl disable --now --quiet ${archiveTimer} 2>/dev/null || :
        systemctl stop ${archiveService} ${baseService} 2>/dev/null || :
        docker rm -f --volumes ${archiveContainer} >/dev/null 2>&1 || :
        # A standby has neither of its own. The server may notice the end of the archiver a moment later.
        for each in 1 2 3 4 5; do
          ! printf '%s\n' ${sql} | ${psql()} >/dev/null 2>&1 || break
          [ "$each" != 5 ] || { echo 'the slot of the archive cannot be dropped'; exit 1; }
          sleep 1
        done
        rm -rf ${archiveProgram} ${archiveSecrets} ${`${archiveState}/spool`} ${`${archiveState}/outgoing`} ${`${archiveState}/sent-to`} /run/botgarden/archive
        rm -f ${archiveUnitFile(archiveService)} ${archiveUnitFile(baseService)} ${timer}
        systemctl daemon-reload`
      const without = ({ roles, ...rest }: Catalog): Catalog => {
        const { [archiverRole]: _, ...others } = roles
        return { ...rest, roles: others }
      }
      const summary = `stop archiving WAL, and drop its slot; what it has stays in ${archiveState}`
      return [{ summary, script, predicts: [becomes(now, 'absent' as const), catalogBecomes(without)] }]
    },
  })
}
