import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { pairOf } from '../../mesh/pair.ts'
import { hostByHost } from '../host-by-host.ts'
import { hostTime } from '../host-time.ts'
import { renewedServerSecrets } from './server-secrets.ts'

/**
 * Makes every secret anew that the hosts have made for themselves, one bot after the other. A standby has those of its primary: it comes
 * after it, and is given them. Returns the exit code.
 */
export function rotate(session: Session, all: readonly Role[]): Promise<number> {
  const follows = (host: InventoryHost) => pairOf(host, session.inventory.hosts)?.is === 'standby'
  const hosts = [...session.hosts].sort((one, other) => Number(follows(one)) - Number(follows(other)))
  return hostByHost({ ...session, hosts }, all, async (host) => {
    if (follows(host)) return 0
    return session.converge([host], async (_, connection) => {
      const since = await hostTime(connection)
      const server = role('postgres-secrets', v.any(), () => [renewedServerSecrets(since)])
      return [server, botRole(new Map(), { since })]
    })
  })
}
