import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { containerState } from '../../../lib/resources/container.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { layoutOf } from '../spec/layout.ts'
import type { Limits } from '../spec/limits.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'

/** Memory and CPU limits of the serving container, changed while it runs. */
export function limits(bot: string, wantedFor: (current: Release | undefined) => Limits): Resource {
  const layout = layoutOf(bot)
  const [blue, green] = [containerState(layout.container('blue')), containerState(layout.container('green'))]
  return resource({
    id: `limits:${bot}`,
    wants: 'as the inventory says',
    reads: { release: currentRelease(bot), blue, green },
    plan: ({ release, ...states }) => {
      const current = parseRelease(release)
      if (current === undefined) return []
      const { colour } = current
      const wanted = wantedFor(current)
      const state = states[colour]
      if (state === 'absent' || (state.memoryMB === wanted.memoryMB && state.cpus === wanted.cpus)) return []
      const memory = `${wanted.memoryMB}m`
      return [
        {
          summary: `memory ${state.memoryMB} → ${wanted.memoryMB} MiB, cpus ${state.cpus} → ${wanted.cpus}`,
          script: sh`docker update --memory ${memory} --memory-swap ${memory} --cpus ${wanted.cpus} ${layout.container(colour)} >/dev/null`,
          predicts: [becomes(colour === 'blue' ? blue : green, { ...state, ...wanted })],
        },
      ]
    },
  })
}
