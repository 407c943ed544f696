import type { Finder } from '../../../lib/cli/given.ts'
import type { Roles } from '../../../lib/cli/run-host.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import type { Role } from '../../../lib/model/role.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { HostError, InventoryError, RunnerError } from '../../../lib/std/errors.ts'
import { mapConcurrent } from '../../../lib/std/map-concurrent.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { dockerRole } from '../../../roles/docker/index.ts'
import { swarmRole } from '../../../roles/swarm/index.ts'
import type { GivenSwarm } from '../../../roles/swarm/member.ts'
import { isTold } from '../../../roles/swarm/nodes.ts'
import { parseSwarm, question, type SwarmState } from '../../../roles/swarm/state.ts'
import { tokenScript } from '../../../roles/swarm/token.ts'
import { type Swarm, swarmFaults, swarmsOf } from './members.ts'

type Run = (session: Session, roles: readonly Role[]) => Promise<number>

/** Tells the hosts that run replicas of bots what swarm they are in; all others stay as they are. */
export const swarmGiven: Finder = async (session, roles) => {
  if (!roles.some(({ name }) => name === 'swarm' || name === 'docker')) return undefined
  const swarms = swarmsOfRun(session)
  if (swarms.length === 0) return undefined
  const states = await statesOf(session, swarms)
  return (host, role) => give(host, role, (own) => planned(session, swarms, states, own))
}

/**
 * A run that has hosts join the swarms of the inventory when all of them are ready for it: what a manager tells a host to join with is
 * known only then, and its firewall is open to it.
 */
export function thenJoin(run: Run): Run {
  return async (session, roles) => {
    const code = await run(session, roles)
    const swarms = swarmsOfRun(session)
    if (code !== 0 || session.options.check || swarms.length === 0 || !roles.some(({ name }) => name === 'swarm'))
      return code
    const states = await statesOf(session, swarms)
    const outside = swarms
      .flatMap(({ members }) => members)
      .filter(({ name }) => states.get(name)?.state === 'inactive')
    const joining = outside.filter(({ host }) => session.hosts.includes(host)).map(({ host }) => host)
    if (joining.length > 0) {
      const joined = await session.converge(joining, await entering(session, swarms, states))
      if (joined !== 0) return joined
    }
    const after = joining.length > 0 ? await statesOf(session, swarms) : states
    const leaders = swarms.flatMap((swarm) => {
      const leader = leaderOf(swarm, session, after)
      const state = leader && after.get(leader.name)
      return leader && state?.manages && !isTold(state, swarm.members) ? [leader.host] : []
    })
    if (leaders.length === 0) return code
    return session.converge(leaders, async (host) => [roleOf(host, (own) => planned(session, swarms, after, own))])
  }
}

function swarmsOfRun({ hosts, inventory }: Session): Swarm[] {
  const swarms = swarmsOf(inventory.hosts)
  const faults = swarmFaults(inventory.hosts)
  if (faults.length > 0) throw new InventoryError(faults.join('\n'))
  return swarms.filter(({ members }) => members.some(({ host }) => hosts.includes(host)))
}

function give(host: InventoryHost, role: Role, find: (own: InventoryHost) => GivenSwarm | undefined): Role {
  if (role.name !== 'docker' && role.name !== 'swarm') return role
  const given = find(host)
  if (given === undefined) return role
  return role.name === 'docker' ? dockerRole({ swarm: true }) : swarmRole(given)
}

function roleOf(host: InventoryHost, find: (own: InventoryHost) => GivenSwarm | undefined): Role {
  return swarmRole(find(host))
}

type States = ReadonlyMap<string, SwarmState | undefined>

