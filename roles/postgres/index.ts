import * as v from 'valibot'
import { refuseWhen } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { etcDir, optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'
import type { Reading } from '../../lib/model/reading.ts'
import { becomes, knownAfterApply, type Prediction, type Resource } from '../../lib/model/resource.ts'
import { type HostEntry, type Role, role } from '../../lib/model/role.ts'
import { notArchived } from '../../lib/platform/archive/absent.ts'
import { archiveTimer, isArchived } from '../../lib/platform/archive/wal-archive.ts'
import { images } from '../../lib/platform/image-versions.ts'
import { noLeftovers } from '../../lib/platform/leftovers.ts'
import { passFile } from '../../lib/platform/pgpass.ts'
import { database } from '../../lib/platform/postgres.ts'
import { accessChanged, accessFolder, postgresConf } from '../../lib/platform/postgres-access.ts'
import { freshCatalog, postgresCatalog, refused } from '../../lib/platform/postgres-catalog.ts'
import { composeProject } from '../../lib/resources/compose.ts'
import { directory, file } from '../../lib/resources/file.ts'
import type { FileState } from '../../lib/resources/file-state.ts'
import { generatedFile, generatedSecret } from '../../lib/resources/generated-secret.ts'
import { pulledImage } from '../../lib/resources/image.ts'
import { runFolder } from '../../lib/resources/runtime-directory.ts'
import { sh } from '../../lib/shell/sh.ts'
import {
  clusterMount,
  clusterOf,
  clustersFolder as data,
  majorOf,
  neighboursOf,
  otherCluster,
  owner,
} from './cluster.ts'
import { beforeListening, notListening } from './network/index.ts'
import { listensTo, type ServerNetwork } from './network/remote.ts'
import { followsNobody } from './replication/alone.ts'
import { followsPrimary, primarysSecrets } from './replication/follower.ts'
import type { ServerPair } from './replication/pair.ts'
import { letsStandbyIn, noStandby, standbySecret } from './replication/primary.ts'
import { access, runningConfig, statements } from './running.ts'
import { serverFolder as folder, serverSecrets as secrets, serverOf } from './server.ts'
import { serverConfig } from './server-config.ts'
import { superuser } from './superuser.ts'

const settingName = v.pipe(v.string(), v.regex(/^[a-z_]+(\.[a-z_]+)?$/, 'a setting of postgresql.conf'))
const settingValue = v.union([v.pipe(v.string(), v.regex(/^[^'\\\r\n]*$/, 'without quotes')), v.number(), v.boolean()])

const vars = v.strictObject({
  /** Another build. A newer major version cannot read the data of an older one: `update.ts --postgres` moves it. */
  image: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\S+[:@]\S+$/),
      v.check((image) => majorOf(image) >= 17, 'an image of PostgreSQL 17 or later'),
      v.description('an image with its version'),
    ),
    images.postgres,
  ),
  /** Any setting of postgresql.conf; it wins over ours. */
  settings: v.optional(v.record(settingName, settingValue), {}),
  /** The host of the same mesh whose server follows this one, always ready to take its place. Left out: none. */
  standby: v.optional(v.pipe(v.string(), v.minLength(1), v.description('the name of another host'))),
  /** A commit waits until the standby has it. Left out: false. */
  synchronous: v.optional(v.boolean()),
})

/** What was found out about other hosts that the server of this one has to know. */
export interface GivenServer {
  readonly network?: ServerNetwork | undefined
  readonly pair?: ServerPair | undefined
}

/** The database server that all bots share: no network, a password for each role, and settings by the host's memory. */
export const postgres = postgresRole()

/** The same for a host that others come to by the mesh. */
export function postgresRole(given: GivenServer = {}): Role {
  return role('postgres', vars, (wanted, facts, host) => serverResources(wanted, facts, host, given))
}

function serverResources(
  { image, settings }: v.InferOutput<typeof vars>,
  facts: Facts,
  host: HostEntry,
  { network, pair }: GivenServer,
): Resource[] {
  const { memoryMiB, timers, mesh } = facts
  const archived = isArchived(host)
  const listens = listensTo(network)
  const given = { ...(listens && { network: listens }), ...(pair && { pair }) }
  const { config, project } = serverOf({ image, settings, archived, ...given }, memoryMiB)
  const major = majorOf(image)
  const { source } = clusterMount(image)
  const cluster = clusterOf(major)
  const follows = pair?.is === 'standby'
  const container = composeProject({
    ...{ ...project, data: source },
    whenStarted: [follows ? startedAgain(config.checksum) : started(config.checksum, cluster)],
  })
  return [
    directory(optDir),
    directory(etcDir, { mode: '0700' }),
    directory(secretsDir, { mode: '0700' }),
    directory(secrets, { mode: '0700', owner, group: owner }),
    ...(follows
      ? primarysSecrets(password, pair)
      : [generatedSecret(password, { owner, whenMade: [lockedOut] }), passFile('postgres', secrets, 'superuser')]),
    ...(pair?.is === 'primary' ? standbySecret() : []),
    generatedFile(`${secrets}/server.pem`, selfSigned, { owner }),
    directory(stateDir, { mode: '0700' }),
    // What a host never had is not looked for there.
    ...(pair === undefined && mesh ? [followsNobody(image)] : []),
    ownCluster(image, directory(data, { mode: '0700', owner, group: owner })),
    ...(source === data ? [] : [directory(source, { mode: '0700', owner, group: owner })]),
    // The same mode as in the official image.
    ...runFolder('postgres', { owner, mode: '3775' }),
    directory(folder),
    directory(postgresConf),
    directory(accessFolder),
    file(`${postgresConf}/pg_hba.conf`, {
      content: config.hba,
      predicts: [accessChanged(`${postgresConf}/pg_hba.conf`)],
    }),
    // Before the server is asked to start without replication, which it refuses while it has a slot.
    ...(archived || follows || !timers.includes(archiveTimer) ? [] : [notArchived()]),
    ...(pair === undefined && mesh ? [noStandby(image)] : []),
    serverConfig(`${postgresConf}/postgresql.conf`, config.text),
    pulledImage(image),
    ...(listens === undefined ? [] : beforeListening(facts)),
    ...(follows ? [followsPrimary(image, pair)] : []),
    ...container,
    ...(listens === undefined && mesh ? [notListening()] : []),
    ...(follows ? [] : [superuser({ cluster: clusterMount(image), password, owner }), noLeftovers()]),
    runningConfig(config.checksum, cluster),
    // A standby has what its primary has, and takes nothing else.
    ...(follows ? [] : ownDatabases()),
    ...(pair?.is === 'primary' ? letsStandbyIn(pair) : []),
    access(),
  ]
}

const password = `${secrets}/superuser`

function ownDatabases(): Resource[] {
  return [statements(), database('postgres', { owner: 'postgres' }), database('template1', { owner: 'postgres' })]
}

/** Refuses where the data of another major version is there: a server that starts without its own begins with none. */
function ownCluster(image: string, inner: Resource): Resource {
  const major = majorOf(image)
  const reads = [major, ...neighboursOf(major)].map(clusterOf)
  return refuseWhen(reads, (read) => otherCluster(major, image, (each) => read(clusterOf(each)) !== 'absent'), inner)
}

/**
 * The key and the certificate of TLS, in one file. Nobody vouches for it, so it is for clients that want TLS and ask no more. It
 * has the server's name among bots, and lasts as long as the server.
 */
export const selfSigned = {
  write: sh`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 36500 -subj /CN=postgres \
      -addext subjectAltName=DNS:postgres -keyout "$candidate" -out "$candidate" 2>/dev/null`,
  check: sh`openssl x509 -in "$candidate" -noout; openssl pkey -in "$candidate" -noout`,
}

/** The state of a new cluster is known; that of an older one can be read only while its server runs. */
function started(checksum: string, cluster: Reading<FileState>): Prediction {
  return becomes(postgresCatalog, (before, read) => {
    if (before === refused) return knownAfterApply
    if (before !== undefined) return { ...before, config: checksum, pendingRestart: [], accessOutdated: [] }
    return read(cluster) === 'absent' ? { ...freshCatalog, config: checksum } : knownAfterApply
  })
}

/** The same for a standby, whose catalog is its primary's. */
function startedAgain(checksum: string): Prediction {
  return becomes(postgresCatalog, (before) => {
    if (before === undefined || before === refused) return knownAfterApply
    return { ...before, config: checksum, pendingRestart: [], accessOutdated: [] }
  })
}

/** A running server has another password than the one that is generated now. */
const lockedOut: Prediction = becomes(postgresCatalog, (before) => before && refused)
