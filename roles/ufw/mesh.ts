import { type MeshFirewall, meshInterface } from '../../lib/model/mesh.ts'
import { listening, published } from './published.ts'
import { type Family, familyOf, type Rule } from './rules.ts'

export type ThroughMesh = Pick<MeshFirewall, 'ways' | 'shut'>

/** From another host of the mesh to this one: only to what is open there, also where the port is open to the world. */
export function fromMesh(family: Family, open: readonly Rule[], { shut = [] }: ThroughMesh): string[] {
  return [
    ...open.filter(isOfMesh).flatMap((rule) => listening(family, rule)),
    `-A botgarden-input -i ${meshInterface} -j DROP`,
    ...shut.map((bridge) => `-A botgarden-input -i ${bridge} -j DROP`),
  ]
}

/**
 * Through this host into the mesh: containers reach what they are allowed to; a peer would take them for the host. And out of it to
 * what containers publish at a port that is open there.
 */
export function throughMesh(family: Family, open: readonly Rule[], { ways, shut = [] }: ThroughMesh): string[] {
  return [
    ...ways
      .filter(({ to }) => familyOf(to) === family)
      .map(
        ({ bridge, to, port, protocol = 'tcp' }) =>
          `-A botgarden-forward -i ${bridge} -o ${meshInterface} -d ${to} -p ${protocol} --dport ${port} -j RETURN`,
      ),
    `-A botgarden-forward -o ${meshInterface} -j DROP`,
    ...open.filter(isOfMesh).flatMap((rule) => published(family, rule)),
    `-A botgarden-forward -i ${meshInterface} -j DROP`,
    ...shut.flatMap((bridge) => ['-i', '-o'].map((side) => `-A botgarden-forward ${side} ${bridge} -j DROP`)),
  ]
}

function isOfMesh({ on }: Rule): boolean {
  return on === meshInterface
}
