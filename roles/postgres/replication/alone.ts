import { type Resource, resource } from '../../../lib/model/resource.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { clustersFolder, majorOf } from '../cluster.ts'
import { serverData } from './data.ts'

/** A server that follows another one can be nobody's server of its own, and its data are not thrown away without a word. */
export function followsNobody(image: string): Resource {
  const data = serverData(majorOf(image))
  return resource({
    id: 'standby:data',
    wants: 'of its own',
    reads: { data },
    plan: ({ data: there }) => {
      if (there === 'none' || !there.follows) return []
      throw new HostError(
        `the server of this host is a standby, and the inventory has no "postgres: { standby: … }" that names this host: put it back, or begin with an empty server here: docker rm -f ${postgresContainer}; mv ${clustersFolder} ${clustersFolder}.standby`,
      )
    },
  })
}
