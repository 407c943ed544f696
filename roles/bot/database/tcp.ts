import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import {
  type Access,
  accessChanged,
  accessFolder,
  accessInForce,
  accessLine,
  loadAccess,
} from '../../../lib/platform/postgres-access.ts'
import { catalogBecomes } from '../../../lib/platform/postgres-catalog.ts'
import { file } from '../../../lib/resources/file.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { jobsState } from '../jobs/state.ts'
import { networkState } from '../network.ts'
import { databaseSubnet, layoutOf } from '../spec/layout.ts'
import { type Place, removeDatabaseNetwork, serverDetached } from './network.ts'

/** The file of the server that lets a bot in by TCP. */
export function accessFile(bot: string): string {
  return `${accessFolder}/${bot}.conf`
}

/** The file lets a bot in by TCP, as its own role, from its own network with the server, to its own database. */
export function accessWritten(place: Place): Resource {
  const content = `# Written by botgarden; changes made here are overwritten.\n${accessLine(accessOf(place))}`
  return file(accessFile(place.bot), { content, predicts: [accessChanged(accessFile(place.bot))] })
}

/** The server goes by that file. */
export function accessLoaded(place: Place): Resource {
  return accessInForce(accessOf(place), accessFile(place.bot))
}

function accessOf({ bot, base, number }: Place): Access {
  return { role: databaseName(bot), database: databaseName(bot), subnet: databaseSubnet(base, number) }
}

/** A bot that does not ask for TCP has no network with the server, and is let in by the socket alone. */
export function noTcp(bot: string): Resource {
  const reads = {
    network: networkState(layoutOf(bot).databaseNetwork),
    access: fileState(accessFile(bot)),
    jobs: jobsState(bot),
  }
  return resource({
    id: `tcp:${bot}`,
    wants: 'absent',
    reads,
    plan: ({ network, access, jobs }) => {
      if (network === undefined && access === 'absent') return []
      // A job that began with the version before may still use it; the next run removes it.
      if (jobs !== undefined && jobs.running.length > 0) return []
      return [
        {
          summary: 'remove its way to the database by TCP, which its release does not use',
          script: removeTcp(bot),
          predicts: predictNoTcp(bot),
        },
      ]
    },
  })
}

/** Shell text: takes the way by TCP away, as far as there is one. */
export function removeTcp(bot: string): Script {
  const path = accessFile(bot)
  return sh`
    if [ -e ${path} ]; then
      rm -f ${path}
      ${loadAccess()}
    fi
    ${removeDatabaseNetwork(bot)}`
}

export function predictNoTcp(bot: string) {
  const role = ` ${databaseName(bot)} `
  return [
    becomes(networkState(layoutOf(bot).databaseNetwork), undefined),
    becomes(fileState(accessFile(bot)), 'absent' as const),
    serverDetached(bot),
    catalogBecomes((now) => ({ ...now, access: (now.access ?? []).filter((rule) => !rule.includes(role)) })),
  ]
}
