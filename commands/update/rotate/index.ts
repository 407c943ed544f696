import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import { role } from '../../../lib/model/role.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { hostByHost, type Verify } from '../host-by-host.ts'
import { hostTime } from '../host-time.ts'
import { follows, withStandbys } from '../order.ts'
import { renewedServerSecrets } from './server-secrets.ts'

/**
 * Makes every secret anew that the hosts have made for themselves, one bot after the other. A standby has those of its primary: it comes
 * after it, and is given them. Returns the exit code.
 */
export function rotate(session: Session, verify: Verify): Promise<number> {
  return hostByHost(withStandbys(session, 'last'), verify, async (host) => {
    if (follows(host, session)) return 0
    return session.converge([host], async (_, connection) => {
      const since = await hostTime(connection)
      const server = role('postgres-secrets', v.any(), () => [renewedServerSecrets(since)])
      return [server, botRole(new Map(), { since })]
    })
  })
}
