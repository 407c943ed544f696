import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { hostTime } from '../host-time.ts'
import { verify } from '../verify.ts'
import { renewedServerSecrets } from './server-secrets.ts'

/**
 * Makes every secret anew that the hosts have made for themselves, one bot after the other; then `all` roles verify the host.
 * Returns the exit code.
 */
export async function rotate(session: Session, all: readonly Role[]): Promise<number> {
  const { hosts, options } = session
  const code = await session.converge(hosts, async (_, connection) => {
    const since = await hostTime(connection)
    const server = role('postgres-secrets', v.any(), () => [renewedServerSecrets(since)])
    const bots = botRole(new Map(), { since })
    return [server, bots]
  })
  return code !== 0 || options.check ? code : verify(session, hosts, all)
}
