import { mapChanges } from '../../../lib/model/combinators.ts'
import type { Facts } from '../../../lib/model/facts.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import { nginxFolder } from '../../../lib/platform/nginx.ts'
import { type Catalog, refused } from '../../../lib/platform/postgres-catalog.ts'
import { connectionsOf, defaultConnections, reservedConnections } from '../spec/connections.ts'
import type { FreeCapacity } from './free-capacity.ts'

/** What Docker's client, compose and a migration take beside a container that starts, in MiB. */
const toolsMB = 64
/** A release mostly waits. */
const releasesPerCpu = 6

/**
 * The resources of several bots, each bot a lane of its own: they are released side by side. What bots share comes before, and so
 * do the allocations, which are lines of one file. A single bot has nothing beside it.
 */
export function inLanes(
  bots: readonly { readonly bot: string; readonly resources: readonly Resource[] }[],
  { cpus }: Pick<Facts, 'cpus'>,
): readonly Resource[] {
  const all = bots.flatMap(({ resources }) => resources)
  if (bots.length < 2) return all
  const wanted = Map.groupBy(all, ({ id }) => id)
  const isShared = ({ id }: Resource) => id.startsWith('allocation:') || (wanted.get(id)?.length ?? 0) > 1
  // A file of nginx that is written while a switch has nginx reload would be half in force: it has its turn between them.
  const isApart = ({ id }: Resource) => id.startsWith(`file:${nginxFolder}/`)
  const most = releasesPerCpu * cpus
  const lane = (bot: string, inner: Resource) =>
    mapChanges(inner, (change) => ({ ...change, lane: bot, atOnce: Math.min(change.atOnce ?? most, most) }))
  return [
    ...all.filter(isShared),
    ...bots.flatMap(({ bot, resources }) =>
      resources.filter((each) => !isShared(each)).map((each) => (isApart(each) ? each : lane(bot, each))),
    ),
  ]
}

/** How many releases that need so much memory, in MiB, a host with so many bots has room for at a time. */
export function roomFor(
  neededMB: number,
  { memoryMB, newMB = 0 }: FreeCapacity,
  catalog: Catalog | typeof refused | undefined,
  bots: number,
  /** How many connections to the database a version may have. */
  perVersion = defaultConnections,
): number {
  const told = catalog === refused ? undefined : catalog
  const { maxConnections = Number.POSITIVE_INFINITY } = told ?? {}
  const serving = Math.max(bots * defaultConnections, told === undefined ? 0 : connectionsOf(told))
  return Math.max(
    1,
    Math.min(
      Math.floor((memoryMB - newMB) / (neededMB + toolsMB)),
      Math.floor((maxConnections - reservedConnections - serving) / perVersion),
    ),
  )
}
