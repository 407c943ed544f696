import { dirname } from 'node:path/posix'
import * as v from 'valibot'
import { etcDir, optDir, secretsDir, stateDir } from '../../lib/model/host-layout.ts'
import { becomes, knownAfterApply, type Prediction } from '../../lib/model/resource.ts'
import { role } from '../../lib/model/role.ts'
import { images } from '../../lib/platform/image-versions.ts'
import { noLeftovers } from '../../lib/platform/leftovers.ts'
import { passFile } from '../../lib/platform/pgpass.ts'
import { database } from '../../lib/platform/postgres.ts'
import { accessChanged, accessFolder, postgresConf } from '../../lib/platform/postgres-access.ts'
import { freshCatalog, postgresCatalog, refused } from '../../lib/platform/postgres-catalog.ts'
import { postgresContainer, postgresSocket } from '../../lib/platform/postgres-client.ts'
import { composeProject, hardened, mount } from '../../lib/resources/compose.ts'
import { directory, file } from '../../lib/resources/file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { generatedFile, generatedSecret } from '../../lib/resources/generated-secret.ts'
import { pulledImage } from '../../lib/resources/image.ts'
import { runFolder } from '../../lib/resources/runtime-directory.ts'
import { sh } from '../../lib/shell/sh.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { template } from '../../lib/std/template.ts'
import { access, runningConfig, statements } from './running.ts'
import { type Size, sizeFor } from './sizes.ts'
import { superuser } from './superuser.ts'

