import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { type MeshFirewall, meshDoor } from '../../lib/model/mesh.ts'
import { gatePort } from '../../lib/platform/standby/gate.ts'
import { standbyRole } from '../../lib/platform/standby/names.ts'
import {
  doorsFor,
  postgresPort,
  type Remote,
  type ServerNetwork,
  serverBridge,
} from '../../roles/postgres/network/remote.ts'
import { membersOf } from './members.ts'
import { pairOf } from './pair.ts'
import { swarmDoors } from './swarm/members.ts'

/** Who of other hosts comes to the database server of this one, as the inventory says. */
export function remotesOf(host: InventoryHost, hosts: readonly InventoryHost[]): Remote[] {
  const pair = pairOf(host, hosts)
  return pair === undefined ? [] : [{ role: standbyRole, from: pair.other.address }]
}

/** The network of the server of a host; undefined where the host is in no mesh. */
export function serverNetwork(host: InventoryHost, hosts: readonly InventoryHost[]): ServerNetwork | undefined {
  const [member] = membersOf([host])
  return member && { address: member.address, remotes: remotesOf(host, hosts) }
}

/** What the firewall of a host has to know of its mesh; undefined where it is in none. */
export function meshFirewall(host: InventoryHost, hosts: readonly InventoryHost[]): MeshFirewall | undefined {
  const [member] = membersOf([host])
  if (member === undefined) return undefined
  const { doors, ...others } = databaseDoors(host, hosts)
  return { port: member.port, ...others, doors: [...doors, ...swarmDoors(host, hosts)] }
}

/** To whom the server of this host is open, and whom it reaches itself. */
function databaseDoors(host: InventoryHost, hosts: readonly InventoryHost[]): Omit<MeshFirewall, 'port'> {
  const remotes = remotesOf(host, hosts)
  const pair = pairOf(host, hosts)
  return {
    doors: [...doorsFor(remotes), ...(pair === undefined ? [] : [meshDoor(gatePort, { from: pair.other.address })])],
    ...(pair !== undefined && { peers: [gatePort] }),
    ways: pair === undefined ? [] : [{ bridge: serverBridge, to: pair.other.address, port: postgresPort }],
    ...(remotes.length > 0 && { shut: [serverBridge] }),
  }
}
