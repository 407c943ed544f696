import { type Kind, type Reading, reading } from '../../../../lib/model/reading.ts'
import type { Outputs } from '../../../../lib/model/resource.ts'
import { configLabel } from '../../../../lib/resources/container.ts'
import { engineSilence, unlessSilent } from '../../../../lib/resources/docker-engine.ts'
import { sh } from '../../../../lib/shell/sh.ts'
import { botFolders } from '../../spec/layout.ts'
import type { Replicas } from '../../spec/replicas/index.ts'

/** What the swarm says of the replicas of a bot; undefined where it has no such service, or this host cannot ask it. */
export interface ReplicasState {
  /** The checksum of what it was deployed from. */
  readonly config: string
  /** Names of secrets that are others by now than those that the replicas have. */
  readonly stale: readonly string[]
  /** The hosts on which they run, by the names that these hosts have: one for each replica. */
  readonly on: readonly string[]
}

export function replicasState(bot: string): Reading<ReplicasState | undefined> {
  return reading(kind, bot)
}

/** Output of a run: how many there are, and where. */
export function replicasOutput(bot: string, { count }: Replicas, state: ReplicasState | undefined): Outputs {
  if (state === undefined) return { [`${bot} replicas`]: `0 of ${count}: the swarm has none, or does not answer` }
  return {
    [`${bot} replicas`]: `${state.on.length} of ${count}${state.on.length > 0 ? `: ${whereText(state.on)}` : ''}`,
  }
}

/** `vps1, vps2 (2)`. */
function whereText(on: readonly string[]): string {
  return [...Map.groupBy([...on].sort(), (name) => name)]
    .map(([name, { length }]) => (length > 1 ? `${name} (${length})` : name))
    .join(', ')
}

const serviceFormat = `{{index .Spec.Labels "${configLabel}"}}{{range .Spec.TaskTemplate.ContainerSpec.Secrets}} {{.File.Name}}={{.SecretName}}{{end}}`

const kind: Kind<ReplicasState | undefined> = {
  name: 'replicas',
  // Where replicas run changes by itself; what a change is planned by does not.
  volatile: true,
  cost: 150,
  script: (bots) => sh`
    for bot in ${bots}; do
      service=botgarden-\${bot}_bot
      said=$(docker service inspect --format ${serviceFormat} "$service" 2>/dev/null) || { ${engineSilence}; continue; }
      echo "service $bot $said"
      for pair in $said; do
        case $pair in *=*) ;; *) continue ;; esac
        file=${botFolders.secrets}/$bot/\${pair%%=*}
        [ -e "$file" ] || continue
        # Those of former releases are named by the sum of their content alone.
        case \${pair#*=} in botgarden-*) sum=$(sha256sum <"$file" | cut -c 1-16) ;;
        *) sum=$({ printf '%s %s\n' "$service" "\${pair%%=*}"; cat "$file"; } | sha256sum | cut -c 1-32) ;; esac
        [ "\${pair##*.}" = "$sum" ] || echo "stale $bot \${pair%%=*}"
      done
      docker service ps --filter desired-state=running --format '{{.Node}} {{.CurrentState}}' "$service" 2>/dev/null |
        sed -n "s/^\([^ ]*\) Running .*/on $bot \\1/p" | sort
    done`,
  parse: unlessSilent((output, bots) => {
    const rows = (name: string, bot: string) =>
      output.split('\n').flatMap((line) => {
        const [first, second, ...rest] = line.split(' ')
        return first === name && second === bot ? [rest] : []
      })
    return new Map(
      bots.map((bot) => {
        const [service] = rows('service', bot)
        if (service === undefined) return [bot, undefined]
        const words = (name: string) => rows(name, bot).flatMap(([word]) => word ?? [])
        return [bot, { config: service[0] ?? '', stale: words('stale'), on: words('on') }]
      }),
    )
  }),
}
