import { images } from '../../../lib/platform/image-versions.ts'
import { incoming } from '../../../lib/platform/leftovers.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { programDir } from '../../../roles/backups/paths.ts'
import { clustersFolder, owner } from '../../../roles/postgres/cluster.ts'
import { drillContainer } from '../drill-server.ts'

const functions = shellFile(new URL('server.sh', import.meta.url))

/** Where the base and the WAL are uploaded to, among what an interrupted restore leaves. */
export const secondFolder = `${incoming}/second`
export const baseUpload = `${secondFolder}/base.tar.gz`
export const walUpload = `${secondFolder}/wal.tar`

/** Shell text: starts a server with the cluster as it was at a moment, runs `use` in it, and removes it. */
export function withSecondServer(moment: number, use: Script): Script {
  const { text } = sh`
    (
    set -e
    umask 077
    second=${secondFolder} server=${drillContainer} serving=${postgresContainer} fallback=${images.postgres} owner=${owner}
    clusters=${clustersFolder} rows=${`${programDir}/rows.awk`} moment=${new Date(moment).toISOString().replace('Z', '+00')}
    ${waiting}
    ${functions}
    trap cleanup EXIT
    trap 'exit 143' TERM
    need_disk
    unpack
    recover
    ${use}
    ) 2>&1
    # With && the parentheses would go on after a command that fails.
    status=$?
    [ "$status" != 0 ] || echo 'ended well'`
  return { text, shown: 'a server with the cluster as it was' }
}

/** Shell text: dumps a database to a file on the host. */
export function dumpOne(database: string, path: string): Script {
  return sh`dump ${database} ${path}`
}

/** Shell text: dumps every database, and keeps none. */
export const dumpEach: Script = sh`
  in_second psql -XqAt -U postgres -c "select datname from pg_database where datallowconn and datname <> 'template1' order by 1" >"$second/names"
  while IFS= read -r name <&3; do dump "$name" "$second/dump"; done 3<"$second/names"`
