import { dirname } from 'node:path/posix'
import { secretsDir } from '../../../lib/model/host-layout.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import {
  archiveContainer,
  archiveProgram,
  archiverRole,
  archiveSecrets,
  archiveSlot,
  archiveState,
} from '../../../lib/platform/archive/wal-archive.ts'
import { passFile } from '../../../lib/platform/pgpass.ts'
import { databaseRole } from '../../../lib/platform/postgres.ts'
import { postgresSocket } from '../../../lib/platform/postgres-client.ts'
import { composeProject, hardened, mount } from '../../../lib/resources/compose.ts'
import { directory } from '../../../lib/resources/file.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { pulledImage } from '../../../lib/resources/image.ts'

/** The user of the server's image. */
const owner = '999'
/** In MiB. It takes 3; a base, which is copied in there too, 12. */
const memoryMB = 48

/**
 * The container that receives the WAL of the server, by the server's own tools: without a network, as a role that may replicate and
 * nothing else. It is told what to receive by its slot.
 */
export function archiver(image: string): Resource[] {
  const password = `${archiveSecrets}/password`
  return [
    ...[dirname(secretsDir), secretsDir].map((each) => directory(each, { mode: '0700' })),
    directory(archiveSecrets, { mode: '0700', owner, group: owner }),
    generatedSecret(password, { owner }),
    passFile(archiverRole, archiveSecrets, 'password'),
    databaseRole(archiverRole, {
      passwordFile: password,
      connectionLimit: 3,
      attributes: ['REPLICATION'],
      settings: {},
    }),
    directory(archiveState, { mode: '0711' }),
    directory(`${archiveState}/spool`, { mode: '0700', owner, group: owner }),
    directory(`${archiveState}/store`, { mode: '0700' }),
    pulledImage(image),
    ...archiverContainer(image),
  ]
}

export function archiverContainer(image: string): Resource[] {
  return composeProject({ name: archiveContainer, folder: archiveProgram, service: service(image) })
}

function service(image: string): Record<string, unknown> {
  return {
    image,
    ...hardened,
    user: `${owner}:${owner}`,
    network_mode: 'none',
    entrypoint: ['pg_receivewal'],
    // Flushed as it comes: what the server has counts as received only where it is on the disk.
    command: [
      ...['--host=/run/postgresql', `--username=${archiverRole}`, '--no-password'],
      ...[`--slot=${archiveSlot}`, '--synchronous', '--compress=gzip:1', '--directory=/archive'],
    ],
    environment: { PGPASSFILE: '/run/secrets/pgpass' },
    volumes: [
      mount(`${archiveState}/spool`, '/archive', { writable: true }),
      mount(postgresSocket, '/run/postgresql'),
      mount(archiveSecrets, '/run/secrets'),
    ],
    // Where the image has its volume, which nothing is in.
    tmpfs: ['/var/lib/postgresql:size=1m', '/var/lib/postgresql/data:size=1m', '/tmp:size=4m'],
    mem_limit: `${memoryMB}m`,
    memswap_limit: `${memoryMB}m`,
    pids_limit: 20,
    stop_grace_period: '5s',
  }
}
