import type { Outputs } from '../../../lib/model/resource.ts'
import type { ContainerState } from '../../../lib/resources/container.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import type { Spec } from '../spec/spec.ts'

/** Throws a `HostError` for volumes of an image: they would be written to the host's disk without a limit, and lost with the container. */
export function refuseVolumes(bot: string, spec: Spec, volumes: readonly string[]): void {
  const covered = mountedPaths(spec)
  const open = volumes
    .map((path) => path.replace(/\/+/g, '/').replace(/(?!^)\/$/, ''))
    .filter((path) => !covered.includes(path))
  if (open.length > 0) throw new HostError(refusal(bot, open.join(', ')))
}

/** Shell text: exits with 1 for volumes of this image of a version. For one that was pulled or built in this run, before the switch. */
export function refuseVolumesScript(bot: string, spec: Spec, image = spec.image): Script {
  // Quoted as JSON, so that each path is one line.
  const each = '{{range $path, $none := .Config.Volumes}}{{println (json $path)}}{{end}}'
  const covered = mountedPaths(spec).flatMap((path) => ['-e', JSON.stringify(path)])
  return sh`
    volumes=$(docker image inspect --format ${each} -- ${image})
    open=$(printf '%s\n' "$volumes" | sed 's#//*#/#g; s#\(.\)/"$#\1"#' | grep -vxF ${covered} | grep . | tr -d '"' | paste -s -d , | sed 's/,/, /g' || :)
    [ -z "$open" ] || { printf '%s\n' ${refusal(bot, '')}"$open"; exit 1; }`
}

/** Output of a run: volumes of a container that was released before they were refused. */
export function volumeWarning(bot: string, container: ContainerState): Outputs {
  const volumes = container === 'absent' ? [] : (container.volumes ?? [])
  if (volumes.length === 0) return {}
  return {
    [`${bot} volumes`]: `it writes to this host's disk without a limit, at ${volumes.join(', ')}: set data: [${volumes.join(', ')}] in its bot.yaml to keep what is written from now on, or scratch: for what may go, and release it again (npx zx playbooks/bot.ts --name ${bot})`,
  }
}

/** Paths at which a container has a mount of ours. A mount above a volume does not help: Docker mounts the volume over it. */
function mountedPaths({ database, scratch = [], data = [] }: Spec): string[] {
  return ['/tmp', '/run/secrets', ...(database ? ['/run/postgresql'] : []), ...scratch, ...data]
}

function refusal(bot: string, open: string): string {
  return `the image of ${bot} declares volumes, which would write to this host's disk without a limit. List folders that must last under "data:" in its bot.yaml, and temporary ones under "scratch:" (each 32 MiB of memory, empty at every start): ${open}`
}
