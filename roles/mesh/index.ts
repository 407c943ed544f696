import { notice } from '../../lib/model/combinators.ts'
import { meshFile } from '../../lib/model/mesh.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { type Role, role } from '../../lib/model/role.ts'
import { file } from '../../lib/resources/file.ts'
import { noMesh } from './absent.ts'
import { configText } from './config.ts'
import { runningInterface } from './interface.ts'
import { programsAndKey } from './key.ts'
import type { Mesh } from './peer.ts'
import { faultsOf, vars } from './schema.ts'

/** What was found out about the other hosts of a mesh. */
export interface GivenMesh {
  readonly mesh: Mesh
  /** Hosts of the mesh that nothing is known of yet. */
  readonly missing: readonly string[]
}

/** Alone it makes the key of a host, and no more: the rest takes the keys of the others. */
export const mesh = meshRole()

/** A private network with the other hosts of the inventory. */
export function meshRole(given?: GivenMesh): Role {
  return role(
    'mesh',
    vars,
    ({ network }, facts) => {
      // What a host never had is not looked for there.
      if (network === undefined) return facts.mesh ? [noMesh()] : []
      return [...programsAndKey(network, facts), ...(given === undefined ? [] : withPeers(given))]
    },
    (wanted, host) => faultsOf(wanted, host.name),
  )
}

/** The file comes before the firewall, which opens the port to those in it; the interface comes when the firewall shuts it. */
function withPeers({ mesh, missing }: GivenMesh): Resource[] {
  return [
    file(meshFile, { content: configText(mesh), mode: '0600' }),
    { ...runningInterface(mesh), follows: 'unit:ufw.service' },
    notice({
      id: 'mesh:address',
      wants: { address: mesh.address, missing },
      reads: {},
      outputs: () => ({ mesh: mesh.address, ...(missing.length > 0 && { notInMesh: missing }) }),
    }),
  ]
}
