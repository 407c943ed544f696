import { becomes, type Change, type Prediction, type Resource, resource } from '../../../lib/model/resource.ts'
import { type ContainerState, containerState, type PresentContainer } from '../../../lib/resources/container.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { layoutOf } from '../spec/layout.ts'
import { type ContainerLimits, type Limits, limitsOfProcess } from '../spec/limits.ts'
import { processContainer } from '../spec/processes.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'
import { processStates } from './processes/states.ts'

/** Memory and CPU limits of the serving containers, changed while they run. */
export function limits(bot: string, wantedFor: (current: Release | undefined) => Limits): Resource {
  const layout = layoutOf(bot)
  const colours = { blue: containerState(layout.container('blue')), green: containerState(layout.container('green')) }
  const reads = { ...colours, release: currentRelease(bot), processes: processStates(bot) }
  return resource({
    id: `limits:${bot}`,
    wants: 'as the inventory says',
    reads,
    plan: ({ release, processes, ...states }) => {
      const current = parseRelease(release)
      if (current === undefined) return []
      const { colour, spec } = current
      // The swarm limits each replica, and the router has limits of its own.
      if (spec.replicas !== undefined) return []
      const wanted = wantedFor(current)
      const after = (state: PresentContainer, { memoryMB, cpus }: ContainerLimits) => ({ ...state, memoryMB, cpus })
      const own = states[colour]
      return [
        ...changes(layout.container(colour), own, wanted, '', (state) => [
          becomes(colours[colour], after(state, wanted)),
        ]),
        ...Object.keys(spec.processes ?? {}).flatMap((name) => {
          const container = processContainer(bot, name, colour)
          const each = limitsOfProcess(wanted, name)
          return changes(container, processes?.[container] ?? 'absent', each, `${name}: `, (state) => [
            becomes(reads.processes, (now) => ({ ...now, [container]: after(state, each) })),
          ])
        }),
      ]
    },
  })
}

function changes(
  container: string,
  state: ContainerState,
  wanted: ContainerLimits,
  prefix: string,
  predicts: (state: PresentContainer) => readonly Prediction[],
): readonly Change[] {
  if (state === 'absent' || (state.memoryMB === wanted.memoryMB && state.cpus === wanted.cpus)) return []
  const memory = `${wanted.memoryMB}m`
  return [
    {
      summary: `${prefix}memory ${state.memoryMB} → ${wanted.memoryMB} MiB, cpus ${state.cpus} → ${wanted.cpus}`,
      script: sh`docker update --memory ${memory} --memory-swap ${memory} --cpus ${wanted.cpus} ${container} >/dev/null`,
      predicts: predicts(state),
    },
  ]
}
