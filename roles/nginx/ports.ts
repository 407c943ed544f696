import { type Kind, reading } from '../../lib/model/reading.ts'
import { type Resource, resource } from '../../lib/model/resource.ts'
import { containerState } from '../../lib/resources/container.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'

/** Where our server does not run yet, its ports must be free; else the plan throws a `HostError`. */
export function freePorts(container: string, ports: readonly number[]): Resource {
  return resource({
    id: 'nginx:ports',
    wants: ports,
    reads: { holders: reading(portHolders, ports.join(' ')), ours: containerState(container) },
    plan: ({ holders, ours }) => {
      const runs = ours !== 'absent' && ours.status === 'running'
      if (runs || holders.length === 0) return []
      throw new HostError(holders.join('; '))
    },
  })
}

/** The programs that listen on these ports, each with the command that stops it. */
const portHolders: Kind<readonly string[]> = {
  name: 'port-holders',
  volatile: true,
  script: (names) => sh`
    ss -Hltnp ${portFilter(names.flatMap((ports) => ports.split(' ')))} 2>/dev/null |
      sed -n 's/^[^ ]* *[^ ]* *[^ ]* *[^ ]*:\([0-9]*\) .*users:(("\([^"]*\)",pid=\([0-9]*\),.*/\1 \2 \3/p' | sort -u |
      while read -r port program pid; do
        cgroup=
        read -r cgroup 2>/dev/null <"/proc/$pid/cgroup" || :
        echo "$port $program \${cgroup##*/}"
      done`,
  parse: (output, names) => {
    const rows = [...new Set(output.split('\n').filter(Boolean))].map((line) => line.split(' '))
    return new Map(
      names.map((name) => [
        name,
        rows
          .filter(([port = '']) => name.split(' ').includes(port))
          .map(([port, program, unit = '']) => {
            const stop = unit.endsWith('.service') ? `: systemctl disable --now ${unit}, and run again` : ''
            return `port ${port} is held by ${program}${stop}`
          }),
      ]),
    )
  },
}

/** The ports as `ss` is asked for them: `sport = :80 or sport = :443`. */
function portFilter(ports: readonly string[]): string {
  return ports.map((port) => `sport = :${port}`).join(' or ')
}
