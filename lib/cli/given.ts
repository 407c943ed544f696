import type { InventoryHost } from '../inventory/inventory.ts'
import type { Role } from '../model/role.ts'
import { worstOf } from '../report/result.ts'
import type { PrepareHost } from './run-host.ts'
import type { Session } from './session.ts'

/** A role as a host needs it: with what was found out that the role cannot read there. */
export type Given = ((host: InventoryHost, role: Role) => Role) & {
  /** What comes after the other hosts, since it needs what those have become; one after the other. */
  readonly stages?: readonly Stage[]
}

/** Hosts that come later than the others, or once more. */
export interface Stage {
  readonly hosts: readonly InventoryHost[]
  /** The roles that are applied once more, to hosts that were there before. Left out: all, for the first time. */
  readonly again?: readonly string[]
  /** Finds out what the hosts before have become. */
  readonly begin?: () => Promise<void>
  readonly prepare?: PrepareHost
}

/** Finds that out before a run; nothing where no host asks for it. */
export type Finder = (session: Session, roles: readonly Role[]) => Promise<Given | undefined>

/** Applies roles to all hosts of a session, each with what these find out first. Returns the exit code. */
export function convergeWith(...finders: readonly Finder[]) {
  return async (session: Session, roles: readonly Role[]): Promise<number> => {
    const givens: Given[] = []
    for (const find of finders) givens.push(...[await find(session, roles)].filter((each) => each !== undefined))
    if (givens.length === 0) return session.converge(session.hosts, roles)
    const rolesOf = async (host: InventoryHost) =>
      roles.map((role) => givens.reduce((each, give) => give(host, each), role))
    const stages = givens.flatMap((each) => each.stages ?? [])
    const later = stages.flatMap(({ hosts, again }) => (again === undefined ? hosts : []))
    const first = session.hosts.filter((host) => !later.includes(host))
    const codes = first.length === 0 ? [] : [await session.converge(first, rolesOf)]
    for (const { hosts, again, begin, prepare } of stages) {
      await begin?.()
      const those = async (host: InventoryHost) =>
        (await rolesOf(host)).filter(({ name }) => again?.includes(name) ?? true)
      codes.push(await session.converge(hosts, those, prepare))
    }
    return worstOf(codes)
  }
}
