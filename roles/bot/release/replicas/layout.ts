import { runDir } from '../../../../lib/model/host-layout.ts'
import { layoutOf } from '../../spec/layout.ts'

/** Names in the swarm, and paths on the host, of the replicas of a bot. No bot has two dashes or an underscore in its name. */
export function replicasLayout(bot: string) {
  const { network: stack, compose } = layoutOf(bot)
  return {
    stack,
    service: `${stack}_bot`,
    /** The network of its replicas and of its router, on all of its hosts. */
    network: `${stack}--replicas`,
    /** By the engine's own DNS: the addresses of all replicas that run. */
    name: `${stack}_bot`,
    stackFile: `${compose}/replicas.yaml`,
    /** For what runs once beside them, on the host that serves: a migration. */
    onceFile: `${compose}/once.yaml`,
    variables: `${runDir}/variables/${bot}-replicas`,
  }
}
