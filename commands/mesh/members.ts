import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { ipv4Network, ipv4Number, overlaps } from '../../lib/model/ipv4.ts'
import { addressIn } from '../../roles/mesh/address.ts'
import type { MeshVars } from '../../roles/mesh/schema.ts'

/** A host of a mesh, as the inventory has it. */
export interface Member {
  readonly host: InventoryHost
  readonly network: string
  readonly address: string
  readonly port: number
  /** Where the others reach it, where the inventory says so: an address. */
  readonly endpoint: string | undefined
}

/** The hosts that are in a mesh, by name. */
export function membersOf(hosts: readonly InventoryHost[]): Member[] {
  return hosts
    .flatMap((host): Member[] => {
      const { network, address, endpoint = addressOfSsh(host), port = 51_820 } = varsOf(host)
      if (network === undefined) return []
      return [{ host, network, address: addressIn(network, { name: host.name, address }), port, endpoint }]
    })
    .sort((one, other) => (one.host.name < other.host.name ? -1 : 1))
}

/** What does not fit together in the meshes of an inventory, a line each. */
export function meshFaults(hosts: readonly InventoryHost[]): string[] {
  const members = membersOf(hosts)
  const pairs = members.flatMap((one, i) => members.slice(i + 1).map((other) => [one, other] as const))
  return [...members.flatMap(botsFault), ...pairs.flatMap(([one, other]) => pairFault(one, other))]
}

export function varsOf({ vars }: InventoryHost): MeshVars {
  return (vars.mesh ?? {}) as MeshVars
}

function pairFault(one: Member, other: Member): string[] {
  const both = `hosts.${one.host.name} and hosts.${other.host.name}`
  if (one.network !== other.network)
    return meet(one.network, other.network)
      ? [`${both}: mesh.network: ${one.network} and ${other.network} overlap: hosts of one mesh have the same one`]
      : []
  if (one.address === other.address)
    return [
      `${both}: mesh.address: ${one.address} would be that of both: give the newer one another: mesh: { address: … }`,
    ]
  const isSame = one.endpoint !== undefined && one.endpoint === other.endpoint && one.port === other.port
  return isSame
    ? [`${both}: mesh.endpoint: both are reached at ${one.endpoint}:${one.port}: give one another mesh.port`]
    : []
}

function botsFault({ host, network, endpoint }: Member): string[] {
  const { network: bots } = (host.vars.bot ?? {}) as { network?: string }
  const where = `hosts.${host.name}: mesh`
  return [
    ...(bots !== undefined && meet(network, `${bots}.0.0/16`)
      ? [`${where}.network: ${network} overlaps bot.network, ${bots}.0.0/16`]
      : []),
    ...(endpoint !== undefined && meet(network, endpoint)
      ? [
          `${where}.endpoint: ${endpoint} is inside of ${network}: it is where the others reach the host without the mesh`,
        ]
      : []),
  ]
}

function meet(one: string, other: string): boolean {
  const [first, second] = [ipv4Network(one), ipv4Network(other)]
  return first !== undefined && second !== undefined && overlaps(first, second)
}

/** Where ssh is told an address; one of this machine's own leads nobody else there. */
function addressOfSsh({ ssh }: InventoryHost): string | undefined {
  const [, address = ''] = /^(?:[^@]*@)?([\d.]+)(?::\d+)?$/.exec(ssh) ?? []
  return ipv4Number(address) === undefined || address.startsWith('127.') ? undefined : address
}
