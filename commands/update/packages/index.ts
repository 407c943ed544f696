import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import { type Role, role } from '../../../lib/model/role.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { drained, isInSwarm, spreadAgain } from '../../mesh/swarm/drain.ts'
import { hostByHost, type Verify } from '../host-by-host.ts'
import { hostTime } from '../host-time.ts'
import { withStandbys } from '../order.ts'
import { rebootDue, rebootIfDue } from './reboot.ts'
import { listsFetched, packagesUpgraded, parseUpgrades, upgradesQuestion } from './resource.ts'

/**
 * Upgrades every package of the hosts, and reboots where that is due and wanted. A standby comes before its primary: what goes wrong goes
 * wrong where nothing serves, and it is back when the primary is away. Returns the exit code.
 */
export async function updatePackages(session: Session, verify: Verify, reboots: boolean): Promise<number> {
  const { check } = session.options
  const emptied: InventoryHost[] = []
  const code = await hostByHost(withStandbys(session, 'first'), verify, async (host) => {
    if (check || !isInSwarm(session, host)) return upgrade(session, host, reboots)
    // By today's lists: a host where nothing waits keeps its replicas.
    const since = await session.connected(host, hostTime, { quiet: true })
    const listed = await session.converge([host], packages([listsFetched(since)]))
    if (listed !== 0) return listed
    if (!(await isAnyDue(session, host, reboots))) return upgrade(session, host, reboots, since)
    const { done, wasDrained } = await drained(session, host, () => upgrade(session, host, reboots, since))
    if (wasDrained) emptied.push(host)
    return done
  })
  if (emptied.length > 0) await spreadAgain(session, emptied)
  return code
}

async function upgrade(session: Session, host: InventoryHost, reboots: boolean, since?: number): Promise<number> {
  const { check } = session.options
  const code = await session.converge([host], async (_, connection) => {
    // A check fetches nothing: it goes by the lists of last night.
    const wanted = since ?? (check ? 0 : await hostTime(connection))
    return packages([listsFetched(wanted), packagesUpgraded()])
  })
  if (code === 0 && reboots && !check) await rebootIfDue(session, host)
  return code
}

function packages(resources: readonly Resource[]): Role[] {
  return [role('packages', v.any(), () => resources)]
}

/** Whether an update would take something of the host away for a while. */
function isAnyDue(session: Session, host: InventoryHost, reboots: boolean): Promise<boolean> {
  return session.connected(
    host,
    async (connection) =>
      (reboots && (await rebootDue(connection))) || parseUpgrades(await ask(connection, upgradesQuestion)).length > 0,
    { quiet: true },
  )
}
