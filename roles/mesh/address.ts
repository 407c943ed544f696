import { ipv4Network, ipv4Text, overlaps } from '../../lib/model/ipv4.ts'
import { sha256Of } from '../../lib/std/sha256.ts'

/** What else of this host uses such addresses, as the reason why a mesh cannot. */
const taken: Readonly<Record<string, string>> = {
  '10.210.0.0/16': 'of bots',
  '10.211.0.0/16': "of Docker's networks",
  '10.213.0.0/16': 'of bots and their database',
  '10.216.0.0/16': 'of replicas',
  '172.17.0.0/16': "of Docker's default network",
}

/** Why a mesh cannot have this network; undefined where it can. */
export function takenFault(network: string): string | undefined {
  const wanted = ipv4Network(network)
  const found = Object.entries(taken).find(([text]) => {
    const other = ipv4Network(text)
    return wanted !== undefined && other !== undefined && overlaps(wanted, other)
  })
  return found && `${network} overlaps ${found[0]}, which are the addresses ${found[1]}`
}

/** The address of a host in a mesh: its own, or one made from its name, which stays the same whoever comes and goes. */
export function addressIn(network: string, { name, address }: { name: string; address?: string | undefined }): string {
  if (address !== undefined) return address
  const { first, last } = ipv4Network(network) ?? { first: 0, last: 0 }
  // Not the first and the last one, which mean the network and all of its hosts.
  const hosts = Math.max(1, last - first - 1)
  return ipv4Text(first + 1 + (Number.parseInt(sha256Of(name).slice(0, 8), 16) % hosts))
}
