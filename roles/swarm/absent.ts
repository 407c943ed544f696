import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { swarmState } from './state.ts'

/** The services of bots. */
const service = /^botgarden-([a-z0-9-]+)_bot$/

/** A host that runs no replicas any more. The plan throws a `HostError` while a bot still has some that it knows of; a swarm of somebody else stays. */
export function noSwarm(): Resource {
  return resource({
    id: 'swarm:absent',
    wants: 'absent',
    reads: { now: swarmState },
    plan: ({ now }) => {
      if (now.state === undefined || now.state === 'inactive') return []
      const bots = now.services.flatMap((name) => service.exec(name)?.[1] ?? [])
      if (bots.length > 0)
        throw new HostError(
          `this host still runs replicas of ${bots.join(', ')}, which the inventory says no more: release it first: ${bots.map((bot) => `npx zx playbooks/bot.ts --name ${bot}`).join('; ')}`,
        )
      if (now.services.length > 0)
        throw new HostError(
          `this host is in a swarm with services that are not ours, ${now.services.join(', ')}: remove them, or leave it by hand: docker swarm leave --force`,
        )
      return [
        {
          summary: 'leave the swarm',
          script: sh`docker swarm leave --force >/dev/null`,
          predicts: [
            becomes(swarmState, { ...now, state: 'inactive', address: '', manages: false, managers: [], nodes: [] }),
          ],
        },
      ]
    },
  })
}
