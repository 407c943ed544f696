import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { clustersFolder } from '../../../roles/postgres/cluster.ts'
import { serverFolder } from '../../../roles/postgres/server.ts'
import { besideContainer, moveFolder } from './move-script.ts'

/** The clusters of a host, by their folders. */
export interface Clusters {
  /** Major versions, in order: the last one serves. */
  readonly live: readonly number[]
  /** What a move or a way back has kept: `17.old`, `18.back`. */
  readonly kept: readonly string[]
  /** What a run has left that was cut. */
  readonly left: readonly string[]
}

/** What the clusters take, in MiB by folder, and what is free. */
export interface ClusterRoom {
  readonly sizes: Readonly<Record<string, number>>
  readonly freeMiB: number
}

/** A run that has waited for another one sees here that the move is made. */
const kind: Kind<Clusters> = {
  name: 'clusters',
  script: () => sh`
    for each in ${clustersFolder}/*/; do
      each=\${each%/}
      [ -s "$each/docker/PG_VERSION" ] || case $each in *.new) ;; *) continue ;; esac
      echo "cluster \${each##*/}"
    done
    ! docker container inspect ${besideContainer} >/dev/null 2>&1 || echo left ${besideContainer}
    for each in ${serverFolder}/before-* ${moveFolder}; do [ ! -e "$each" ] || echo "left $each"; done`,
  parse: oneValue((output) => {
    const names = [...output.matchAll(/^cluster (\S+)$/gm)].map(([, name = '']) => name)
    return {
      live: names
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .sort((one, other) => one - other),
      kept: names.filter((name) => /^\d+\.(old|back)$/.test(name)),
      left: [
        ...names.filter((name) => /^\d+\.new$/.test(name)),
        ...[...output.matchAll(/^left (\S+)$/gm)].map(([, what = '']) => what),
      ],
    }
  }),
}

const roomKind: Kind<ClusterRoom> = {
  name: 'cluster-room',
  // Sizes change by themselves.
  volatile: true,
  script: () => sh`
    du -sm ${clustersFolder}/*/ 2>/dev/null | sed 's#/$##; s#^\([0-9]*\).*/#size \1 #'
    echo "free $(df --output=avail -m ${clustersFolder} 2>/dev/null | tail -n 1)"`,
  parse: oneValue((output) => ({
    sizes: Object.fromEntries(
      [...output.matchAll(/^size (\d+) (\S+)$/gm)].map(([, size, name = '']) => [name, Number(size)]),
    ),
    freeMiB: Number(/^free +(\d+)$/m.exec(output)?.[1] ?? 0),
  })),
}

export const clusters: Reading<Clusters> = reading(kind, 'postgres')
export const clusterRoom: Reading<ClusterRoom> = reading(roomKind, 'postgres')
