import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { hostTime } from '../host-time.ts'
import { verify } from '../verify.ts'
import { rebootIfDue } from './reboot.ts'
import { listsFetched, packagesUpgraded } from './resource.ts'

/**
 * Upgrades every package of the hosts, one host after the other, and reboots where that is due and wanted; then `all` roles verify the
 * host. Returns the exit code of the first host that fails, and goes no further then.
 */
export async function updatePackages(session: Session, all: readonly Role[], reboots: boolean): Promise<number> {
  const { converge, hosts, options } = session
  let worst = 0
  for (const host of hosts) {
    const code = await converge([host], async (_, connection) => {
      // A check fetches nothing: it goes by the lists of last night.
      const since = options.check ? 0 : await hostTime(connection)
      return [role('packages', v.any(), () => [listsFetched(since), packagesUpgraded()])]
    })
    worst = Math.max(worst, code)
    if (options.check) continue
    if (code !== 0) return code
    if (reboots) await rebootIfDue(session, host)
    const verified = await verify(session, [host], all)
    if (verified !== 0) return verified
  }
  return worst
}
