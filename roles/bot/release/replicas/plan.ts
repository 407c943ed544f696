import { becomes, type Change, type Prediction } from '../../../../lib/model/resource.ts'
import type { ContainerState } from '../../../../lib/resources/container.ts'
import type { BotInstance } from '../../spec/instance.ts'
import type { Limits } from '../../spec/limits.ts'
import type { Release } from '../../spec/release-record.ts'
import type { Spec } from '../../spec/spec.ts'
import { serviceFile } from '../compose-file.ts'
import type { ReleasePolicy } from '../policy.ts'
import { replicasRepair } from './roll-script.ts'
import { replicasService } from './service.ts'
import { type ReplicasState, replicasState } from './state.ts'

/** Whether a version replaces the one that serves replica by replica: both have some, and the router serves both. */
export function rolls(instance: BotInstance, spec: Spec, current: Release, router: ContainerState): boolean {
  if (spec.replicas === undefined || current.spec.replicas === undefined || router === 'absent') return false
  const { checksum } = serviceFile(instance, current.colour, spec, { memoryMB: 0, cpus: 0 })
  return router.status === 'running' && router.config === checksum
}

/** The replicas are as the release says: its configuration, and the secrets of the host. */
export function repairOfReplicas(
  instance: BotInstance,
  current: Release,
  policy: ReleasePolicy,
  state: ReplicasState | undefined,
): readonly Change[] {
  const { spec } = current
  if (spec.replicas === undefined) return []
  const limits = policy.limits(current)
  const { checksum } = replicasService(instance, spec, limits, policy.settle)
  const reason =
    state === undefined
      ? 'the swarm has none'
      : state.config !== checksum
        ? 'they differ from their release'
        : state.stale.length > 0
          ? `${state.stale.join(' and ')} changed`
          : undefined
  if (reason === undefined) return []
  const script = replicasRepair(instance, current, limits, policy.settle)
  const predicts = replicasAfter(instance, spec, policy, limits)
  return [{ summary: `deploy its replicas, since ${reason}`, script, long: true, predicts }]
}

/** What the swarm says of the replicas of a version that was deployed. */
export function replicasAfter(instance: BotInstance, spec: Spec, policy: ReleasePolicy, limits: Limits): Prediction[] {
  const { replicas } = spec
  const after = replicas && {
    config: replicasService(instance, spec, limits, policy.settle).checksum,
    stale: [],
    on: Array.from({ length: replicas.count }, (_, i) => replicas.hosts[i % replicas.hosts.length] ?? ''),
  }
  return [becomes(replicasState(instance.bot), after)]
}
