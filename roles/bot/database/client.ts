import { databaseName } from '../../../lib/platform/database-name.ts'
import { postgresSocket } from '../../../lib/platform/postgres-client.ts'
import { layoutOf } from '../spec/layout.ts'

/**
 * Options of `docker run` for a client of a bot's database: the server's image in a container that has the bot's user, the socket
 * and this one password. Never by exec in the server, whose user and files a command of psql would have.
 */
export function clientOptions(bot: string, uid: string | number): readonly string[] {
  const database = databaseName(bot)
  const mounts = [
    `type=bind,source=${postgresSocket},target=/run/postgresql,readonly`,
    `type=bind,source=${layoutOf(bot).secrets}/pgpass,target=/run/secrets/pgpass,readonly`,
  ]
  const environment = [
    'PGHOST=/run/postgresql',
    'PGPASSFILE=/run/secrets/pgpass',
    `PGUSER=${database}`,
    `PGDATABASE=${database}`,
  ]
  return [
    ...['--user', `${uid}:${uid}`, '--network', 'none', '--read-only', '--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges', '--memory', '256m', '--memory-swap', '256m', '--pids-limit', '50'],
    ...['--log-driver', 'none', '--tmpfs', '/tmp:size=16m,mode=1777'],
    // Without a volume of the image, which would be the host's disk.
    ...['--tmpfs', '/var/lib/postgresql:size=1m'],
    ...mounts.flatMap((each) => ['--mount', each]),
    ...environment.flatMap((each) => ['--env', each]),
  ]
}
