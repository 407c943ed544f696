import { images } from '../../lib/platform/image-versions.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'

/** The container of the temporary server that a drill restores into. */
export const drillContainer = 'botgarden-drill'

/** In MiB: memory of the server besides its data, memory left to the bots, and the least memory for its data. */
const work = 160
const left = 128
const least = 64

/**
 * Shell text: starts a server without a network, whose data is in memory and never on a disk, wherever its image has a volume. Sets `data`, the space for data
 * in MiB, and exits with 1 where the dump, in bytes, does not fit.
 */
export function startDrill(dumpBytes: number): Script {
  return sh`
    ${removeDrill()}
    free=$(${freeMemory()})
    data=$((free - ${work + left}))
    [ "$data" -ge ${least} ] || {
      echo "a drill runs its server in memory and needs ${work + left + least} MiB; $free MiB are free"
      exit 1
    }
    [ "$data" -ge ${Math.ceil(dumpBytes / 2 ** 20)} ] || { too_large; exit 1; }
    image=$(docker container inspect --format '{{.Config.Image}}' ${postgresContainer} 2>/dev/null || echo ${images.postgres})
    docker run --detach --name "$server" --network none --user 999:999 --cap-drop ALL --security-opt no-new-privileges --read-only \
      --memory "$((data + ${work}))m" --memory-swap "$((data + ${work}))m" --pids-limit 100 --shm-size 64m \
      --tmpfs "/var/lib/postgresql:size=\${data}m,mode=0700,uid=999,gid=999" --tmpfs /run/postgresql:mode=0775,uid=999,gid=999 --tmpfs /tmp:size=16m,mode=1777 \
      --env PGDATA=/var/lib/postgresql/drill --env POSTGRES_HOST_AUTH_METHOD=trust --env POSTGRES_PASSWORD=unused \
      --env 'POSTGRES_INITDB_ARGS=--no-sync --wal-segsize=4 --locale-provider=builtin --builtin-locale=C.UTF-8' "$image" \
      -c fsync=off -c listen_addresses= -c shared_buffers=32MB -c max_connections=10 -c wal_level=minimal -c max_wal_senders=0 \
      -c min_wal_size=8MB -c max_wal_size=32MB >/dev/null
    for second in $(seq 90); do
      [ "$(docker exec "$server" sh -c 'head -n 1 "$PGDATA/postmaster.pid"' 2>/dev/null)" = 1 ] && docker exec "$server" pg_isready --quiet && break
      [ "$second" != 90 ] || { echo 'the temporary server does not start'; docker logs --tail 10 "$server" 2>&1; exit 1; }
      sleep 1
    done`
}

/** Shell text: removes the temporary server. */
export function removeDrill(): Script {
  return sh`docker rm -f --volumes ${drillContainer} >/dev/null 2>&1 || :`
}

/** Shell function `too_large`: prints that the database does not fit into the memory of a drill, `$data` MiB. */
export function tooLarge(database: string): Script {
  return sh`too_large() {
      echo ${`the database ${database} does not fit into the memory of a drill, `}"$data MiB: test it on the disk with restore.ts --name NAME --as NEW"
    }`
}

/** Shell text: prints the free memory in MiB, without swap. In a container its cgroup limits apply as well, of version 1 or 2. */
function freeMemory(): Script {
  return sh`
      {
        awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo
        for v in /sys/fs/cgroup/memory /sys/fs/cgroup; do
          limit=$(cat $v/memory.limit_in_bytes 2>/dev/null || cat $v/memory.max 2>/dev/null) || continue
          used=$(cat $v/memory.usage_in_bytes 2>/dev/null || cat $v/memory.current 2>/dev/null) || continue
          awk -v limit="$limit" -v used="$used" '/^(total_)?(in)?active_file / { of[$1] = $2 }
            END { own = of["inactive_file"] + of["active_file"]; all = of["total_inactive_file"] + of["total_active_file"]
              if (limit != "max" && length(limit) <= 15) printf "%.0f\n", (limit - used + (all > own ? all : own)) / 1048576 }' $v/memory.stat
          break
        done
      } | sort -n | head -n 1
    `
}
