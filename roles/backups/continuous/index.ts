import type { Resource } from '../../../lib/model/resource.ts'
import type { HostEntry } from '../../../lib/model/role.ts'
import { serverImage } from '../../../lib/platform/archive/wal-archive.ts'
import type { BackupSettings, Continuous } from '../backup-settings.ts'
import { archiver } from './archiver.ts'
import { program } from './program.ts'
import { archiveNotice } from './status.ts'

/** Every change of the databases is archived as it is made: any second of the last days can be brought back. */
export function continuousArchive(settings: BackupSettings, wanted: Continuous, host: HostEntry): Resource[] {
  return [...archiver(serverImage(host)), ...program(settings, wanted, host.name), archiveNotice(wanted)]
}

/** Settings of the server that would keep WAL from being archived. */
export function settingFaults({ vars }: Pick<HostEntry, 'vars'>): string[] {
  const { settings = {} } = (vars?.postgres ?? {}) as { settings?: Readonly<Record<string, unknown>> }
  const needed = ['wal_level', 'max_wal_senders', 'max_replication_slots', 'max_slot_wal_keep_size']
  return needed
    .filter((name) => name in settings)
    .map((name) => `backups.continuous: sets postgres.settings.${name} itself: leave it out there`)
}
