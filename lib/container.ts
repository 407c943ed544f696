import { engineSilence, untoldBy } from './engine.ts'
import { type Kind, type Reading, reading } from './reading.ts'
import { sh } from './sh.ts'

/** What the engine says of a container. */
export type ContainerState =
  | 'absent'
  | {
      /** `running`, `restarting`, `exited`, `created`, `paused`, `dead`. */
      readonly status: string
      /** `healthy`, `unhealthy`, `starting`; '' where nothing looks after its health. */
      readonly health: string
      /** The checksum of what it was made from: our label on it. */
      readonly config: string
      /** `always`, `no`: whether a boot brings it back. */
      readonly restart: string
      /** In MiB; 0 without a limit. */
      readonly memoryMB: number
      readonly cpus: number
      /** Where it writes to a volume of Docker's, on the host's disk. */
      readonly volumes?: readonly string[]
    }

/** The label by which a container says what it was made from. */
export const configLabel = 'botgarden.config'

export function containerState(name: string): Reading<ContainerState> {
  return reading(containers, name)
}

// As JSON: a template that asks for the health of a container that has none fails.
const format =
  '{"name":{{json .Name}},"state":{{json .State}},"labels":{{json .Config.Labels}},' +
  '"mounts":{{json .Mounts}},"restart":{{json .HostConfig.RestartPolicy.Name}},"memory":{{.HostConfig.Memory}},"nanoCpus":{{.HostConfig.NanoCpus}}}'

const containers: Kind<ContainerState> = {
  name: 'container',
  volatile: true,
  script: (names) =>
    sh`docker container inspect --format ${format} -- ${names} 2>/dev/null | grep . || ${engineSilence}`,
  parse: (output, names) => {
    const untold = untoldBy(output, names)
    if (untold) return untold
    const states = new Map<string, ContainerState>(names.map((name) => [name, 'absent']))
    for (const line of output.split('\n').filter((each) => each.startsWith('{'))) {
      const { name, state, labels, mounts, restart, memory, nanoCpus } = JSON.parse(line)
      const limits = { memoryMB: memory / 2 ** 20, cpus: nanoCpus / 1e9 }
      const config = labels?.[configLabel] ?? ''
      const volumes = (mounts as { Type: string; Destination: string }[])
        .filter(({ Type }) => Type === 'volume')
        .map(({ Destination }) => Destination)
      states.set(name.slice(1), {
        status: state.Status,
        health: state.Health?.Status ?? '',
        config,
        restart,
        volumes,
        ...limits,
      })
    }
    return states
  },
}
