import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { isArchived } from '../../../lib/platform/archive/wal-archive.ts'
import { pulledImage } from '../../../lib/resources/image.ts'
import { confirm } from '../../../lib/std/confirm-prompt.ts'
import { archiverContainer } from '../../../roles/backups/continuous/archiver.ts'
import { majorOf } from '../../../roles/postgres/cluster.ts'
import { serverVars } from '../../../roles/postgres/server.ts'
import { hostByHost } from '../host-by-host.ts'
import { type Direction, keptNotice, nothingKept, postgresVersion } from './resource.ts'

/** The data of each host is of the major version that its inventory asks for. Returns the exit code. */
export async function updatePostgres(session: Session, all: readonly Role[], direction: Direction): Promise<number> {
  const { options, hosts, inventory } = session
  if (direction === 'back' && !options.check && !options.own.has('yes'))
    await confirm(
      `go back to the PostgreSQL that was kept, on ${hosts.map(({ name }) => name).join(', ')} (${inventory.file}): what bots have written since the move is laid aside`,
    )
  return hostByHost(session, all, (host) => session.converge([host], [versionRole(host, direction)]))
}

/** The old clusters are removed. */
export async function forgetOld({ converge, hosts, options, inventory }: Session): Promise<number> {
  if (!options.check && !options.own.has('yes'))
    await confirm(
      `remove what is kept of older versions of PostgreSQL, on ${hosts.map(({ name }) => name).join(', ')} (${inventory.file}): there is no way back then`,
    )
  return converge(hosts, [role('postgres-kept', v.any(), () => [nothingKept()])])
}

function versionRole(host: InventoryHost, direction: Direction): Role {
  const wanted = serverVars(host)
  return role(`postgres-${majorOf(wanted.image)}`, v.any(), (_, { memoryMiB }) => [
    pulledImage(wanted.image),
    postgresVersion(wanted, memoryMiB, direction),
    // Its tools are of the version of the server.
    ...(isArchived(host) ? archiverContainer(wanted.image) : []),
    keptNotice(),
  ])
}
