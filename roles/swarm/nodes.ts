import { becomes, type Change, type Resource, resource } from '../../lib/model/resource.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { drainedLabel, type GivenSwarm, nodeLabel, type SwarmMember } from './member.ts'
import { type SwarmNode, type SwarmState, swarmState } from './state.ts'

/** What the nodes of a swarm are, told to a manager: who manages, which bots each may run, and who is none of it any more. */
export function swarmNodes({ members, joining = [] }: GivenSwarm): Resource {
  const now = swarmState
  return {
    ...resource({
      id: 'swarm:nodes',
      wants: members,
      reads: { now },
      plan: ({ now: there }): Change[] => {
        if (!there.manages) return []
        const state = { ...there, nodes: [...there.nodes, ...joined(there, members, joining)] }
        const gone = state.nodes.filter((node) => isGone(node, state, members))
        const differing = differingIn(state, members)
        if (gone.length === 0 && differing.length === 0) return []
        const summary = [
          ...differing.map(({ member, differences }) => `${member.name}: ${differences.join(', ')}`),
          ...gone.map(({ address }) => `${address} is none of it any more`),
        ].join('; ')
        return [
          {
            summary,
            // Those who manage come first: there is always one who can.
            script: lines([...differing.map(({ member, node }) => set(node, member)), ...gone.map(remove)]),
            predicts: [becomes(now, after(state, members))],
          },
        ]
      },
    }),
    outputs: (read) => {
      const state = read(now)
      if (!state.manages) return {}
      const missing = members.filter((member) => nodeOf(state, member) === undefined).map(({ name }) => name)
      const down = members.filter((member) => nodeOf(state, member)?.state === 'down').map(({ name }) => name)
      return {
        ...(missing.length > 0 && { notInSwarm: missing }),
        ...(down.length > 0 && { downInSwarm: down }),
      }
    },
  }
}

/** Whether the swarm knows otherwise of its nodes than it should. */
export function isTold(state: SwarmState, members: readonly SwarmMember[]): boolean {
  return differingIn(state, members).length === 0
}

function differingIn(state: SwarmState, members: readonly SwarmMember[]) {
  return members.flatMap((member) => {
    const node = nodeOf(state, member)
    const differences = node === undefined ? [] : differencesOf(node, member)
    return node === undefined || differences.length === 0 ? [] : [{ member, node, differences }]
  })
}

/** Nodes as they are when they have just joined. */
function joined(state: SwarmState, members: readonly SwarmMember[], names: readonly string[]): SwarmNode[] {
  return members
    .filter((member) => names.includes(member.name) && nodeOf(state, member) === undefined)
    .map(({ name, address, manager }) => ({
      id: name,
      address,
      role: manager ? 'manager' : 'worker',
      state: 'ready',
      labels: {},
    }))
}

/** It is of no host of the swarm, or what a host was before it joined anew. */
function isGone(node: SwarmNode, state: SwarmState, members: readonly SwarmMember[]): boolean {
  const member = members.find(({ address }) => address === node.address)
  return member === undefined || (node.state !== 'ready' && nodeOf(state, member) !== node)
}

function nodeOf({ nodes }: SwarmState, { address }: SwarmMember): SwarmNode | undefined {
  // One that was made anew has left its former self behind, which is down.
  const own = nodes.filter((each) => each.address === address)
  return own.find(({ state }) => state === 'ready') ?? own[0]
}

const prefix = nodeLabel('')

function differencesOf({ role, labels }: SwarmNode, { manager, bots }: SwarmMember): string[] {
  const wanted = bots.map(nodeLabel)
  const has = Object.keys(labels).filter((label) => label.startsWith(prefix))
  const named = (label: string) => label.slice(prefix.length)
  return [
    ...((role === 'manager') === manager ? [] : [manager ? 'manages' : 'works only']),
    ...wanted.filter((label) => labels[label] !== 'on').map((label) => `may run ${named(label)}`),
    ...has.filter((label) => !wanted.includes(label)).map((label) => `runs ${named(label)} no more`),
    // An update that was cut had its replicas run elsewhere.
    ...(drainedLabel in labels ? ['takes replicas again'] : []),
  ]
}

function set({ id, labels }: SwarmNode, { manager, bots }: SwarmMember): Script {
  const wanted = bots.map(nodeLabel)
  const stale = Object.keys(labels).filter((label) => label.startsWith(prefix) && !wanted.includes(label))
  const options = [
    ...['--role', manager ? 'manager' : 'worker'],
    ...wanted.flatMap((label) => ['--label-add', `${label}=on`]),
    ...stale.flatMap((label) => ['--label-rm', label]),
    ...(drainedLabel in labels ? ['--availability', 'active', '--label-rm', drainedLabel] : []),
  ]
  return sh`docker node update ${options} ${id} >/dev/null`
}

function remove({ id, role }: SwarmNode): Script {
  return sh`
    ${role === 'manager' ? sh`docker node demote ${id} >/dev/null` : sh`:`}
    docker node rm --force ${id} >/dev/null`
}

function after(state: SwarmState, members: readonly SwarmMember[]): SwarmState {
  const nodes = state.nodes.flatMap((node) => {
    const member = members.find(({ address }) => address === node.address)
    if (member === undefined || isGone(node, state, members)) return []
    const others = Object.entries(node.labels).filter(([label]) => !label.startsWith(prefix) && label !== drainedLabel)
    const own = member.bots.map((bot) => [nodeLabel(bot), 'on'] as const)
    return [
      {
        ...node,
        role: member.manager ? ('manager' as const) : ('worker' as const),
        labels: Object.fromEntries([...others, ...own]),
      },
    ]
  })
  return { ...state, nodes }
}
