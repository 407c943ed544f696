import type { InventoryHost } from '../inventory/inventory.ts'
import type { Role } from '../model/role.ts'
import type { Session } from './session.ts'

/** A role as a host needs it: with what was found out that the role cannot read there. */
export type Given = (host: InventoryHost, role: Role) => Role

/** Finds that out before a run; nothing where no host asks for it. */
export type Finder = (session: Session, roles: readonly Role[]) => Promise<Given | undefined>

/** Applies roles to all hosts of a session, each with what these find out first. Returns the exit code. */
export function convergeWith(...finders: readonly Finder[]) {
  return async (session: Session, roles: readonly Role[]): Promise<number> => {
    const givens: Given[] = []
    for (const find of finders) givens.push(...[await find(session, roles)].filter((each) => each !== undefined))
    if (givens.length === 0) return session.converge(session.hosts, roles)
    const rolesOf = (host: InventoryHost) => roles.map((role) => givens.reduce((each, give) => give(host, each), role))
    return session.converge(session.hosts, async (host) => rolesOf(host))
  }
}
