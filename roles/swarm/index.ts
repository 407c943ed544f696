import type { Resource } from '../../lib/model/resource.ts'
import { type Role, role } from '../../lib/model/role.ts'
import { noSwarm } from './absent.ts'
import type { GivenSwarm } from './member.ts'
import { swarmNode } from './node.ts'
import { swarmNodes } from './nodes.ts'
import { vars } from './schema.ts'

export const swarm = swarmRole()

/** Docker Swarm, on hosts that run the replicas of a bot, inside of their mesh. Nothing is told where no bot of the inventory has any. */
export function swarmRole(given?: GivenSwarm): Role {
  return role('swarm', vars, ({ network }, facts) => {
    // What a host never had is not looked for there.
    if (given === undefined) return facts.swarm ? [noSwarm()] : []
    return [swarmNode(given, network), ...(given.leads ? [swarmNodes(given)] : [])].map(afterEngine)
  })
}

/** Its place in a playbook is before the engine, for a host that leaves: what joins comes when the engine is as Swarm wants it. */
function afterEngine(inner: Resource): Resource {
  return { ...inner, follows: 'docker:config' }
}
