import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { isArchived } from '../../../lib/platform/archive/wal-archive.ts'
import { pulledImage } from '../../../lib/resources/image.ts'
import { confirm } from '../../../lib/std/confirm-prompt.ts'
import { InventoryError } from '../../../lib/std/errors.ts'
import { archiverContainer } from '../../../roles/backups/continuous/archiver.ts'
import { majorOf } from '../../../roles/postgres/cluster.ts'
import { serverVars } from '../../../roles/postgres/server.ts'
import { pairOf } from '../../mesh/pair.ts'
import { hostByHost, type Verify } from '../host-by-host.ts'
import { type Direction, keptNotice, nothingKept, postgresVersion } from './resource.ts'

/** The data of each host is of the major version that its inventory asks for. Returns the exit code. */
export async function updatePostgres(session: Session, verify: Verify, direction: Direction): Promise<number> {
  const { options, hosts, inventory } = session
  refusePairs(session)
  if (direction === 'back' && !options.check && !options.own.has('yes'))
    await confirm(
      `go back to the PostgreSQL that was kept, on ${hosts.map(({ name }) => name).join(', ')} (${inventory.file}): what bots have written since the move is laid aside`,
    )
  return hostByHost(session, verify, (host) => session.converge([host], [versionRole(host, direction)]))
}

/** A standby can only follow the same major version, so a pair is parted first. Throws an `InventoryError`. */
function refusePairs({ hosts, inventory }: Session): void {
  for (const host of hosts) {
    const pair = pairOf(host, inventory.hosts)
    if (pair === undefined) continue
    const [primary, standby] = pair.is === 'primary' ? [pair.own, pair.other] : [pair.other, pair.own]
    throw new InventoryError(
      `${host.name}: --postgres moves no server of a pair: take "standby: ${standby.host.name}" from hosts.${primary.host.name} out, run site.ts --limit ${primary.host.name}, then --postgres --limit ${primary.host.name}; put it back, with the data of ${standby.host.name} moved away (docker rm -f botgarden-postgres; mv /var/lib/botgarden/postgres /var/lib/botgarden/postgres.before), and site.ts copies them anew`,
    )
  }
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
