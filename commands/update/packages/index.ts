import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { hostByHost } from '../host-by-host.ts'
import { hostTime } from '../host-time.ts'
import { rebootIfDue } from './reboot.ts'
import { listsFetched, packagesUpgraded } from './resource.ts'

/** Upgrades every package of the hosts, and reboots where that is due and wanted. Returns the exit code. */
export function updatePackages(session: Session, all: readonly Role[], reboots: boolean): Promise<number> {
  const { check } = session.options
  return hostByHost(session, all, async (host) => {
    const code = await session.converge([host], async (_, connection) => {
      // A check fetches nothing: it goes by the lists of last night.
      const since = check ? 0 : await hostTime(connection)
      return [role('packages', v.any(), () => [listsFetched(since), packagesUpgraded()])]
    })
    if (code === 0 && reboots && !check) await rebootIfDue(session, host)
    return code
  })
}
