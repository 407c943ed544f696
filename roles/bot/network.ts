import { HostError } from '../../lib/errors.ts'
import { type Kind, type Reading, reading } from '../../lib/reading.ts'
import { becomes, type Resource, resource } from '../../lib/resource.ts'
import { sh } from '../../lib/sh.ts'

/** The subnet of a network of Docker's; undefined where there is none of this name. */
export function networkState(name: string): Reading<string | undefined> {
  return reading(networks, name)
}

/** A bridge that only this bot is on: the host reaches it, other bots do not. */
export function network(name: string, subnet: string, number: number, bot: string): Resource {
  const now = networkState(name)
  return resource({
    id: `network:${name}`,
    wants: 'there',
    reads: { now },
    plan: ({ now: state }) => {
      if (state === subnet) return []
      if (state !== undefined)
        throw new HostError(
          `network ${name} is ${state} and should be ${subnet}: remove the bot (bot.ts --remove) and deploy it again`,
        )
      const options = ['--driver', 'bridge', '--subnet', subnet, '--label', `botgarden.bot=${bot}`]
      // By its name ufw's rules know a bridge for a container's.
      const bridge = `com.docker.network.bridge.name=br-bot-${number}`
      return [
        {
          summary: `create, ${subnet}`,
          script: sh`docker network create ${options} --opt ${bridge} ${name} >/dev/null`,
          predicts: [becomes(now, subnet)],
        },
      ]
    },
  })
}

const networks: Kind<string | undefined> = {
  name: 'network',
  script: (names) =>
    sh`docker network inspect --format '{{.Name}} {{range .IPAM.Config}}{{.Subnet}}{{end}}' -- ${names} 2>/dev/null || :`,
  parse: (output, names) => {
    const found = new Map(output.split('\n').map((line) => line.split(' ') as [string, string]))
    return new Map(names.map((name) => [name, found.get(name) || undefined]))
  },
}
