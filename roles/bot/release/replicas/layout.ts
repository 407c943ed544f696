import { layoutOf } from '../../spec/layout.ts'

/** Names in the swarm, and paths on the host, of the replicas of a bot. No bot has two dashes or an underscore in its name. */
export function replicasLayout(bot: string) {
  const { network: name, compose } = layoutOf(bot)
  return {
    service: `${name}_bot`,
    /** The network of its replicas and of its router, on all of its hosts. */
    network: `${name}--replicas`,
    /** For what runs once beside them, on the host that serves: a migration. */
    onceFile: `${compose}/once.yaml`,
  }
}
