import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { hostByHost } from '../host-by-host.ts'
import { hostTime } from '../host-time.ts'
import { renewedServerSecrets } from './server-secrets.ts'

/** Makes every secret anew that the hosts have made for themselves, one bot after the other. Returns the exit code. */
export function rotate(session: Session, all: readonly Role[]): Promise<number> {
  return hostByHost(session, all, (host) =>
    session.converge([host], async (_, connection) => {
      const since = await hostTime(connection)
      const server = role('postgres-secrets', v.any(), () => [renewedServerSecrets(since)])
      return [server, botRole(new Map(), { since })]
    }),
  )
}
