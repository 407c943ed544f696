import type { Secret } from '../../lib/std/secret.ts'

/** A host as a node of a swarm, as the inventory has it. */
export interface SwarmMember {
  readonly name: string
  /** In the mesh. */
  readonly address: string
  readonly manager: boolean
  /** The bots that it may run. */
  readonly bots: readonly string[]
}

/** What a host is told of its swarm. */
export interface GivenSwarm {
  readonly own: SwarmMember
  /** All of its hosts. */
  readonly members: readonly SwarmMember[]
  /** `begin`: there is no swarm yet, and this host makes it. Left out: it is in it already, or will be by a later stage of the run. */
  readonly entry?:
    | { readonly kind: 'begin' }
    | { readonly kind: 'join'; readonly token: Secret; readonly managers: readonly string[] }
  /** It tells the swarm what its nodes are. */
  readonly leads: boolean
  /** In a check: hosts that the run would have joined before. */
  readonly joining?: readonly string[]
}

/** The label by which a node may run a bot. */
export function nodeLabel(bot: string): string {
  return `botgarden.${bot}`
}

/** The label of a node that an update has drained, which is to take replicas again. */
export const drainedLabel = 'botgarden-drained'
