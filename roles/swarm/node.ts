import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { enginePost } from '../../lib/resources/docker-engine.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import type { GivenSwarm } from './member.ts'
import { type SwarmState, swarmState } from './state.ts'

const port = 2377

/** The host is a node of the swarm of its mesh. The plan throws a `HostError` where it is one of another swarm. */
export function swarmNode(given: GivenSwarm, network: string): Resource {
  const { own, members, entry } = given
  return resource({
    id: 'swarm:node',
    wants: { address: own.address, entry: entry?.kind },
    reads: { now: swarmState },
    plan: ({ now }) => {
      refuseForeign(now, given)
      if (now.state === 'active' || now.state === 'pending' || entry === undefined) return []
      const script = entry.kind === 'begin' ? begin(own.address, network) : join(own.address, entry)
      const managers = entry.kind === 'begin' ? [own.address] : [...entry.managers]
      const after: SwarmState = {
        ...{
          state: 'active',
          address: own.address,
          manages: entry.kind === 'begin' || own.manager,
          managers,
          error: '',
        },
        ...{ nodes: [], services: [] },
      }
      const others = members.filter(({ name }) => name !== own.name).map(({ name }) => name)
      const summary = entry.kind === 'begin' ? `begin a swarm for ${others.join(', ')} and itself` : 'join the swarm'
      return [{ summary, script, predicts: [becomes(swarmState, after)] }]
    },
  })
}

function refuseForeign({ state, address, managers, error }: SwarmState, { own, members }: GivenSwarm): void {
  if (state === 'locked')
    throw new HostError(
      'the swarm of this host is locked: docker swarm unlock, and docker swarm update --autolock=false',
    )
  if (state === 'error')
    throw new HostError(`the engine is in no swarm, though it was: ${error}: docker swarm leave --force`)
  if (state !== 'active' && state !== 'pending') return
  const known = members.map((each) => each.address)
  const strangers = managers.filter((each) => !known.includes(each))
  if (address === own.address && (managers.length === 0 || strangers.length < managers.length)) return
  throw new HostError(
    `this host is in another swarm already, at ${address}, managed by ${managers.join(', ') || 'nobody that answers'}: where nothing of it is needed: docker swarm leave --force`,
  )
}

function begin(address: string, network: string): Script {
  return sh`
    ${enginePost}
    printf %s ${JSON.stringify({ ...addresses(address), DefaultAddrPool: [network], SubnetSize: 26 })} | engine_post /swarm/init`
}

/** The token is in the text of the script alone, which travels by stdin, as the body of the request does. */
function join(address: string, { token, managers }: { token: Secret; managers: readonly string[] }): Script {
  const remote = managers.map((each) => `${each}:${port}`)
  const before = JSON.stringify({ ...addresses(address), RemoteAddrs: remote }).slice(0, -1)
  return sh`
    ${enginePost}
    { printf '%s,"JoinToken":"' ${before}; printf %s ${token}; printf '"}'; } | engine_post /swarm/join`
}

function addresses(address: string) {
  return { ListenAddr: `${address}:${port}`, AdvertiseAddr: `${address}:${port}`, DataPathAddr: address }
}
