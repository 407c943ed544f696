import { meshInterface } from '../../lib/model/mesh.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { template } from '../../lib/std/template.ts'
import { fromMesh, type ThroughMesh, throughMesh } from './mesh.ts'
import { published } from './published.ts'
import { type Family, isInside, type Rule } from './rules.ts'

/** The rules that limit what containers reach, and what reaches them. */
export interface ContainerRules {
  /** The whole of /etc/ufw/after.init. */
  readonly script: string
  /** What the kernel lists once the script has loaded them: as in `UfwState.containers`. */
  readonly loaded: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] }
}

/** Docker's names of its bridges: that of the default network, and the pattern of all others. */
const bridges = ['docker0', 'br-+']

/** The one by which containers of Swarm reach the world: only hosts with a mesh have it. */
const swarmBridge = 'docker_gwbridge'

/** Metadata services of clouds, which give a machine's credentials to any process on it. */
const metadata = {
  ipv4: [
    // Link-local addresses: AWS, Google, Azure, Oracle, OpenStack and most others.
    '169.254.0.0/16',
    // Alibaba, Oracle Classic, Azure's WireServer.
    ...['100.100.100.200', '192.0.0.192', '168.63.129.16'],
  ],
  // AWS, Google, Oracle, Alibaba, Scaleway, Akamai. No host forwards link-local addresses, and neighbour discovery needs them.
  ipv6: [
    'fd00:ec2::/32',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fd00:100::100:200',
    'fd00:42::42',
    'fd00:a9fe:a9fe::1',
  ],
}

/**
 * `mesh`: what containers reach in the mesh, on a host that is in one; nothing else of it.
 *
 * The rules are in the mangle table, which comes before those of Docker and ufw: a published port bypasses ufw's rules, and the
 * chain for users (DOCKER-USER) does not exist before Docker starts, nor with its nftables backend.
 */
export function containerRules(
  web: readonly number[],
  open: readonly Rule[],
  resolvers: readonly string[],
  mesh?: ThroughMesh,
): ContainerRules {
  const of = (family: Family) => rulesOf(family, web, open, resolvers, mesh)
  const rules = { ipv4: of('ipv4'), ipv6: of('ipv6') }
  const mark = sha256Of(JSON.stringify(rules)).slice(0, 12)
  const text = (family: Family) =>
    rules[family].map((rule) => `${rule} -m comment --comment botgarden:${mark}`).join('\n')
  const loaded = (family: Family) => rules[family].map((rule) => `${rule.split(' ')[1]} ${mark}`).sort()
  return {
    script: template(new URL('templates/after.init.mustache', import.meta.url), {
      ipv4: text('ipv4'),
      ipv6: text('ipv6'),
    }),
    loaded: { ipv4: loaded('ipv4'), ipv6: loaded('ipv6') },
  }
}

function rulesOf(
  family: Family,
  web: readonly number[],
  open: readonly Rule[],
  resolvers: readonly string[],
  mesh: ThroughMesh | undefined,
): string[] {
  const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN'
  const named = mesh === undefined ? bridges : [...bridges, swarmBridge]
  const limited = mesh === undefined ? named : [...named, meshInterface]
  return [
    ...limited.map((each) => `-A INPUT -i ${each} -j botgarden-input`),
    '-A FORWARD -j botgarden-forward',
    `-A botgarden-input ${established}`,
    `-A botgarden-input -p ${family === 'ipv4' ? 'icmp' : 'ipv6-icmp'} -j RETURN`,
    ...(mesh === undefined ? [] : fromMesh(family, open, mesh)),
    // From a container to the host: only to nginx.
    ...(web.length > 0 ? [`-A botgarden-input -p tcp -m multiport --dports ${web.join(',')} -j RETURN`] : []),
    '-A botgarden-input -j DROP',
    // From a container to anywhere but the metadata services; to one only from others, and where the inventory opens the port.
    ...resolvers.filter((address) => isMetadata(family, address)).flatMap(asked),
    ...metadata[family].map((address) => `-A botgarden-forward -d ${address} -j DROP`),
    `-A botgarden-forward ${established}`,
    ...(mesh === undefined ? [] : throughMesh(family, open, mesh)),
    ...named.map((bridge) => `-A botgarden-forward -i ${bridge} -j RETURN`),
    ...open.filter(({ on }) => on !== meshInterface).flatMap((rule) => published(family, rule)),
    // Connections that Docker redirects, for bridges of any name; and those to a container's own address.
    '-A botgarden-forward -m conntrack --ctstate DNAT -j DROP',
    ...named.map((bridge) => `-A botgarden-forward -o ${bridge} -j DROP`),
  ]
}

/** In some clouds one address serves DNS and credentials: containers may then ask it for names, as the host does. */
function asked(resolver: string): string[] {
  return ['udp', 'tcp'].map((each) => `-A botgarden-forward -d ${resolver} -p ${each} --dport 53 -j RETURN`)
}

function isMetadata(family: Family, address: string): boolean {
  return metadata[family].some((network) => isInside(address, network))
}
