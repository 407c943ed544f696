import type { HostEntry, Role } from '../../lib/model/role.ts'

/** The role as it is on a host whose WAL is not archived: that of a standby is the one of its primary, which archives it. */
export function withoutArchive(role: Role): Role {
  return {
    ...role,
    resources: (vars, facts, host) =>
      role.resources(role.name === 'backups' ? without(vars) : vars, facts, hostWithout(host)),
  }
}

function hostWithout(host: HostEntry): HostEntry {
  return { ...host, vars: { ...host.vars, backups: without(host.vars?.backups) } }
}

function without(vars: unknown): unknown {
  const { continuous: _, ...others } = (vars ?? {}) as Record<string, unknown>
  return others
}
