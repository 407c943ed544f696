import { dirname } from 'node:path/posix'
import { mapChanges } from '../../../lib/model/combinators.ts'
import { becomes, type Change, type Resource, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { incoming } from '../../../lib/platform/leftovers.ts'
import { passFile, writePassFile } from '../../../lib/platform/pgpass.ts'
import { postgresCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { standbyPassword, standbyRole, standbySecrets } from '../../../lib/platform/standby/names.ts'
import { containerState } from '../../../lib/resources/container.ts'
import { directory } from '../../../lib/resources/file.ts'
import { type FileState, fileState } from '../../../lib/resources/file-state.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { clustersFolder, majorOf, owner } from '../cluster.ts'
import { type ServerData, serverData } from './data.ts'
import type { ServerPair, Source } from './pair.ts'

/** Where the passwords of the primary are brought to, a file each: `superuser`, `password`. */
export const broughtSecrets = `${incoming}/standby`

/** The resource that takes them. */
export const secretsId = 'standby:secrets'

/** The passwords of the primary: a copy of its cluster has them, and knows no other ones. */
export function primarysSecrets(superuser: string, { source, other }: ServerPair): Resource[] {
  const reads = { superuser: fileState(superuser), password: fileState(standbyPassword) }
  const taken = resource({
    id: secretsId,
    wants: { superuser: source?.superuser ?? 'unknown', password: source?.password ?? 'unknown' },
    reads,
    plan: (now) => {
      if (source === undefined || (isSame(now.superuser, source.superuser) && isSame(now.password, source.password)))
        return []
      const script = sh`
        ${install(`${broughtSecrets}/superuser`, superuser)}
        ${install(`${broughtSecrets}/password`, standbyPassword)}
        # Also where it was right for the password before.
        ${writePassFile('postgres', dirname(superuser), 'superuser')}
        rm -rf ${broughtSecrets}`
      const after = (sha256: string | undefined): FileState => ({
        ...{ type: 'file', mode: '0400', owner, group: owner },
        ...(sha256 !== undefined && { sha256 }),
      })
      const predicts = [
        becomes(reads.superuser, after(source.superuser)),
        becomes(reads.password, after(source.password)),
        unknownUntilApply(postgresCatalog),
      ]
      return [{ summary: `take the passwords of ${other.name}`, script, predicts }]
    },
  })
  return [
    directory(standbySecrets, { mode: '0700', owner, group: owner }),
    taken,
    // A run that was cut has left the one before, which the server refuses.
    mapChanges(passFile('postgres', dirname(superuser), 'superuser'), (change) => ({
      ...change,
      predicts: [...(change.predicts ?? []), unknownUntilApply(postgresCatalog)],
    })),
    passFile(standbyRole, standbySecrets, 'password'),
  ]
}

function isSame(state: FileState, sha256: string | undefined): boolean {
  return state !== 'absent' && sha256 !== undefined && state.sha256 === sha256
}

function install(from: string, to: string): Script {
  return sh`
    [ -s ${from} ] || { echo 'the passwords of the primary have not arrived'; exit 1; }
    install -o ${owner} -g ${owner} -m 0400 ${from} ${`${to}.new`}
    sync ${`${to}.new`}
    mv -fT ${`${to}.new`} ${to}`
}

/**
 * The data are a copy of the primary's, and follow it. What was there before is replaced only where it is nobody's: an empty
 * cluster, one that followed, or one whose host is not the primary any more by the record.
 */
export function followsPrimary(image: string, pair: ServerPair): Resource {
  const data = serverData(majorOf(image))
  const container = containerState(postgresContainer)
  const { source, other } = pair
  return resource({
    id: 'standby:data',
    wants: { of: other.name, cluster: source?.cluster ?? 'unknown' },
    reads: { data, container },
    plan: ({ data: there }): Change[] => {
      if (source === undefined) {
        if (there !== 'none' && there.follows) return []
        throw new HostError(`postgres.standby: ${other.name} cannot be asked, and nothing of its data is here yet`)
      }
      const why = reasonToCopy(there, source)
      if (why === undefined) return []
      const obstacle = obstacleTo(there, source, other.name)
      if (obstacle !== undefined) throw new HostError(obstacle)
      const predicts = [
        becomes(data, { cluster: source.cluster ?? '', follows: true, databases: 0, copied: source.askedAt }),
        becomes(container, (now) => (now === 'absent' ? now : { ...now, status: 'exited' })),
        unknownUntilApply(postgresCatalog),
      ]
      return [
        {
          summary: `copy the cluster of ${other.name}${why}`,
          script: copyCluster(image, pair, source),
          long: true,
          predicts,
        },
      ]
    },
  })
}

/** Undefined where the data follow already. */
function reasonToCopy(there: ServerData, { cluster, slot, askedAt }: Source): string | undefined {
  if (there === 'none') return ''
  if (!there.follows) return ', in place of its own'
  if (there.cluster !== cluster) return ', in place of that of another server'
  return slot === 'kept' || there.copied === askedAt ? undefined : ', which does not keep any more what is missing here'
}

function obstacleTo(there: ServerData, { cluster, isRecorded }: Source, primary: string): string | undefined {
  if (there === 'none' || there.follows) return undefined
  if (there.cluster === cluster && !isRecorded)
    return `the server of this host and that of ${primary} are both primaries of one cluster, and no failover was recorded that says which of them serves: stop the other one, and keep its data: docker stop ${postgresContainer}; mv ${clustersFolder} ${clustersFolder}.before`
  if (there.cluster !== cluster && there.databases > 0)
    return `a standby has no databases of its own, and the server of this host has ${there.databases}: move their bots to another host (npx zx playbooks/bot.ts --name BOT --move-to …), then on this host: docker stop ${postgresContainer}; mv ${clustersFolder} ${clustersFolder}.before`
}

const functions = shellFile(new URL('copy-cluster.sh', import.meta.url))

function copyCluster(image: string, { other }: ServerPair, { cluster, bytes, askedAt }: Source): Script {
  const folder = `${clustersFolder}/${majorOf(image)}`
  const { text } = sh`
    image=${image} server=${postgresContainer} folder=${folder} owner=${owner} secrets=${standbySecrets}
    primary=${other.address} role=${standbyRole} cluster=${cluster ?? ''} bytes=${bytes} asked_at=${askedAt}
    ${waiting}
    ${functions}
    copy_cluster`
  return { text, shown: `pg_basebackup of ${other.name}` }
}
