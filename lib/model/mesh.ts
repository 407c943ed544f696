/*
 * The private network between the hosts of an inventory, as the roles know it that it runs on or that use it: a mesh of WireGuard.
 */

export const meshInterface = 'mesh0'

/** On the host: the peers and their endpoints. What is written here decides for whom the firewall opens the port. */
export const meshFile = `/etc/wireguard/${meshInterface}.conf`

/** On the host: its private key, root's alone. It is outside of what backups take, since it never leaves the host. */
export const meshKey = `/etc/wireguard/${meshInterface}.key`

export const meshUnit = `wg-quick@${meshInterface}.service`

/** What the firewall of a host in a mesh does besides. */
export interface MeshFirewall {
  /** Of UDP, where WireGuard listens: open to the peers alone. */
  readonly port: number
  /** What is open inside of the mesh, as `meshDoor` says it: nothing else is. */
  readonly doors: readonly string[]
  /** What containers reach inside of the mesh: nothing else. */
  readonly ways: readonly MeshWay[]
  /** Bridges whose containers reach nothing but by these ways, and are reached by the doors alone. */
  readonly shut?: readonly string[]
}

/** From the containers of a bridge to a port of a host, by its address in the mesh. */
export interface MeshWay {
  readonly bridge: string
  readonly to: string
  readonly port: number
  readonly protocol?: 'tcp' | 'udp'
}

/** A port that is open inside of the mesh, to all of its hosts or to the one with this address there: a rule as `ufw.allow` has them. */
export function meshDoor(port: number, { protocol = 'tcp', from }: { protocol?: 'tcp' | 'udp'; from?: string } = {}) {
  return `${port}/${protocol} on ${meshInterface}${from === undefined ? '' : ` from ${from}`}`
}

/** The addresses of the endpoints in the text of `meshFile`, each once. */
export function endpointsIn(text: string | undefined): string[] {
  const found = [...(text ?? '').matchAll(/^Endpoint = (\d+\.\d+\.\d+\.\d+):\d+$/gm)].map(([, address = '']) => address)
  return [...new Set(found)].sort()
}
