import { refuseWhen } from '../../lib/model/combinators.ts'
import type { Read, Resource } from '../../lib/model/resource.ts'
import { packageState } from '../../lib/resources/package.ts'
import { type UfwState, ufwState } from './state.ts'

/** Packages that load rules of their own at boot. They conflict with ufw: apt would remove them. */
const rivals = ['iptables-persistent', 'netfilter-persistent']

/** A resource that is planned only where nothing conflicts with ufw; else the plan throws a `HostError`. */
export function refuseConflicts(inner: Resource): Resource {
  const reads = [...rivals.map(packageState), ufwState]
  return refuseWhen(reads, (read) => rivalFault(read) ?? ruleFault(read(ufwState)), inner)
}

function rivalFault(read: Read): string | undefined {
  const there = rivals.filter((name) => read(packageState(name)) !== 'absent')
  if (there.length === 0) return
  return (
    `${there.join(' and ')} of this host cannot stay beside ufw: apt-get purge ${rivals.join(' ')}, reboot, and run again; ` +
    'the saved rules in /etc/iptables go with them: copy those that are still needed to ufw.allow'
  )
}

/** Rules after ufw's do no harm until ufw's chains are hooked in again. */
function ruleFault({ obstacles, settings, differences }: UfwState): string | undefined {
  const staysHooked = settings.ENABLED === 'yes' && differences.length === 0
  const found = obstacles.find(({ before }) => before || !staysHooked)
  if (found === undefined) return
  return (
    `the kernel has a rule that is not ufw's and decides before ufw's are asked: ${found.tables} -A ${found.rule}: ` +
    `remove it where it is loaded at boot, then: ${found.tables} -D ${found.rule}`
  )
}
