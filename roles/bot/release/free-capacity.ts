import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { sh } from '../../../lib/shell/sh.ts'

/** Free memory and disk of a host, in MiB; memory includes swap. */
export interface FreeCapacity {
  readonly totalMB: number
  /** Available: caches count as free. */
  readonly memoryMB: number
  readonly diskMB: number
  /** Predicted: what versions of this run will use that replace no other one. */
  readonly newMB?: number
}

export const freeCapacity: Reading<FreeCapacity> = reading(
  {
    name: 'free-capacity',
    volatile: true,
    // In a container the limits of its own cgroup apply as well; its cache counts as free.
    script: () => sh`
      awk '/^MemAvailable|^SwapFree/ { sum += $2 } /^MemTotal|^SwapTotal/ { total += $2 }
        END { print "memory", int(sum / 1024); print "total", int(total / 1024) }' /proc/meminfo
      for v in /sys/fs/cgroup/memory /sys/fs/cgroup; do
        limit=$(cat $v/memory.limit_in_bytes 2>/dev/null || cat $v/memory.max 2>/dev/null) || continue
        usage=$(cat $v/memory.usage_in_bytes 2>/dev/null || cat $v/memory.current 2>/dev/null) || continue
        cache=$(awk '/^(total_)?(in)?active_file / { of[$1] = $2 } 
          END { own = of["inactive_file"] + of["active_file"]; all = of["total_inactive_file"] + of["total_active_file"]; print (all > own ? all : own) }' $v/memory.stat 2>/dev/null)
        case $limit in *[!0-9]* | '') continue ;; esac
        [ "\${#limit}" -gt 15 ] || echo "memory $(((limit - usage + cache) / 1048576))
total $((limit / 1048576))"
        break
      done
      folder=/var/lib/docker; [ -d $folder ] || folder=/var/lib
      df --output=avail -m $folder | awk 'NR == 2 { print "disk", $1 }'`,
    parse: oneValue((output) => {
      const of = (word: string) => [...output.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, n]) => Number(n))
      return {
        totalMB: Math.min(...of('total')),
        memoryMB: Math.min(...of('memory')),
        diskMB: Math.min(...of('disk')),
      }
    }),
  } satisfies Kind<FreeCapacity>,
  'host',
)
