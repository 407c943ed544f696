import { type Kind, type Reading, reading } from '../model/reading.ts'
import { sh } from '../shell/sh.ts'
import { engineSilence, unlessSilent } from './docker-engine.ts'

/** What the engine says of a container. */
export type ContainerState =
  | 'absent'
  | {
      /** `running`, `restarting`, `exited`, `created`, `paused`, `dead`. */
      readonly status: string
      /** `healthy`, `unhealthy`, `starting`; '' without a health check. */
      readonly health: string
      /** Our label on it: the checksum of what it was created from. */
      readonly config: string
      /** The restart policy, `always` or `no`: whether it starts at boot. */
      readonly restart: string
      /** In MiB; 0 without a limit. */
      readonly memoryMB: number
      readonly cpus: number
      /** Where it writes to a volume of Docker's, on the host's disk. */
      readonly volumes?: readonly string[]
      /** How often the engine has started it again after it ended by itself; left out where it has not. */
      readonly restarts?: number
      /** When it was started last, in milliseconds since 1970. */
      readonly startedAt?: number
      /** Mounted folders of the host that have been removed since, or replaced by others. */
      readonly stale?: readonly string[]
      /** By the name of each network that it is connected to: its aliases there. Left out: as its compose file says. */
      readonly networks?: Readonly<Record<string, readonly string[]>>
    }

export type PresentContainer = Exclude<ContainerState, 'absent'>

/** The label of a container with the checksum of what it was created from. */
export const configLabel = 'botgarden.config'

export function containerState(name: string): Reading<ContainerState> {
  return reading(containers, name)
}

// As JSON: a template that asks for the health of a container that has none fails. Below it, both sides of each mount.
const format =
  '{"name":{{json .Name}},"state":{{json .State}},"labels":{{json .Config.Labels}},"mounts":{{json .Mounts}},' +
  '"networks":{{json .NetworkSettings.Networks}},' +
  '"restarts":{{.RestartCount}},"restart":{{json .HostConfig.RestartPolicy.Name}},"memory":{{.HostConfig.Memory}},"nanoCpus":{{.HostConfig.NanoCpus}}}' +
  '{{if .State.Running}}{{$pid := .State.Pid}}{{range .Mounts}}{{if eq .Type "bind"}}\n{{.Source}}\n/proc/{{$pid}}/root{{.Destination}}{{end}}{{end}}{{end}}'

const containers: Kind<ContainerState> = {
  name: 'container',
  volatile: true,
  cost: 90,
  script: (names) => sh`
    if said=$(docker container inspect --format ${format} -- ${names} 2>/dev/null) || [ -n "$said" ]; then
      ${tellContainers}
    else ${engineSilence}
    fi`,
  parse: unlessSilent((output, names) => {
    const found = containersIn(output)
    return new Map<string, ContainerState>(names.map((name) => [name, found.get(name) ?? 'absent']))
  }),
}

// What `format` printed is in $said.
const tellContainers = sh`
  printf '%s\n' "$said"
  printf '%s\n' "$said" | grep '^/' | xargs -r -d '\n' stat -L --format 'inode %d:%i %n' -- 2>/dev/null || :`

/** Shell text: prints what `containersIn` reads of the containers whose names are in $names, one a line. */
export const inspectNamed = sh`
  said=$(printf '%s\n' "$names" | xargs -r docker container inspect --format ${format} -- 2>/dev/null) || :
  ${tellContainers}`

/** By name, each container in what such a script printed. */
export function containersIn(output: string): ReadonlyMap<string, PresentContainer> {
  const states = new Map<string, PresentContainer>()
  const lines = output.split('\n')
  const inodes = new Map([...output.matchAll(/^inode (\S+) (.*)$/gm)].map(([, inode, path]) => [path, inode]))
  for (const line of lines.filter((each) => each.startsWith('{'))) {
    const { name, state, labels, mounts, networks, restarts, restart, memory, nanoCpus } = JSON.parse(line) as Inspected
    const volumes = mounts.filter(({ Type }) => Type === 'volume').map(({ Destination }) => Destination)
    states.set(name.slice(1), {
      status: state.Status,
      health: state.Health?.Status ?? '',
      config: labels?.[configLabel] ?? '',
      restart,
      volumes,
      ...(restarts > 0 && { restarts }),
      ...{ memoryMB: memory / 2 ** 20, cpus: nanoCpus / 1e9, startedAt: Date.parse(state.StartedAt) },
      stale: staleOf(mounts, state.Pid, inodes),
      ...(networks && {
        networks: Object.fromEntries(Object.entries(networks).map(([each, { Aliases }]) => [each, Aliases ?? []])),
      }),
    })
  }
  return states
}

/** What `format` prints of a container. */
interface Inspected {
  /** With a slash before it. */
  readonly name: string
  readonly state: { Status: string; StartedAt: string; Pid: number; Health?: { Status: string } | null }
  readonly labels: Readonly<Record<string, string>> | null
  readonly mounts: readonly Mount[]
  readonly networks?: Readonly<Record<string, { readonly Aliases?: readonly string[] | null }>> | null
  readonly restarts: number
  readonly restart: string
  /** In bytes. */
  readonly memory: number
  readonly nanoCpus: number
}

interface Mount {
  readonly Type: string
  readonly Source: string
  readonly Destination: string
}

/** A mount that cannot be read is left out: its container has ended in the meantime. */
function staleOf(
  mounts: readonly Mount[] | null,
  pid: number,
  inodes: ReadonlyMap<string | undefined, string | undefined>,
) {
  return (mounts ?? []).flatMap(({ Type, Source, Destination }) => {
    const mounted = inodes.get(`/proc/${pid}/root${Destination}`)
    return Type === 'bind' && mounted !== undefined && mounted !== inodes.get(Source) ? [Source] : []
  })
}
