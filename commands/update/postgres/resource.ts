import { notice } from '../../../lib/model/combinators.ts'
import { type Change, type Resource, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { postgresConf } from '../../../lib/platform/postgres-access.ts'
import { lines, sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { clustersFolder, majorOf } from '../../../roles/postgres/cluster.ts'
import { type ServerVars, serverFolder } from '../../../roles/postgres/server.ts'
import { type ClusterRoom, type Clusters, clusterRoom, clusters } from './clusters.ts'
import { backScript, besideContainer, moveFolder, moveScript, reserve } from './move-script.ts'

/** Whether the way back is wanted. */
export type Direction = 'forward' | 'back'

/** The cluster of the wanted major version serves. The plan throws a `HostError` where there is no way to it. */
export function postgresVersion(wanted: ServerVars, memoryMiB: number, direction: Direction): Resource {
  const to = majorOf(wanted.image)
  return resource({
    id: 'postgres:version',
    wants: to,
    reads: { found: clusters, room: clusterRoom },
    plan: ({ found, room }) => {
      const from = found.live.at(-1)
      const change = (summary: string, script: Change['script']) => [
        { summary, script, long: true, predicts: [unknownUntilApply(clusters)] },
      ]
      if (from === undefined) throw new HostError(`there is no data of PostgreSQL in ${clustersFolder}: run site.ts`)
      if (direction === 'back') {
        if (from === to) return []
        refuseNoWayBack(found, from, to)
        return change(
          `go back from PostgreSQL ${from} to ${to}, without what was written since`,
          backScript({ from, wanted, memoryMiB }),
        )
      }
      if (from > to)
        throw new HostError(
          `PostgreSQL ${from} serves, and the inventory asks for ${wanted.image}: --back goes back to a version that was kept`,
        )
      if (from === to) return tidy(found) ? change('tidy up after a run that was cut', tidyScript(found)) : []
      refuseFullDisk(room, from)
      const size = room.sizes[String(from)] ?? 0
      return change(
        `move ${size} MiB from PostgreSQL ${from} to ${wanted.image}; bots stop meanwhile, and their updates wait at Telegram${
          wanted.archived === true ? '; the archive of WAL begins anew, times before are those of nightly backups' : ''
        }`,
        moveScript({ from, wanted, memoryMiB }),
      )
    },
  })
}

function refuseFullDisk({ sizes, freeMiB }: ClusterRoom, from: number): void {
  // The new cluster, and one dump at a time beside it.
  const needed = 2 * (sizes[String(from)] ?? 0) + reserve
  if (freeMiB >= needed) return
  throw new HostError(`the move needs ${needed} MiB of disk, and ${freeMiB} MiB are free: nothing was changed`)
}

function refuseNoWayBack({ live, kept }: Clusters, from: number, to: number): void {
  if (to < from && (live.includes(to) || kept.includes(`${to}.old`))) return
  const said = kept.length === 0 ? 'nothing' : kept.join(', ')
  throw new HostError(
    `--back: PostgreSQL ${from} serves, the inventory asks for ${to}, and ${said} is kept: set postgres.image to the version to go back to`,
  )
}

function tidy({ live, left }: Clusters): boolean {
  return live.length > 1 || left.length > 0
}

function tidyScript({ live, left }: Clusters) {
  const older = live.slice(0, -1)
  const staged = left.filter((name) => name.endsWith('.new'))
  return sh`
    docker rm -f --volumes ${besideContainer} >/dev/null 2>&1 || :
    rm -rf ${moveFolder} ${serverFolder}/before-* ${serverFolder}/*.new ${postgresConf}/*.new ${staged.map((name) => `${clustersFolder}/${name}`)}
    ${lines(
      older.map(String).map(
        (name) => sh`
    rm -rf ${`${clustersFolder}/${name}.old`}
    mv -T ${`${clustersFolder}/${name}`} ${`${clustersFolder}/${name}.old`}`,
      ),
    )}`
}

/** What a move has kept is removed. */
export function nothingKept(): Resource {
  return resource({
    id: 'postgres:kept',
    wants: 'absent',
    reads: { found: clusters, room: clusterRoom },
    plan: ({ found: { kept }, room: { sizes } }) => {
      if (kept.length === 0) return []
      const script = sh`rm -rf ${kept.map((name) => `${clustersFolder}/${name}`)}`
      return [
        { summary: `remove ${shownKept(kept, sizes)}`, script, long: true, predicts: [unknownUntilApply(clusters)] },
      ]
    },
  })
}

/** Output of a run: what is kept, and how it goes away. */
export function keptNotice(): Resource {
  return notice({
    id: 'postgres:kept-told',
    reads: { found: clusters, room: clusterRoom },
    outputs: ({ found: { kept }, room: { sizes } }) =>
      kept.length === 0
        ? {}
        : {
            postgresKept: `${shownKept(kept, sizes)}: npx zx playbooks/update.ts --postgres --forget-old removes it`,
          },
  })
}

function shownKept(kept: Clusters['kept'], sizes: ClusterRoom['sizes']): string {
  return kept.map((name) => `${clustersFolder}/${name} (${sizes[name] ?? 0} MiB)`).join(', ')
}
