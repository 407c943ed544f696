import { refuseWhen } from '../../lib/model/combinators.ts'
import type { Read, Resource } from '../../lib/model/resource.ts'
import { packageState } from '../../lib/resources/package.ts'
import { type UfwState, ufwState } from './state.ts'

/** They load rules of their own at boot, and ufw's package breaks with them: apt would have to remove them. */
const rivals = ['iptables-persistent', 'netfilter-persistent']

/** A resource that is planned only where nothing stands in the way of ufw. */
export function refuseConflicts(inner: Resource): Resource {
  const reads = [...rivals.map(packageState), ufwState]
  return refuseWhen(reads, (read) => rivalFault(read) ?? ruleFault(read(ufwState)), inner)
}

function rivalFault(read: Read): string | undefined {
  const there = rivals.filter((name) => read(packageState(name)) !== 'absent')
  if (there.length === 0) return
  return (
    `${there.join(' and ')} of this host cannot stay beside ufw: apt-get purge ${rivals.join(' ')}, reboot, and run again; ` +
    'the saved rules in /etc/iptables go with them: copy those that are still wanted, and put them into ufw.allow'
  )
}

/** Rules behind ufw's do no harm, until ufw's are hooked in anew. */
function ruleFault({ obstacles, settings, differences }: UfwState): string | undefined {
  const staysHooked = settings.ENABLED === 'yes' && differences.length === 0
  const found = obstacles.find(({ before }) => before || !staysHooked)
  if (found === undefined) return
  return (
    `the kernel has a rule that is not ufw's and decides before ufw's are asked: ${found.tables} -A ${found.rule}: ` +
    `take it out where it is made at boot, then: ${found.tables} -D ${found.rule}`
  )
}
