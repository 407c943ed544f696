import { notInContainer } from '../model/combinators.ts'
import type { Facts } from '../model/facts.ts'
import { type Kind, type Reading, reading } from '../model/reading.ts'
import { becomes, type Resource, resource } from '../model/resource.ts'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'

/** The swap space in use, and the swap file at a path. */
export interface SwapState {
  /** In use, each with its size in MiB. */
  readonly active: Readonly<Record<string, number>>
  /** The file at our path, in MiB; 0 is none. */
  readonly fileMiB: number
  /** Free on the file system of that path. */
  readonly freeMiB: number
}

export function swapState(path: string): Reading<SwapState> {
  return reading(swaps, path)
}

/** Left free beside a new swap file, in MiB: a full disk is worse than a lack of swap. */
const reserveMiB = 1024

/**
 * A file to swap to of this size in MiB, in use now; at the next boot a unit takes it. Where the host swaps to something
 * else already, that is enough.
 */
export function swapFile(path: string, sizeMiB: number, facts: Facts): Resource {
  const now = swapState(path)
  const inner = resource({
    id: `swap:${path}`,
    wants: sizeMiB,
    reads: { now },
    plan: ({ now: state }) => {
      const others = Object.keys(state.active).filter((each) => each !== path)
      if (others.length > 0 || (state.fileMiB === sizeMiB && path in state.active)) return []
      const after = becomes(now, { ...state, active: { ...state.active, [path]: sizeMiB }, fileMiB: sizeMiB })
      if (state.fileMiB === sizeMiB) return [{ summary: 'use', script: sh`swapon ${path}`, predicts: [after] }]
      // One that is there already goes only when the new one is in its place.
      const missing = sizeMiB + reserveMiB - state.freeMiB
      if (missing > 0)
        throw new HostError(
          `swap: ${path} of ${sizeMiB} MiB would leave less than ${reserveMiB} MiB of the disk free: ` +
            `make room for ${missing} MiB, or set base.swap to less`,
        )
      const summary = state.fileMiB === 0 ? `create, ${sizeMiB} MiB` : `${state.fileMiB} MiB → ${sizeMiB} MiB`
      return [{ summary, script: makeScript(path, sizeMiB), predicts: [after], long: true }]
    },
  })
  return notInContainer(inner, facts)
}

/** Written beside and renamed, so that a file of the right size is always complete. */
function makeScript(path: string, sizeMiB: number) {
  return sh`
    candidate=${`${path}.new`}
    trap 'rm -f "$candidate"' EXIT
    rm -f "$candidate"
    (umask 077; : >"$candidate")
    # A copy on write would move the blocks that the kernel has taken down.
    chattr +C "$candidate" 2>/dev/null || :
    # Written and not just allocated: holes cannot be swapped to.
    dd if=/dev/zero of="$candidate" bs=1M count=${sizeMiB} conv=fsync status=none
    mkswap "$candidate"
    if grep -q ${`^${path}[[:space:]]`} /proc/swaps; then swapoff ${path}; fi
    mv -fT "$candidate" ${path}
    swapon ${path}`
}

const swaps: Kind<SwapState> = {
  name: 'swap',
  script: (paths) => sh`
    awk 'NR > 1 { print "active", $1, $3 }' /proc/swaps
    for path in ${paths}; do
      printf 'file %s %s %s\n' "$path" "$(stat -c %s -- "$path" 2>/dev/null || echo 0)" \
        "$(df --output=avail -k -- "$(dirname "$path")" | tail -n 1)"
    done`,
  parse: (output, paths) => {
    const lines = output.split('\n').map((line) => line.split(/ +/))
    const active = lines.flatMap(([word, path = '', kib]) => (word === 'active' ? [[path, mib(kib)] as const] : []))
    return new Map(
      paths.map((path) => {
        const [, , bytes, free] = lines.find(([word, of]) => word === 'file' && of === path) ?? []
        if (free === undefined) throw new HostError(`the swap space cannot be read:\n${output}`)
        const fileMiB = Math.round(Number(bytes) / 2 ** 20)
        return [path, { active: Object.fromEntries(active), fileMiB, freeMiB: mib(free) }]
      }),
    )
  },
}

/** The kernel counts one page less than the file has. */
function mib(kib: string | undefined): number {
  return Math.round(Number(kib) / 1024)
}
