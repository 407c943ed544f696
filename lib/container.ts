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
    }

/** The label by which a container says what it was made from. */
export const configLabel = 'botgarden.config'

export function containerState(name: string): Reading<ContainerState> {
  return reading(containers, name)
}

const format = `{{.Name}}|{{.State.Status}}|{{with .State.Health}}{{.Status}}{{end}}|{{index .Config.Labels "${configLabel}"}}`

const containers: Kind<ContainerState> = {
  name: 'container',
  volatile: true,
  script: (names) => sh`docker container inspect --format ${format} -- ${names} 2>/dev/null || :`,
  parse: (output, names) => {
    const states = new Map<string, ContainerState>(names.map((name) => [name, 'absent']))
    for (const line of output.split('\n')) {
      const [name = '', status = '', health = '', config = ''] = line.split('|')
      if (states.has(name.slice(1))) states.set(name.slice(1), { status, health, config })
    }
    return states
  },
}
