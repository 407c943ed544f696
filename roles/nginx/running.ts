import { nginxState, reloadFunction } from '../../lib/nginx.ts'
import { becomes, type Resource, resource } from '../../lib/resource.ts'
import { sh } from '../../lib/sh.ts'

const inForce = becomes(nginxState, { current: true, inForce: true })

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
          script: reload,
          predicts: [becomes(nginxState, { current: true, inForce: false })],
        },
      ]
    },
  })
}

/** The server runs what stands in its folder; where it refuses, it goes on with what it had, and the run says why. */
export function runningConfig(): Resource {
  return resource({
    id: 'nginx:config',
    wants: 'in force',
    reads: { state: nginxState },
    plan: ({ state }) => {
      if (state !== 'absent' && state.inForce) return []
      return [{ summary: 'reload', script: reload, predicts: [inForce] }]
    },
  })
}

const reload = {
  text: sh`
    ${reloadFunction()}
    nginx_reload`.text,
  shown: 'nginx -t; nginx -s reload',
}
