import { tryDocker } from './docker-cli.ts'
import { containerOf, network } from './paths.ts'

/** A container as Docker reports it. */
export interface Seen {
  readonly id: string
  readonly running: boolean
  readonly startedAt: string
  readonly memory: number
  readonly image: string
  readonly port: number | undefined
  /** On this checkout's network, under its name there: without it neither names nor the ssh port lead anywhere. */
  readonly connected: boolean
}

const format =
  '{"name":{{json .Name}},"id":{{json .Id}},"running":{{.State.Running}},"startedAt":{{json .State.StartedAt}},' +
  '"memory":{{.HostConfig.Memory}},"image":{{json .Config.Image}},"ports":{{json .HostConfig.PortBindings}},' +
  '"networks":{{json .NetworkSettings.Networks}}}'

/** Looks at several containers of this sandbox in one call; one that does not exist is not in the answer. */
export async function see(names: readonly string[]): Promise<Map<string, Seen>> {
  if (names.length === 0) return new Map()
  const containers = new Map(names.map((name) => [`/${containerOf(name)}`, name]))
  const { stdout } = await tryDocker(['inspect', '--type', 'container', '-f', format, ...names.map(containerOf)])
  const seen = new Map<string, Seen>()
  for (const line of stdout.split('\n').filter((each) => each.startsWith('{'))) {
    const { name, ports, networks, ...rest } = JSON.parse(line)
    const port = ports?.['22/tcp']?.[0]?.HostPort
    seen.set(containers.get(name) ?? name, {
      ...rest,
      port: port === undefined ? undefined : Number(port),
      connected: networks[network]?.Aliases?.includes(`${containers.get(name)}.sandbox`) === true,
    })
  }
  return seen
}
