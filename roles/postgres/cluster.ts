import { stateDir } from '../../lib/model/host-layout.ts'
import type { Reading } from '../../lib/model/reading.ts'
import { images } from '../../lib/platform/image-versions.ts'
import { type FileState, fileState } from '../../lib/resources/file-state.ts'

/** The user of the image, by number: the host has no such user. */
export const owner = '999'

/** The folder with the clusters: `MAJOR/docker` is the one of a major version; the newest of these serves. */
export const clustersFolder = `${stateDir}/postgres`

/** The major version of an image, as its tag says: `postgres:18.6`, `pgvector/pgvector:0.8.1-pg18`. One that says none is like ours. */
export function majorOf(image: string): number {
  const tag = image.replace(/@.*$/, '').replace(/^.*\//, '').split(':')[1] ?? ''
  const found = /(?:^|[^a-z])pg(\d\d)(?!\d)/.exec(tag) ?? /^(\d\d)(?!\d)/.exec(tag)
  return found === null ? majorOf(images.postgres) : Number(found[1])
}

/** Where a container of this image has its cluster. */
export interface ClusterMount {
  /** On the host. */
  readonly source: string
  readonly target: string
  /** What the image's own PGDATA is not. */
  readonly environment: Readonly<Record<string, string>>
}

/** Up to 17 the image has a volume at another path, which must be mounted itself: else it would hold the data. */
export function clusterMount(image: string): ClusterMount {
  const major = majorOf(image)
  return major >= 18
    ? { source: clustersFolder, target: '/var/lib/postgresql', environment: {} }
    : { source: `${clustersFolder}/${major}`, ...beforeVersion18 }
}

const beforeVersion18 = {
  target: '/var/lib/postgresql/data',
  environment: { PGDATA: '/var/lib/postgresql/data/docker' },
}

/** Another folder in the place of the cluster, for a server beside the one that serves. */
export function stagedMount(image: string, source: string): ClusterMount {
  const major = majorOf(image)
  return major >= 18
    ? { source, target: `/var/lib/postgresql/${major}`, environment: {} }
    : { source, ...beforeVersion18 }
}

/** Whether a cluster of this major version is there. */
export function clusterOf(major: number): Reading<FileState> {
  return fileState(`${clustersFolder}/${major}/docker/PG_VERSION`)
}

/** Why a server of this major version must not be started; undefined where it may. */
export function otherCluster(major: number, image: string, isThere: (major: number) => boolean): string | undefined {
  const newest = neighboursOf(major).findLast(isThere)
  if (newest === undefined || (newest < major && isThere(major))) return undefined
  const data = `the data on this host is of PostgreSQL ${newest}`
  return newest < major
    ? `${data}, which ${image} cannot read: npx zx playbooks/update.ts --postgres moves it`
    : `${data}, and the inventory asks for ${image}, which cannot read it: set "postgres: { image: … }" to one of ${newest}, or go back with npx zx playbooks/update.ts --postgres --back`
}

/** The versions whose data may be there instead. */
export function neighboursOf(major: number): number[] {
  return [major - 1, major + 1]
}
