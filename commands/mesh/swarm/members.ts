import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { meshDoor } from '../../../lib/model/mesh.ts'
import { type Replicas, replicasIn } from '../../../roles/bot/spec/replicas/index.ts'
import type { BotSettings } from '../../../roles/bot/spec/schema.ts'
import type { SwarmMember } from '../../../roles/swarm/member.ts'
import { membersOf } from '../members.ts'
import { standbyVars } from '../pair.ts'

/** The hosts of one swarm. */
export interface Swarm {
  /** The network of the mesh that it is in. */
  readonly network: string
  /** Those that manage it come first. */
  readonly members: readonly (SwarmMember & { readonly host: InventoryHost })[]
}

/** With three one may die, and the others still decide. */
const mostManagers = 3

/** The swarms that an inventory asks for: one for each mesh whose hosts run replicas of bots. */
export function swarmsOf(hosts: readonly InventoryHost[]): Swarm[] {
  const bots = replicatedIn(hosts)
  if (bots.length === 0) return []
  const inMesh = Map.groupBy(membersOf(hosts), ({ network }) => network)
  return [...inMesh].flatMap(([network, all]): Swarm[] => {
    const isHome = (name: string) => bots.some(({ home }) => home === name)
    const runs = (name: string) => bots.filter(({ replicas }) => replicas.hosts.includes(name)).map(({ bot }) => bot)
    const named = all.filter(({ host }) => isHome(host.name) || runs(host.name).length > 0)
    // A release is made where the bot is served.
    const sorted = [...named.filter(({ host }) => isHome(host.name)), ...named.filter(({ host }) => !isHome(host.name))]
    const homes = named.filter(({ host }) => isHome(host.name)).length
    const managers = Math.max(homes, sorted.length < mostManagers ? 1 : mostManagers)
    const members = sorted.map(({ host, address }, i) => ({
      ...{ host, name: host.name, address, manager: i < managers, bots: runs(host.name).sort() },
    }))
    return members.length === 0 ? [] : [{ network, members }]
  })
}

/** What keeps bots from having replicas where the inventory says, a line each. */
export function swarmFaults(hosts: readonly InventoryHost[]): string[] {
  const members = membersOf(hosts)
  const networkOf = (name: string) => members.find(({ host }) => host.name === name)?.network
  return replicatedIn(hosts).flatMap(({ bot, where, home, replicas }) => {
    const key = `${where}: bots.${bot}`
    const own = networkOf(home)
    if (own === undefined)
      return [
        `${key}.replicas: ${home} is in no mesh, through which it reaches replicas: set mesh: { network: 10.214.0.0/16 }`,
      ]
    if (isPaired(home, hosts))
      return [
        `${key}.replicas: the database server of ${home} is one of a pair, and a failover brings no replicas over: leave out "replicas:", or "standby:"`,
      ]
    return replicas.hosts
      .filter((name) => networkOf(name) !== own)
      .map((name) => `${key}.hosts: ${name} is not in the mesh of ${home}, ${own}: give both the same mesh.network`)
  })
}

function isPaired(name: string, hosts: readonly InventoryHost[]): boolean {
  return hosts.some((each) => {
    const { standby } = standbyVars(each)
    return standby !== undefined && (each.name === name || standby === name)
  })
}

/** The ports of Swarm that are open to the other hosts of it, as doors of the firewall; none where a host is in no swarm. */
export function swarmDoors(own: InventoryHost, hosts: readonly InventoryHost[]): string[] {
  const members = swarmsOf(hosts).find((each) => each.members.some(({ name }) => name === own.name))?.members ?? []
  const { manager = false } = members.find(({ name }) => name === own.name) ?? {}
  return members
    .filter(({ name }) => name !== own.name)
    .flatMap(({ address: from }) => [
      // To join, and to be told what to run.
      ...(manager ? [meshDoor(2377, { from })] : []),
      // Which nodes are there; and the packets of the replicas' networks.
      ...[
        meshDoor(7946, { from }),
        meshDoor(7946, { from, protocol: 'udp' }),
        meshDoor(4789, { from, protocol: 'udp' }),
      ],
    ])
}

function replicatedIn(hosts: readonly InventoryHost[]) {
  return hosts.flatMap(({ name: home, bots }) =>
    bots.flatMap(({ name: bot, where, settings }) => {
      const replicas: Replicas | undefined = replicasIn((settings ?? {}) as BotSettings)
      return replicas === undefined ? [] : [{ bot, where, home, replicas }]
    }),
  )
}
