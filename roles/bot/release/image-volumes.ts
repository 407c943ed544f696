import type { Outputs } from '../../../lib/model/resource.ts'
import type { ContainerState } from '../../../lib/resources/container.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import type { Spec } from '../spec/spec.ts'

/** A volume of the image's would be written to the host's disk, as much as the bot likes, and is lost with the container. */
export function refuseVolumes(bot: string, spec: Spec, volumes: readonly string[]): void {
  const covered = coveredBy(spec)
  const open = volumes
    .map((path) => path.replace(/\/+/g, '/').replace(/(?!^)\/$/, ''))
    .filter((path) => !covered.includes(path))
  if (open.length > 0) throw new HostError(refusal(bot, open.join(', ')))
}

/** The same on the host, for an image that was brought a moment ago: before anything of the bot is touched. */
export function volumesRefused(bot: string, spec: Spec): Script {
  // Quoted as JSON does it, so that each is one line, whatever it holds.
  const each = '{{range $path, $none := .Config.Volumes}}{{println (json $path)}}{{end}}'
  const covered = coveredBy(spec).flatMap((path) => ['-e', JSON.stringify(path)])
  return sh`
    volumes=$(docker image inspect --format ${each} -- ${spec.image})
    open=$(printf '%s\n' "$volumes" | sed 's#//*#/#g; s#\(.\)/"$#\1"#' | grep -vxF ${covered} | grep . | tr -d '"' | paste -s -d , | sed 's/,/, /g' || :)
    [ -z "$open" ] || { printf '%s\n' ${refusal(bot, '')}"$open"; exit 1; }`
}

/** Of a version that was released before that was refused: it serves on. */
export function toldVolumes(bot: string, container: ContainerState): Outputs {
  const volumes = container === 'absent' ? [] : (container.volumes ?? [])
  if (volumes.length === 0) return {}
  return {
    [`${bot} volumes`]: `it writes to this host's disk without a bound, at ${volumes.join(', ')}: give it scratch: [${volumes.join(', ')}], and release it again (npx zx playbooks/bot.ts --name ${bot})`,
  }
}

/** What a container of this version has there instead. One above it does not do: Docker mounts the volume over that. */
function coveredBy({ database, scratch = [] }: Spec): string[] {
  return ['/tmp', '/run/secrets', ...(database ? ['/run/postgresql'] : []), ...scratch]
}

function refusal(bot: string, open: string): string {
  return `the image of ${bot} has volumes, where it would write to this host's disk without a bound. What is to last belongs into the database; name what it needs for a while under "scratch:" in its bot.yaml, each 32 MB of memory, empty at every start: ${open}`
}
