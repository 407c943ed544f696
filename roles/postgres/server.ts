import { dirname } from 'node:path/posix'
import { secretsDir } from '../../lib/model/host-layout.ts'
import type { HostEntry } from '../../lib/model/role.ts'
import { archiverRole, isArchived } from '../../lib/platform/archive/wal-archive.ts'
import { ident } from '../../lib/platform/postgres.ts'
import { postgresConf } from '../../lib/platform/postgres-access.ts'
import { postgresContainer, postgresSocket } from '../../lib/platform/postgres-client.ts'
import { hardened, mount } from '../../lib/resources/compose.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import { template } from '../../lib/std/template.ts'
import { clusterMount, majorOf, owner } from './cluster.ts'
import { composeNetwork } from './network/index.ts'
import { listensTo, remoteLines, type ServerNetwork } from './network/remote.ts'
import { pairSettings, type ServerPair, walSettings } from './replication/pair.ts'
import { type Size, sizeFor, withConnections } from './sizes.ts'

/** What the inventory says of the server. */
export interface ServerVars {
  readonly image: string
  readonly settings: Readonly<Record<string, string | number | boolean>>
  /** Its WAL is archived. */
  readonly archived?: boolean
  /** Who comes from other hosts. */
  readonly network?: ServerNetwork
  /** It follows another server, or is followed by one. */
  readonly pair?: ServerPair
}

/** The folder of its compose.yaml. */
export const serverFolder = dirname(postgresConf)
/** The password of the superuser, the same as pgpass, and the key of TLS. */
export const serverSecrets = `${secretsDir}/postgres`

/** What the inventory says of the server of a host. */
export function serverVars(host: Pick<HostEntry, 'vars'>): ServerVars {
  return { ...(host.vars?.postgres as Omit<ServerVars, 'archived'>), archived: isArchived(host) }
}

/** The server of a host with so much memory: its configuration, and its service as compose(5) has it. */
export function serverOf({ image, settings, archived = false, network, pair }: ServerVars, memoryMiB: number) {
  const listens = listensTo(network)
  const plain = sizeFor(memoryMiB)
  const most = Math.max(plain.connections + (listens?.connections ?? 0), pair?.connections ?? 0)
  const size = withConnections(plain, most - plain.connections)
  const config = configOf(image, size, {
    settings,
    archived,
    ...(listens && { network: listens }),
    ...(pair && { pair }),
  })
  const { service: inNetwork, more } = composeNetwork(listens)
  const project = {
    name: postgresContainer,
    folder: serverFolder,
    service: service(image, size, inNetwork, pair === undefined ? {} : adminsDoNotWait),
    ...(more && { more }),
  }
  return { config, project }
}

/** An operator, or a run of ours, never waits for a standby that is gone: psql in the container has this from its environment. */
const adminsDoNotWait = { PGOPTIONS: '-c synchronous_commit=local' }

function configOf(image: string, size: Size, { settings, archived = false, network, pair }: Omit<ServerVars, 'image'>) {
  const own = Object.entries(settings).map(([name, value]) => ({ name, value: `'${value}'` }))
  const from = (name: string, values: Record<string, unknown>) =>
    template(new URL(`templates/${name}.mustache`, import.meta.url), values)
  const archive = archived && { archiver: ident(archiverRole) }
  const mesh = network && { lines: remoteLines(network.remotes).map((line) => ({ line })) }
  const hba = from('pg_hba.conf', { archive, mesh })
  const wal = walSettings({ archived, paired: pair !== undefined })
  const body = from('postgresql.conf', {
    ...size,
    own,
    wal,
    pair: pair && pairSettings(pair),
    mesh,
    hasIoMethod: majorOf(image) >= 18,
  })
  const checksum = sha256Of(body + hba).slice(0, 16)
  // The server returns it when asked which configuration it runs.
  return { hba, text: `${body}botgarden.config = '${checksum}'\n`, checksum }
}

function service(
  image: string,
  { memoryMB, connections }: Size,
  inNetwork: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const conf = '/etc/postgresql'
  const cluster = clusterMount(image)
  return {
    image,
    ...hardened,
    user: `${owner}:${owner}`,
    ...inNetwork,
    // Not the image's own entry point, which puts the superuser's password into the environment of the server.
    entrypoint: ['/bin/sh', '-euc', firstStart, 'postgres'],
    command: ['-c', `config_file=${conf}/postgresql.conf`, '-c', `hba_file=${conf}/pg_hba.conf`],
    stop_signal: 'SIGINT',
    environment: { PGPASSFILE: '/run/secrets/pgpass', ...cluster.environment, ...environment },
    volumes: [
      mount(cluster.source, cluster.target, { writable: true }),
      mount(postgresSocket, '/run/postgresql', { writable: true }),
      mount(postgresConf, conf),
      mount(serverSecrets, '/run/secrets'),
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

/** Shell: creates the cluster where there is none, elsewhere first, so that a cut leaves no half of one; then runs the server. */
export const firstStart = `
if [ ! -s "$$PGDATA/PG_VERSION" ]; then
  rm -rf "$$PGDATA.new"
  mkdir -p "$$(dirname "$$PGDATA")"
  # Sorts by code point, the same in every image: an index outlives a change of the C library.
  initdb -D "$$PGDATA.new" --username=postgres --pwfile=/run/secrets/superuser --auth=scram-sha-256 --data-checksums --locale-provider=builtin --builtin-locale=C.UTF-8
  mv -T "$$PGDATA.new" "$$PGDATA"
fi
exec postgres "$$@"`
