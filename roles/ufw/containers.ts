import { createHash } from 'node:crypto'
import { template } from '../../lib/template.ts'
import { familyOf, type Rule } from './rules.ts'

/** What keeps containers in and others out of them. */
export interface ContainerRules {
  /** The whole of /etc/ufw/after.init. */
  readonly script: string
  /** What the kernel says when the script has loaded them: as in `UfwState.containers`. */
  readonly loaded: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] }
}

/** Docker's names of its bridges: the default network's, and one for every other network. */
const bridges = ['docker0', 'br-+']

/** Where clouds hand out a machine's credentials, to whoever asks from it. */
const metadata = { ipv4: ['169.254.0.0/16'], ipv6: ['fd00:ec2::254', 'fd20:ce::254'] }

type Family = keyof typeof metadata

/**
 * In the mangle table, which is asked before Docker's and ufw's own: a published port goes round ufw's rules, and the chain
 * that Docker keeps for others (DOCKER-USER) is not there before Docker is, nor with its nftables backend.
 */
export function containerRules(web: readonly number[], open: readonly Rule[]): ContainerRules {
  const rules = { ipv4: rulesOf('ipv4', web, open), ipv6: rulesOf('ipv6', web, open) }
  const mark = createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, 12)
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

function rulesOf(family: Family, web: readonly number[], open: readonly Rule[]): string[] {
  const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN'
  return [
    ...bridges.map((bridge) => `-A INPUT -i ${bridge} -j botgarden-input`),
    '-A FORWARD -j botgarden-forward',
    // From a container to the host: only to nginx.
    `-A botgarden-input ${established}`,
    `-A botgarden-input -p ${family === 'ipv4' ? 'icmp' : 'ipv6-icmp'} -j RETURN`,
    ...(web.length > 0 ? [`-A botgarden-input -p tcp -m multiport --dports ${web.join(',')} -j RETURN`] : []),
    '-A botgarden-input -j DROP',
    // From a container to anywhere but the metadata; to a container only from others, and where the inventory opens the port.
    ...metadata[family].map((address) => `-A botgarden-forward -d ${address} -j DROP`),
    `-A botgarden-forward ${established}`,
    ...bridges.map((bridge) => `-A botgarden-forward -i ${bridge} -j RETURN`),
    ...open.flatMap((rule) => opened(family, rule)),
    // What Docker redirects, whatever the bridge is called; and what is sent straight to a container's address.
    '-A botgarden-forward -m conntrack --ctstate DNAT -j DROP',
    ...bridges.map((bridge) => `-A botgarden-forward -o ${bridge} -j DROP`),
  ]
}

/** By the port that the connection was made to, not the one that the container listens on. */
function opened(family: Family, { ports, protocol, from }: Rule): string[] {
  if (from !== undefined && familyOf(from) !== family) return []
  const source = from === undefined ? '' : ` -s ${from}`
  return (protocol === 'any' ? ['tcp', 'udp'] : [protocol]).map(
    (each) => `-A botgarden-forward${source} -p ${each} -m conntrack --ctorigdstport ${ports} -j RETURN`,
  )
}
