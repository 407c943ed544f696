import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import { role } from '../../../lib/model/role.ts'
import { hostByHost, type Verify } from '../host-by-host.ts'
import { hostTime } from '../host-time.ts'
import { withStandbys } from '../order.ts'
import { rebootIfDue } from './reboot.ts'
import { listsFetched, packagesUpgraded } from './resource.ts'

/**
 * Upgrades every package of the hosts, and reboots where that is due and wanted. A standby comes before its primary: what goes wrong goes
 * wrong where nothing serves, and it is back when the primary is away. Returns the exit code.
 */
export function updatePackages(session: Session, verify: Verify, reboots: boolean): Promise<number> {
  const { check } = session.options
  return hostByHost(withStandbys(session, 'first'), verify, async (host) => {
    const code = await session.converge([host], async (_, connection) => {
      // A check fetches nothing: it goes by the lists of last night.
      const since = check ? 0 : await hostTime(connection)
      return [role('packages', v.any(), () => [listsFetched(since), packagesUpgraded()])]
    })
    if (code === 0 && reboots && !check) await rebootIfDue(session, host)
    return code
  })
}
