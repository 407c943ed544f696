import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { type ContainerState, containerState } from '../../../lib/resources/container.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { routes } from '../allocation.ts'
import { networkState } from '../network.ts'
import { type Colour, databaseAddressOf, databaseBase, databaseSubnet, layoutOf } from '../spec/layout.ts'
import { currentRelease, parseRelease } from '../spec/release-record.ts'

/** A bot with its allocation, and the first two numbers of the networks of bots. */
export interface Place {
  readonly bot: string
  readonly base: string
  readonly number: number
}

/** The name of the server in such a network. */
const serverAlias = 'postgres'

/**
 * The network of a bot and the database server. It leads nowhere, and the host has no address in it. The plan throws a
 * `HostError` where another network has its name, or its addresses are in use.
 */
export function databaseNetwork({ bot, base, number }: Place): Resource {
  const name = layoutOf(bot).databaseNetwork
  const now = networkState(name)
  const subnet = databaseSubnet(base, number)
  return resource({
    id: `network:${name}`,
    wants: 'there',
    reads: { now, taken: routes },
    plan: ({ now: state, taken }) => {
      if (state?.subnet === subnet && state.internal) return []
      if (state !== undefined)
        throw new HostError(
          `network ${name} is ${state.internal ? '' : 'not internal, and '}${state.subnet}, and should be internal and ${subnet}: docker network rm ${name} on the host, after docker network disconnect for each container on it`,
        )
      const route = taken.find((each) => each.startsWith(`${databaseBase(base)}.${number}.`))
      if (route !== undefined)
        throw new HostError(
          `network ${name} would be ${subnet}, and this host has a route to ${route}: use the socket (no database.tcp), or set bot.network in the inventory to another before the first release`,
        )
      const addresses = ['--gateway', databaseAddressOf(base, number, 'gateway'), '--subnet', subnet]
      // What Docker hands out by itself is in the upper half: ours are never taken.
      const range = ['--ip-range', `${databaseBase(base)}.${number}.8/29`]
      const options = ['--driver', 'bridge', '--internal', ...addresses, ...range, '--label', `botgarden.bot=${bot}`]
      // The rules of the ufw role match bridges of containers by the first three letters.
      const bridge = `com.docker.network.bridge.name=br-db-${number}`
      const noAddress = 'com.docker.network.bridge.inhibit_ipv4=true'
      return [
        {
          summary: `create, ${subnet}`,
          script: sh`docker network create ${options} --opt ${bridge} --opt ${noAddress} ${name} >/dev/null`,
          predicts: [becomes(now, { subnet, number: undefined, internal: true as const })],
        },
      ]
    },
  })
}

/** The server is in the network of this bot. It was made without any, and is again whenever its container is made anew. */
export function serverAttached({ bot, base, number }: Place): Resource {
  const network = layoutOf(bot).databaseNetwork
  const now = containerState(postgresContainer)
  return resource({
    id: `attachment:${network}/${postgresContainer}`,
    wants: serverAlias,
    reads: { now },
    plan: ({ now: state }) => {
      if (state === 'absent' || state.networks?.[network]?.includes(serverAlias)) return []
      const address = databaseAddressOf(base, number, 'server')
      return [
        {
          summary: `connect the server, as ${serverAlias}`,
          script: connect(network, postgresContainer, ['--alias', serverAlias, '--ip', address]),
          predicts: [becomes(now, (before) => withNetwork(before, network, [serverAlias]))],
        },
      ]
    },
  })
}

/** The container that serves is in its network: a release starts it there, and a hand may have disconnected it. */
export function botAttached({ bot, base, number }: Place): Resource {
  const layout = layoutOf(bot)
  const network = layout.databaseNetwork
  const colours = { blue: containerState(layout.container('blue')), green: containerState(layout.container('green')) }
  return resource({
    id: `attachment:${network}/${layout.network}`,
    wants: 'there',
    reads: { ...colours, current: currentRelease(bot) },
    plan: ({ current, ...states }) => {
      const colour: Colour | undefined = parseRelease(current)?.colour
      const state = colour === undefined ? 'absent' : states[colour]
      // Without any it is as its compose file says.
      if (colour === undefined || state === 'absent' || state.networks === undefined || state.networks[network])
        return []
      const address = databaseAddressOf(base, number, colour)
      return [
        {
          summary: 'connect the bot',
          script: connect(network, layout.container(colour), ['--ip', address]),
          predicts: [becomes(colours[colour], (before) => withNetwork(before, network, []))],
        },
      ]
    },
  })
}

/** Shell text: takes the server out of the network, and removes it. Without any other the server is as it was made. */
export function removeDatabaseNetwork(bot: string): Script {
  const name = layoutOf(bot).databaseNetwork
  const left = '{{range $name, $each := .NetworkSettings.Networks}}{{$name}}{{end}}'
  return sh`
    if docker network inspect ${name} >/dev/null 2>&1; then
      docker network disconnect --force ${name} ${postgresContainer} >/dev/null 2>&1 || :
      docker network rm ${name} >/dev/null
      [ -n "$(docker container inspect --format ${left} ${postgresContainer})" ] || docker network connect none ${postgresContainer}
    fi`
}

/** What that makes of the server's container. */
export function serverDetached(bot: string) {
  const { databaseNetwork: gone } = layoutOf(bot)
  return becomes(containerState(postgresContainer), (before) => {
    if (before === 'absent' || before.networks === undefined) return before
    const { [gone]: _, ...networks } = before.networks
    return { ...before, networks: Object.keys(networks).length === 0 ? { none: [] } : networks }
  })
}

/** A container without a network is in the network `none`, which shares it with no other. */
function connect(network: string, container: string, options: readonly string[]): Script {
  return sh`
    docker network disconnect none ${container} >/dev/null 2>&1 || :
    docker network disconnect --force ${network} ${container} >/dev/null 2>&1 || :
    docker network connect ${options} ${network} ${container}`
}

function withNetwork(before: ContainerState, network: string, aliases: readonly string[]): ContainerState {
  if (before === 'absent') return before
  const { none: _, ...networks } = before.networks ?? {}
  return { ...before, networks: { ...networks, [network]: aliases } }
}
