import { oneValue } from '../../lib/model/kinds.ts'
import { meshInterface } from '../../lib/model/mesh.ts'
import { type Kind, reading } from '../../lib/model/reading.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** What a host has of the mesh at this moment. */
export interface MeshState {
  /** Its kernel has WireGuard. */
  readonly kernel: boolean
  /** It can have interfaces of programs, as wireguard-go makes one. */
  readonly tun: boolean
  /** Networks that it reaches by other interfaces. */
  readonly routes: readonly { readonly network: string; readonly by: string }[]
  /** Of the private key that it keeps; undefined where it has none, or no program to tell. */
  readonly ownKey: string | undefined
  /** As systemd has the unit: `loaded`, `active`, `enabled`. */
  readonly unit: { readonly load: string; readonly active: string; readonly enabled: string }
  readonly link: MeshLink | undefined
}

/** The interface as it runs. */
export interface MeshLink {
  readonly addresses: readonly string[]
  readonly mtu: number
  readonly key: string
  readonly port: number
  readonly peers: readonly LinkedPeer[]
}

export interface LinkedPeer {
  readonly key: string
  readonly allowed: string
  /** Seconds, or `off`. */
  readonly keepalive: string
  /** A further secret, which none of ours has. */
  readonly shared: boolean
  /** Undefined where it was heard from of late: then it is where it really is. */
  readonly endpoint: string | undefined
}

const script = shellFile(new URL('reading.sh', import.meta.url))

const kind: Kind<MeshState> = {
  name: 'mesh',
  // Handshakes come and go; a change of ours is right from any state.
  volatile: true,
  cost: 60,
  script: () => script,
  parse: oneValue(parseMesh),
}

export const meshState = reading(kind, 'state')

export function parseMesh(output: string): MeshState {
  const rows = output.split('\n').map((line) => line.split(' '))
  const of = (word: string) => rows.filter(([first]) => first === word).map(([, ...rest]) => rest)
  const property = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(output)?.[1] ?? ''
  const [own] = of('own')
  const [mtu] = of('mtu')
  const [running = []] = of('interface')
  return {
    kernel: of('kernel').length > 0,
    tun: of('tun').length > 0,
    routes: of('route').flatMap(([network = '', by = '']) => (by === meshInterface ? [] : [{ network, by }])),
    ownKey: own?.[0] || undefined,
    unit: { load: property('LoadState'), active: property('ActiveState'), enabled: property('UnitFileState') },
    link: mtu && {
      addresses: of('address').map(([address = '']) => address),
      mtu: Number(mtu[0]),
      key: running[0] ?? '',
      port: Number(running[1] ?? 0),
      peers: of('peer').map(([key = '', allowed = '', keepalive = '', shared, endpoint]) => ({
        ...{ key, allowed, keepalive, shared: shared === 'shared' },
        endpoint: endpoint === 'heard' ? undefined : endpoint,
      })),
    },
  }
}
