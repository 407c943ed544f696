import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { nginxReload, nginxState } from '../../lib/platform/nginx.ts'

/** Makes the first generation, so that the server has a complete configuration whenever it starts. */
export function firstGeneration(): Resource {
  return resource({
    id: 'nginx:generation',
    wants: 'there',
    reads: { state: nginxState },
    plan: ({ state }) => {
      if (state !== 'absent' && state.whole) return []
      const summary =
        state === 'absent' ? 'lay out the first configuration' : 'lay out again what is not as it was written'
      const predicts = [becomes(nginxState, { current: true, whole: true, inForce: false })]
      return [{ summary, script: nginxReload, predicts }]
    },
  })
}
