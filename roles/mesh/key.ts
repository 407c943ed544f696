import { refuseWhen, when } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { ipv4Network, overlaps } from '../../lib/model/ipv4.ts'
import { meshFile, meshKey } from '../../lib/model/mesh.ts'
import { becomes, type Resource } from '../../lib/model/resource.ts'
import { textOf } from '../../lib/resources/file-state.ts'
import { generatedFile } from '../../lib/resources/generated-secret.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { sh } from '../../lib/shell/sh.ts'
import { isOurs } from './config.ts'
import { type MeshState, meshState } from './reading.ts'

/** The programs, and a private key that the host makes for itself. Refused where the network would cut the host off. */
export function programsAndKey(network: string, facts: Facts): Resource[] {
  const reason = (state: MeshState, text: string | undefined) =>
    missingKernel(state) ?? overlap(network, state, facts) ?? foreign(text)
  return [
    refuseWhen(
      [meshState, textOf(meshFile)],
      (read) => reason(read(meshState), read(textOf(meshFile))),
      aptPackage('wireguard-tools', [
        becomes(meshState, (now) => ({ ...now, unit: { load: 'loaded', active: 'inactive', enabled: 'disabled' } })),
      ]),
    ),
    when([meshState], (read) => !read(meshState).kernel, aptPackage('wireguard-go')),
    generatedFile(
      meshKey,
      { write: sh`wg genkey >"$candidate"`, check: sh`wg pubkey <"$candidate" >/dev/null` },
      // What it is only the host knows; that it is another one is enough.
      { whenMade: [becomes(meshState, (now) => ({ ...now, ownKey: 'made' }))] },
    ),
  ]
}

function missingKernel({ kernel, tun }: MeshState): string | undefined {
  if (kernel || tun) return
  return 'mesh: the kernel of this host has no WireGuard, and there is no /dev/net/tun for wireguard-go: ask the provider for TUN, or take a host with a kernel of its own'
}

function overlap(network: string, { routes, link }: MeshState, { clientAddress }: Facts): string | undefined {
  const wanted = ipv4Network(network)
  const meets = (text: string) => {
    const other = ipv4Network(text.replace(/^::ffff:/, ''))
    return wanted !== undefined && other !== undefined && overlaps(wanted, other)
  }
  const route = routes.find((each) => meets(each.network))
  if (route !== undefined)
    return `mesh.network: ${network} overlaps ${route.network}, which this host reaches by ${route.by}: take another one for all hosts`
  // Who comes through the mesh itself comes to where it runs.
  if (link === undefined && meets(clientAddress))
    return `mesh.network: ssh comes from ${clientAddress}, which is in ${network}, and would be cut off: take another one for all hosts`
}

function foreign(text: string | undefined): string | undefined {
  if (text === undefined || isOurs(text)) return
  return `${meshFile} is not ours: move it away, and take the interface down: wg-quick down mesh0`
}
