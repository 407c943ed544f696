import { isDeepStrictEqual } from 'node:util'
import type { Facts } from '../model/facts.ts'
import type { Resource } from '../model/resource.ts'
import type { HostEntry, Role } from '../model/role.ts'
import { HostError } from '../std/errors.ts'

/** The resources of a host, each once, and which role it came from. */
export interface CollectedResources {
  readonly resources: readonly Resource[]
  roleOf(id: string): string
  /** The line of that role that declared it, where it is known. */
  sourceOf(id: string): string | undefined
}

/** The resources of these roles. Throws a `HostError` where two roles want one resource differently. */
export function resourcesOf(
  roles: readonly Role[],
  vars: Record<string, unknown>,
  facts: Facts,
  host: HostEntry,
): CollectedResources {
  const resources = new Map<string, { resource: Resource; role: string }>()
  for (const role of roles) {
    for (const resource of role.resources(vars[role.name], facts, host)) {
      const known = resources.get(resource.id)
      if (known !== undefined && resource.runsLast) {
        resources.delete(resource.id)
        resources.set(resource.id, known)
      } else if (known === undefined) resources.set(resource.id, { resource, role: role.name })
      else if (!isDeepStrictEqual(known.resource.wants, resource.wants))
        throw conflict(known, { resource, role: role.name })
    }
  }
  const inOrder = [...resources.values()].map(({ resource }) => resource)
  const grouped = [...Map.groupBy(inOrder, ({ id, joins = id }) => joins).values()].flat()
  return {
    resources: followersMoved(grouped),
    roleOf: (id) => resources.get(id)?.role ?? '',
    sourceOf: (id) => resources.get(id)?.resource.declared?.(),
  }
}

function followersMoved(resources: readonly Resource[]): Resource[] {
  const moves = ({ follows }: Resource) => follows !== undefined && resources.some(({ id }) => id === follows)
  const followers = resources.filter(moves)
  return resources
    .filter((each) => !moves(each))
    .flatMap((each) => [each, ...followers.filter(({ follows }) => follows === each.id)])
}

interface Want {
  readonly resource: Resource
  readonly role: string
}

function conflict(one: Want, other: Want): HostError {
  const wants = ({ resource, role }: Want) => `${role}${at(resource)} wants ${shown(resource.wants)}`
  return new HostError(`${one.resource.id} is wanted twice, differently: ${wants(one)}; ${wants(other)}`)
}

function at({ declared }: Resource): string {
  const line = declared?.()
  return line === undefined ? '' : ` (${line})`
}

/** A file's content is long, and may be secret: that it differs is enough. */
function shown(wants: unknown): string {
  return JSON.stringify(wants, (key, value) => (key === 'content' ? 'other content' : value))
}
