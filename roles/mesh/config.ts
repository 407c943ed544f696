import { ipv4Number } from '../../lib/model/ipv4.ts'
import { meshKey } from '../../lib/model/mesh.ts'
import { isPublicKey, type Mesh, type Peer } from './peer.ts'

const header = '# Written by botgarden; changes made here are overwritten.\n'

/** The file of wg-quick(8). The private key is not in it: it stays in a file of its own. */
export function configText({ network, address, port, mtu, keepalive, peers }: Mesh): string {
  const bits = network.split('/')[1] ?? ''
  const own = [
    '[Interface]',
    // With the bits of the network: what is for a peer that is gone leaves by no other interface.
    `Address = ${address}/${bits}`,
    `ListenPort = ${port}`,
    `MTU = ${mtu}`,
    `PostUp = wg set %i private-key ${meshKey}`,
  ]
  const others = peers.map(({ name, address, endpoint, key = '(made by this run)' }) => [
    '',
    `# ${name}`,
    '[Peer]',
    `PublicKey = ${key}`,
    `AllowedIPs = ${address}/32`,
    `Endpoint = ${endpoint}`,
    ...(keepalive === undefined ? [] : [`PersistentKeepalive = ${keepalive}`]),
  ])
  return `${header}${[own, ...others].flat().join('\n')}\n`
}

export function isOurs(text: string): boolean {
  return text.trim() === '' || text.startsWith(header)
}

/** What such a file says of the peers: key and endpoint by address. What does not look like that is left out. */
export function peersIn(text: string): Map<string, Pick<Peer, 'endpoint'> & { readonly key: string }> {
  const blocks = text.split(/^\[Peer\]$/m).slice(1)
  const value = (block: string, name: string) => new RegExp(`^${name} = (.*)$`, 'm').exec(block)?.[1] ?? ''
  return new Map(
    blocks.flatMap((block) => {
      const [key, endpoint] = [value(block, 'PublicKey'), value(block, 'Endpoint')]
      const [address = ''] = value(block, 'AllowedIPs').split('/')
      const [at = '', port = ''] = endpoint.split(':')
      const isWhole = isPublicKey(key) && [address, at].every((each) => ipv4Number(each) !== undefined)
      return isWhole && /^\d{1,5}$/.test(port) ? [[address, { key, endpoint }] as const] : []
    }),
  )
}
