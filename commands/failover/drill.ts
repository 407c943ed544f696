import { postgresConf } from '../../lib/platform/postgres-access.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { waiting } from '../../lib/shell/deadline.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError } from '../../lib/std/errors.ts'
import { imagesIn } from '../../roles/bot/spec/processes.ts'
import { clustersFolder, majorOf, owner } from '../../roles/postgres/cluster.ts'
import { serverSecrets, serverVars } from '../../roles/postgres/server.ts'
import { imagesOn } from '../move/images.ts'
import { keptOn } from './kept.ts'
import type { Failover } from './plan.ts'
import { releasedOf } from './serve.ts'

/**
 * Proves that the standby could take over: a copy of its cluster is promoted in a throwaway container, and all that its bots need is
 * looked for. Neither host serves anything else meanwhile. Returns the exit code.
 */
export async function drill({ session, from, to, say }: Failover): Promise<number> {
  if (!to.follows)
    throw new HostError(`the server of ${to.host.name} follows no other one: there is nothing to be proved`)
  const names = await releasedOf(
    { session, from },
    from.host.bots.map(({ name }) => name),
  )
  const missing = await session.connected(
    to.host,
    async (there) => {
      await session.hold(to.host, there)
      const told = await perform(there, drillScript(serverVars(to.host).image))
      for (const line of told.trim().split('\n')) say(line.replace(/^database (\S+) (\d+)$/, 'database $1: $2 tables'))
      const kept = await keptOn(there, names)
      const images = [
        ...new Set([...kept.values()].flatMap(({ past }) => past.slice(-1).flatMap(({ spec }) => imagesIn(spec)))),
      ]
      const there2 = new Set((await imagesOn(there, images)).map(({ name }) => name))
      return names.flatMap((bot) => {
        const { past = [], number, secrets } = kept.get(bot) ?? {}
        const last = past.at(-1)
        if (last === undefined || number === undefined || secrets === undefined)
          return [`${bot}: nothing of it was brought there`]
        return imagesIn(last.spec).every((image) => there2.has(image)) ? [] : [`${bot}: its image is not there`]
      })
    },
    { quiet: true },
  )
  if (missing.length > 0) throw new HostError(`${missing.join('\n')}\nnpx zx playbooks/site.ts brings it there`)
  say(`could take over from ${from.host.name}: ${names.length} bots have all that they need there`)
  return 0
}

const functions = shellFile(new URL('drill.sh', import.meta.url))

export function drillScript(image: string): Script {
  return sh`
    image=${image} server=${postgresContainer} folder=${`${clustersFolder}/${majorOf(image)}`} owner=${owner}
    conf=${postgresConf} secrets=${serverSecrets} name=${`${postgresContainer}-drill`}
    ${waiting}
    ${functions}
    drill`
}
