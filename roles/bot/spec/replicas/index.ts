import type { BotSettings } from '../schema.ts'

/** A bot that runs several times, on several hosts, by Docker Swarm. */
export interface Replicas {
  readonly count: number
  /** The hosts that may run it, by their names in the inventory. */
  readonly hosts: readonly string[]
}

/** What an inventory says of the replicas of a bot; undefined where it runs once, on its host. */
export function replicasIn({ replicas, hosts }: Pick<BotSettings, 'replicas' | 'hosts'>): Replicas | undefined {
  if (replicas === undefined || hosts === undefined) return undefined
  return { count: replicas, hosts: [...new Set(hosts)].sort() }
}
