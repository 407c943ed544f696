import type { Finder, Given } from '../../lib/cli/given.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Role } from '../../lib/model/role.ts'
import { HostError, InventoryError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { type GivenMesh, mesh, meshRole } from '../../roles/mesh/index.ts'
import type { Peer } from '../../roles/mesh/peer.ts'
import { postgres, postgresRole } from '../../roles/postgres/index.ts'
import { ufwRole } from '../../roles/ufw/index.ts'
import { type Answer, askMember } from './ask.ts'
import { meshFirewall, serverNetwork } from './database.ts'
import { type Member, membersOf, meshFaults, varsOf } from './members.ts'

/** Tells each host that is in a mesh the public keys of the others, and its firewall what is open there. */
export const meshGiven: Finder = async (session, roles) => {
  const has = (name: string) => roles.some((role) => role.name === name)
  if (membersOf(session.hosts).length === 0 || !['mesh', 'ufw', 'postgres'].some(has)) return undefined
  const faults = meshFaults(session.inventory.hosts)
  if (faults.length > 0) throw new InventoryError(faults.join('\n'))
  const given = has('mesh') ? await told(session) : undefined
  return (host, role) => {
    const { hosts } = session.inventory
    const firewall = meshFirewall(host, hosts)
    if (role.name === 'ufw' && firewall !== undefined) return ufwRole(firewall)
    if (role.name === 'postgres') return serverRole(host, hosts)
    return role.name === 'mesh' && given !== undefined ? given(host, role) : role
  }
}

function serverRole(host: InventoryHost, hosts: readonly InventoryHost[]): Role {
  const network = serverNetwork(host, hosts)
  return network === undefined ? postgres : postgresRole({ network })
}

/** All hosts of these meshes are asked, those outside of --limit as well: left out, they would be taken for gone. */
async function told(session: Session): Promise<Given> {
  const { options, hosts, inventory } = session
  const networks = membersOf(hosts).map(({ network }) => network)
  const members = membersOf(inventory.hosts).filter(({ network }) => networks.includes(network))
  const answers = new Map<string, Answer | undefined>()
  const askAll = (some: readonly Member[]) =>
    mapConcurrent(options.forks, some, async ({ host }) => answers.set(host.name, await askMember(session, host)))
  await askAll(members)
  const isOfRun = ({ host }: Member) => hosts.includes(host)
  const keyless = members.filter((each) => isOfRun(each) && answers.get(each.host.name)?.key === undefined)
  const reached = keyless.filter(({ host }) => answers.get(host.name) !== undefined)
  if (reached.length > 0 && !options.check) {
    // A stage of its own: each host is told the keys of the others, which must be there first.
    await session.converge(
      reached.map(({ host }) => host),
      [mesh],
    )
    await askAll(reached)
  }
  refuseSameKey(answers)
  const made = options.check ? reached.map(({ host }) => host.name) : []
  return (host, role) => {
    const own = members.find((member) => member.host === host)
    return own === undefined ? role : meshRole(givenTo(own, members, answers, made))
  }
}

/** The mesh as one host is to know it. `made`: the hosts whose keys the run makes that is checked. */
function givenTo(
  own: Member,
  members: readonly Member[],
  answers: ReadonlyMap<string, Answer | undefined>,
  made: readonly string[],
): GivenMesh {
  const { mtu = 1420, keepalive } = varsOf(own.host)
  const others = members.filter(({ host, network }) => host !== own.host && network === own.network)
  const known = answers.get(own.host.name)?.peers
  const found = others.map((each) => [each, peerOf(each, answers.get(each.host.name), known, made)] as const)
  return {
    mesh: {
      ...{ network: own.network, address: own.address, port: own.port, mtu, keepalive },
      peers: found.flatMap(([, peer]) => peer ?? []),
    },
    missing: found.flatMap(([{ host }, peer]) => (peer === undefined ? [host.name] : [])),
  }
}

/** A host that cannot be asked stays what it was to this one: it is not gone because it is down. */
function peerOf(
  { host, address, endpoint, port }: Member,
  answer: Answer | undefined,
  known: Answer['peers'] | undefined,
  made: readonly string[],
): Peer | undefined {
  const { name } = host
  if (answer === undefined) {
    const former = known?.get(address)
    return former && { name, address, ...former, ...(endpoint !== undefined && { endpoint: `${endpoint}:${port}` }) }
  }
  const at = endpoint ?? answer.address
  if (at === undefined || (answer.key === undefined && !made.includes(name))) return undefined
  return { name, address, endpoint: `${at}:${port}`, key: answer.key }
}

/** Machines that were copied have one key; and nobody becomes another by telling his. */
function refuseSameKey(answers: ReadonlyMap<string, Answer | undefined>): void {
  const keyed = [...answers].filter(([, answer]) => answer?.key !== undefined)
  const shared = [...Map.groupBy(keyed, ([, answer]) => answer?.key).values()].find(({ length }) => length > 1)
  if (shared === undefined) return
  const names = shared.map(([name]: readonly [string, unknown]) => name).join(' and ')
  throw new HostError(
    `mesh: ${names} have the same key, as copies of one machine do: rm /etc/wireguard/mesh0.key on all but one of them, and run again`,
  )
}
