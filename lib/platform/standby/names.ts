import { secretsDir } from '../../model/host-layout.ts'
import type { HostEntry } from '../../model/role.ts'
import { postgresConf } from '../postgres-access.ts'

/** The role by which a standby replicates. With a dash, which no bot's role has. */
export const standbyRole = 'botgarden-standby'

/** The slot that keeps WAL for the standby, on whichever of the two hosts is the primary; and what the standby calls itself. */
export const standbySlot = 'standby'

/** Its password, the same on both hosts, and in the format of libpq. */
export const standbySecrets = `${secretsDir}/postgres/standby`
export const standbyPassword = `${standbySecrets}/password`

/** There while commits wait for the standby: a file that postgresql.conf includes. */
export const synchronousFile = `${postgresConf}/synchronous.conf`
export const synchronousText = `# Written by botgarden. A commit waits until the standby has it on its disk.\nsynchronous_standby_names = '${standbySlot}'\n`

/** In MiB: what the primary keeps of its WAL for a standby that does not take it. Then the slot is lost, and the server goes on. */
export const standbyBoundMB = 1024

/** Whether the server of a host follows that of another one, as the inventory says. */
export function isStandby({ name }: Pick<HostEntry, 'name'>, hosts: readonly Pick<HostEntry, 'vars'>[]): boolean {
  return hosts.some(({ vars }) => (vars?.postgres as { standby?: string } | undefined)?.standby === name)
}