/** What a host does in this stage: one makes the swarm where there is none; in a check others are told that they would join. */
function planned(
  session: Session,
  swarms: readonly Swarm[],
  states: States,
  own: InventoryHost,
): GivenSwarm | undefined {
  const swarm = swarms.find(({ members }) => members.some(({ host }) => host === own))
  const member = swarm?.members.find(({ host }) => host === own)
  if (swarm === undefined || member === undefined) return undefined
  const { members } = swarm
  const leader = leaderOf(swarm, session, states)
  // One that cannot be asked may be in a swarm already, which others would then not be in.
  const allAsked = members.every(({ name }) => states.get(name) !== undefined)
  const begins = allAsked && begunBy(swarm, states) === undefined && leader === member
  const isOutside = (states.get(own.name)?.state ?? 'inactive') === 'inactive'
  const joins = isOutside && !begins && session.options.check
  const waits = members.some(({ name }) => (states.get(name)?.state ?? 'inactive') === 'inactive')
  return {
    ...{ own: member, members },
    ...(begins && { entry: { kind: 'begin' as const } }),
    ...(joins && { entry: { kind: 'join' as const, token: new Secret('SWMTKN-of-the-run'), managers: [] } }),
    // What the nodes are is told when all of them are there.
    leads: leader === member && (!waits || session.options.check),
    ...(session.options.check && {
      joining: members.filter(({ name }) => states.get(name)?.state === 'inactive').map(({ name }) => name),
    }),
  }
}

/** The manager that is asked and told: one that answers, else the first one. */
function leaderOf({ members }: Swarm, { hosts }: Session, states: States) {
  const managers = members.filter(({ manager, host }) => manager && hosts.includes(host))
  return managers.find(({ name }) => states.get(name)?.manages) ?? managers[0]
}

/** Some host of the swarm that is in it already. */
function begunBy({ members }: Swarm, states: States) {
  return members.find(({ name }) => ['active', 'pending'].includes(states.get(name)?.state ?? ''))
}

/** The roles by which hosts join, with the token that a manager tells. */
async function entering(session: Session, swarms: readonly Swarm[], states: States): Promise<Roles> {
  const tokens = new Map<Swarm, { manager: Secret; worker: Secret }>()
  for (const swarm of swarms) tokens.set(swarm, await tokensOf(session, swarm, states))
  return async (host) => {
    const swarm = swarms.find(({ members }) => members.some((each) => each.host === host))
    const own = swarm?.members.find((each) => each.host === host)
    const known = swarm && tokens.get(swarm)
    if (swarm === undefined || own === undefined || known === undefined) return []
    const managers = swarm.members.filter(({ name }) => states.get(name)?.manages).map(({ address }) => address)
    const token = own.manager ? known.manager : known.worker
    return [swarmRole({ own, members: swarm.members, entry: { kind: 'join', token, managers }, leads: false })]
  }
}

async function tokensOf(session: Session, { members }: Swarm, states: States) {
  const manager = members.find(({ name }) => states.get(name)?.manages)
  if (manager === undefined)
    throw new HostError(
      `no manager of the swarm answers (${members.flatMap(({ name, manager: is }) => (is ? [name] : [])).join(', ')}), so no host can join it`,
    )
  const told = await session.connected(manager.host, (connection) => ask(connection, tokenScript), { quiet: true })
  const [, forManager, forWorker] = /^(SWMTKN-1-[\w-]{40,200})\n(SWMTKN-1-[\w-]{40,200})\s*$/.exec(told) ?? []
  if (forManager === undefined || forWorker === undefined)
    throw new HostError(`${manager.name}: its engine does not tell by what hosts join the swarm`)
  return { manager: new Secret(forManager), worker: new Secret(forWorker) }
}

/** What each host says of its swarm; undefined where it cannot be asked. */
async function statesOf(session: Session, swarms: readonly Swarm[]): Promise<States> {
  const states = new Map<string, SwarmState | undefined>()
  const members = swarms.flatMap((each) => each.members)
  await mapConcurrent(session.options.forks, members, async ({ host }) =>
    states.set(host.name, await stateOf(session, host)),
  )
  return states
}

async function stateOf({ connected, hosts, report }: Session, host: InventoryHost): Promise<SwarmState | undefined> {
  try {
    const state = parseSwarm(await connected(host, (connection) => ask(connection, question), { quiet: true }))
    // A host without an engine is in no swarm.
    return { ...state, state: state.state ?? 'inactive' }
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    if (!hosts.includes(host)) report.line(`${host.name}  warning: not asked for its swarm: ${error.message}`)
    return undefined
  }
}
