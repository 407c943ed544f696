import { lineEach } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { engineAsk, engineSilence, unlessSilent } from '../../lib/resources/docker-engine.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'

/** A Docker network; undefined where there is none of this name. */
export type NetworkState =
  | {
      readonly subnet: string /** The allocation of the bot, by the name of the bridge; undefined where it is not a bridge of a bot. */
      readonly number: number | undefined
      /** Nothing on it reaches anything but the others on it. Left out: not so. */
      readonly internal?: true
    }
  | undefined

export function networkState(name: string): Reading<NetworkState> {
  return reading(networks, name)
}

/** The bridge of a bot: the host reaches it, other bots do not. The plan throws a `HostError` where its subnet is wrong. */
export function network(name: string, subnet: string, number: number, bot: string): Resource {
  const now = networkState(name)
  return resource({
    id: `network:${name}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: state }) => {
      if (state?.subnet === subnet) return []
      if (state !== undefined)
        throw new HostError(
          `network ${name} is ${state.subnet} and should be ${subnet}: remove the bot (bot.ts --remove) and deploy it again`,
        )
      // What asks for no address gets one of the upper half: those of the colours are given to nobody else.
      const [base] = subnet.split('.0/24')
      const addresses = ['--subnet', subnet, '--gateway', `${base}.1`, '--ip-range', `${base}.128/25`]
      const options = ['--driver', 'bridge', ...addresses, '--label', `botgarden.bot=${bot}`]
      // The rules of the ufw role match bridges of containers by this prefix.
      const bridge = `com.docker.network.bridge.name=br-bot-${number}`
      return [
        {
          summary: `create, ${subnet}`,
          script: sh`docker network create ${options} --opt ${bridge} ${name} >/dev/null`,
          predicts: [becomes(now, { subnet, number })],
        },
      ]
    },
  })
}

/** What the engine answers; an error has no name. */
interface EngineNetwork {
  readonly Name?: string
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null }
  readonly Options?: Readonly<Record<string, string>> | null
  readonly Internal?: boolean
}

const networks: Kind<NetworkState> = {
  name: 'network',
  // Without its containers, which come and go.
  script: (names) => sh`
    ${engineAsk}
    { engine_ask ${names.map((name) => `/networks/${name}`)} || ${engineSilence}; } |
      sed -E 's/"Containers":[{]([^{}]*[{][^{}]*[}])*[^{}]*[}],?//'`,
  parse: unlessSilent(lineEach((line) => stateOf(line === '' ? {} : JSON.parse(line)))),
}

function stateOf({ Name, IPAM, Options, Internal }: EngineNetwork): NetworkState {
  if (Name === undefined) return undefined
  const subnet = (IPAM?.Config ?? []).map(({ Subnet = '' }) => Subnet).join('')
  const number = /^br-bot-(\d+)$/.exec(Options?.['com.docker.network.bridge.name'] ?? '')?.[1]
  return { subnet, number: number === undefined ? undefined : Number(number), ...(Internal && { internal: true }) }
}
