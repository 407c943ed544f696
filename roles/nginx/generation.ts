import { nginxReload, nginxState } from '../../lib/nginx.ts'
import { becomes, type Resource, resource } from '../../lib/resource.ts'

/** Before the server's first start there is something for it to run. */
export function firstGeneration(): Resource {
  return resource({
    id: 'nginx:generation',
    wants: 'there',
    reads: { state: nginxState },
    plan: ({ state }) => {
      if (state !== 'absent') return []
      return [
        {
          summary: 'lay out the first configuration',
          script: nginxReload,
          predicts: [becomes(nginxState, { current: true, inForce: false })],
        },
      ]
    },
  })
}
