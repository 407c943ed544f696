import { optDir, secretsDir, stateDir } from '../../model/host-layout.ts'
import type { HostEntry } from '../../model/role.ts'
import { images } from '../image-versions.ts'

/** The role, the slot and the container that receive the WAL of the server. With a dash, which no bot's role has. */
export const archiverRole = 'botgarden-archiver'
export const archiveSlot = 'archive'
export const archiveContainer = 'botgarden-archive'

/** The program on the host, the archive itself, and what only the archiver reads. */
export const archiveProgram = `${optDir}/archive`
export const archiveState = `${stateDir}/archive`
export const archiveSecrets = `${secretsDir}/archive`

export const archiveTimer = 'botgarden-archive.timer'
export const archiveService = 'botgarden-archive.service'
export const baseService = 'botgarden-archive-base.service'
const unitsFolder = '/etc/systemd/system'
export const archiveUnitFile = (unit: string) => `${unitsFolder}/${unit}`

/** In MiB: what the server keeps of its WAL for an archiver that does not take it. Then the slot is lost, and the server goes on. */
export const slotBoundMB = 1024

/** Whether the inventory asks for the WAL of this host's server. */
export function isArchived({ vars }: Pick<HostEntry, 'vars'>): boolean {
  const { continuous = false } = (vars?.backups ?? {}) as { continuous?: unknown }
  return continuous !== false
}

/** The image of the server, whose tools the archiver uses. */
export function serverImage({ vars }: Pick<HostEntry, 'vars'>): string {
  const { image = images.postgres } = (vars?.postgres ?? {}) as { image?: string }
  return image
}
