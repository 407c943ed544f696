import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { HostError } from '../../lib/std/errors.ts'
import { postgresRole } from '../../roles/postgres/index.ts'
import { secretsId } from '../../roles/postgres/replication/follower.ts'
import { newestRecord } from '../../roles/standby/primary-record.ts'
import { serverNetwork } from '../mesh/database.ts'
import { membersOf } from '../mesh/members.ts'
import { askServer } from './ask.ts'
import { handOverSecrets } from './hand-over.ts'
import { connectionsOf, sourceOf } from './pair-given.ts'
import { withoutArchive } from './without-archive.ts'

/**
 * Makes the server of a host the standby of another one, whichever of the two the inventory has as the primary. Its old data are
 * replaced once the copy is whole, and only where the records of both say that the other one is the primary. Returns the exit code.
 */
export async function rebuildAsStandby(session: Session, host: InventoryHost, of: InventoryHost): Promise<number> {
  const [other] = membersOf([of])
  const answers = [await askServer(session, of), await askServer(session, host)]
  const [ofPrimary] = answers
  if (other === undefined || ofPrimary?.server === undefined || ofPrimary.server.inRecovery)
    throw new HostError(`${host.name} cannot follow ${of.name}: there is no primary there that answers`)
  const record = newestRecord(answers.map((each) => each?.record))
  const role = postgresRole({
    network: serverNetwork(host, session.inventory.hosts),
    pair: {
      is: 'standby',
      other: { name: of.name, address: other.address },
      connections: connectionsOf(answers),
      source: sourceOf(ofPrimary, record?.primary === of.name),
    },
  })
  return session.converge([host], [withoutArchive(role)], async (each, _, changes) => {
    if (session.options.check || !changes.some(({ id }) => id === secretsId)) return
    await handOverSecrets(session, of, each)
  })
}
