import type { Session } from '../../lib/cli/session.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { PrimaryRecord } from '../../roles/standby/primary-record.ts'
import { recordOf, type Silent, type Stand } from './stand.ts'

/** What a failover is made from. */
export interface Failover {
  readonly session: Session
  readonly from: Stand | Silent
  readonly to: Stand
  /** The record that both hosts have in the end. */
  readonly record: PrimaryRecord
  /** That record is on the new host already: an earlier run was cut, or has ended. */
  readonly isDecided: boolean
  readonly say: (line: string) => void
}

/** What is to be done, by what both hosts have said. Throws a `HostError` where they are no pair. */
export function planOf(session: Session, from: Stand | Silent, to: Stand): Failover {
  const names = [from.host.name, to.host.name] as const
  const latest = recordOf([from, to])
  const say = (line: string) => session.report.line(`${to.host.name}  ▸ ${line}`)
  if (latest === undefined || !names.includes(latest.primary) || !names.includes(latest.standby))
    throw new HostError(
      `${to.host.name} has no record of a pair with ${from.host.name}: npx zx playbooks/site.ts makes it the standby first`,
    )
  const isDecided = latest.primary === to.host.name
  const next = { epoch: latest.epoch + 1, primary: to.host.name, standby: from.host.name }
  if (!isDecided && !to.follows)
    throw new HostError(
      `the server of ${to.host.name} does not follow another one: there is nothing that could take over; nothing was changed; npx zx playbooks/site.ts makes it the standby`,
    )
  return { session, from, to, say, isDecided, record: isDecided ? latest : next }
}
