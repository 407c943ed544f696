import { runDir } from '../model/host-layout.ts'
import { type Script, sh } from '../shell/sh.ts'

/** The container of the database server, and the folder of the socket by which it is reached: it has no network. */
export const postgresContainer = 'botgarden-postgres'
export const postgresSocket = `${runDir}/postgres`

/** psql as the superuser, by the password file that only its container has. It reads SQL from stdin. */
export function psql(...more: string[]): Script {
  return sh`docker exec -i ${postgresContainer} psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres ${more}`
}