const settingName = v.pipe(v.string(), v.regex(/^[a-z_]+(\.[a-z_]+)?$/, 'a setting of postgresql.conf'))
const settingValue = v.union([v.pipe(v.string(), v.regex(/^[^'\\\r\n]*$/, 'without quotes')), v.number(), v.boolean()])

const vars = v.strictObject({
  /** Another build of the same major version: a newer one cannot read the data of an older one. */
  image: v.optional(
    v.pipe(v.string(), v.regex(/^\S+[:@]\S+$/), v.description('an image with its version')),
    images.postgres,
  ),
  /** Any setting of postgresql.conf; it wins over ours. */
  settings: v.optional(v.record(settingName, settingValue), {}),
})

/** The user of the image, by number: the host has no such user. */
const owner = '999'
const folder = dirname(postgresConf)
const secrets = `${secretsDir}/postgres`
const data = `${stateDir}/postgres`
/** Where the image of PostgreSQL 18 keeps its cluster, below the mounted folder. */
const cluster = fileState(`${data}/18/docker/PG_VERSION`)

/** The database server that all bots share: no network, a password for each role, and settings by the host's memory. */
export const postgres = role('postgres', vars, ({ image, settings }, { memoryMiB }) => {
  const size = sizeFor(memoryMiB)
  const config = configOf(size, settings)
  const container = composeProject({
    name: postgresContainer,
    folder,
    service: service(image, size),
    data,
    whenStarted: [started(config.checksum)],
  })
  return [
    directory(optDir),
    directory(etcDir, { mode: '0700' }),
    directory(secretsDir, { mode: '0700' }),
    directory(secrets, { mode: '0700', owner, group: owner }),
    generatedSecret(`${secrets}/superuser`, { owner, whenMade: [lockedOut] }),
    passFile('postgres', secrets, 'superuser'),
    generatedFile(`${secrets}/server.pem`, selfSigned, { owner }),
    directory(stateDir, { mode: '0700' }),
    directory(data, { mode: '0700', owner, group: owner }),
    // The same mode as in the official image.
    ...runFolder('postgres', { owner, mode: '3775' }),
    directory(folder),
    directory(postgresConf),
    directory(accessFolder),
    file(`${postgresConf}/pg_hba.conf`, {
      content: config.hba,
      predicts: [accessChanged(`${postgresConf}/pg_hba.conf`)],
    }),
    file(`${postgresConf}/postgresql.conf`, { content: config.text, validate: { tool: 'docker', script: accepts } }),
    pulledImage(image),
    ...container,
    superuser({ data, password: `${secrets}/superuser`, owner }),
    noLeftovers(),
    runningConfig(config.checksum, cluster),
    statements(),
    database('postgres', { owner: 'postgres' }),
    database('template1', { owner: 'postgres' }),
    access(),
  ]
})

function configOf(size: Size, settings: Readonly<Record<string, string | number | boolean>>) {
  const own = Object.entries(settings).map(([name, value]) => ({ name, value: `'${value}'` }))
  const from = (name: string, values: Record<string, unknown>) =>
    template(new URL(`templates/${name}.mustache`, import.meta.url), values)
  const hba = from('pg_hba.conf', {})
  const body = from('postgresql.conf', { ...size, own })
  const checksum = sha256Of(body + hba).slice(0, 16)
  // The server returns it when asked which configuration it runs.
  return { hba, text: `${body}botgarden.config = '${checksum}'\n`, checksum }
}

function service(image: string, { memoryMB, connections }: Size): Record<string, unknown> {
  const conf = '/etc/postgresql'
  return {
    image,
    ...hardened,
    user: `${owner}:${owner}`,
    network_mode: 'none',
    // Not the image's own entry point, which puts the superuser's password into the environment of the server.
    entrypoint: ['/bin/sh', '-euc', firstStart, 'postgres'],
    command: ['-c', `config_file=${conf}/postgresql.conf`, '-c', `hba_file=${conf}/pg_hba.conf`],
    stop_signal: 'SIGINT',
    environment: { PGPASSFILE: '/run/secrets/pgpass' },
    volumes: [
      mount(data, '/var/lib/postgresql', { writable: true }),
      mount(postgresSocket, '/run/postgresql', { writable: true }),
      mount(postgresConf, conf),
      mount(secrets, '/run/secrets'),
    ],
    tmpfs: ['/tmp:size=16m,mode=1777'],
    shm_size: '128mb',
    mem_limit: `${memoryMB}m`,
    memswap_limit: `${memoryMB}m`,
    pids_limit: connections + 50,
    // Time for the checkpoint of the shutdown.
    stop_grace_period: '60s',
    healthcheck: {
      test: ['CMD-SHELL', 'pg_isready --quiet'],
      interval: '10s',
      timeout: '5s',
      retries: 3,
      start_period: '120s',
      start_interval: '1s',
    },
  }
}

/**
 * The key and the certificate of TLS, in one file. Nobody vouches for it, so it is for clients that want TLS and ask no more. It
 * has the server's name among bots, and lasts as long as the server.
 */
const selfSigned = {
  write: sh`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 36500 -subj /CN=postgres \
      -addext subjectAltName=DNS:postgres -keyout "$candidate" -out "$candidate" 2>/dev/null`,
  check: sh`openssl x509 -in "$candidate" -noout; openssl pkey -in "$candidate" -noout`,
}

/** Shell: creates the cluster where there is none, elsewhere first, so that a cut leaves no half of one; then runs the server. */
const firstStart = `
if [ ! -s "$$PGDATA/PG_VERSION" ]; then
  rm -rf "$$PGDATA.new"
  mkdir -p "$$(dirname "$$PGDATA")"
  # Sorts by code point, the same in every image: an index outlives a change of the C library.
  initdb -D "$$PGDATA.new" --username=postgres --pwfile=/run/secrets/superuser --auth=scram-sha-256 --data-checksums --locale-provider=builtin --builtin-locale=C.UTF-8
  mv -T "$$PGDATA.new" "$$PGDATA"
fi
exec postgres "$$@"`

/** The server reads its configuration twice, so stdin does not do. */
const readCandidate =
  'file=$(mktemp) && cat >"$file" && postgres -C max_connections -c config_file="$file" >/dev/null; status=$?; rm -f "$file"; exit $status'

/** Where the server runs, it checks the candidate itself; one that starts for the first time logs its errors. */
function accepts(path: ReturnType<typeof sh>) {
  return sh`[ "$(docker container inspect --format '{{.State.Running}}' ${postgresContainer} 2>/dev/null)" != true ] ||
    docker exec -i ${postgresContainer} sh -c ${readCandidate} <${path}`
}

/** The state of a new cluster is known; that of an older one can be read only while its server runs. */
function started(checksum: string): Prediction {
  return becomes(postgresCatalog, (before, read) => {
    if (before === refused) return knownAfterApply
    if (before !== undefined) return { ...before, config: checksum, pendingRestart: [], accessOutdated: [] }
    return read(cluster) === 'absent' ? { ...freshCatalog, config: checksum } : knownAfterApply
  })
}

/** A running server has another password than the one that is generated now. */
const lockedOut: Prediction = becomes(postgresCatalog, (before) => before && refused)
