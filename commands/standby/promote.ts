import { postgresContainer, psql } from '../../lib/platform/postgres-client.ts'
import { synchronousFile } from '../../lib/platform/standby/names.ts'
import { waiting } from '../../lib/shell/deadline.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError } from '../../lib/std/errors.ts'

/**
 * Makes a standby the primary, and waits until it takes writes; one that does already is left. Nobody waits for a standby of its own,
 * since it has none yet. Whether the old primary is shut off is for the caller to know. Throws a `HostError` where there is no data.
 */
export async function promote(connection: Connection, name: string): Promise<void> {
  await perform(connection, promotion, { name })
}

/**
 * Commits do not wait for a standby any more, those that do now end at once. The next site.ts that finds the standby there has them
 * wait again.
 */
export async function degrade(connection: Connection, name: string): Promise<void> {
  const told = await perform(connection, degradation, { name })
  if (told.includes('follows')) throw new HostError(`${name}: its server is a standby: nobody waits there`)
}

const ask = sh`ask() { printf '%s\n' "$1" | ${psql()}; }`

/** Shell text: waits for a server that was stopped, or is starting. */
const awaken = sh`
  [ "$(docker container inspect --format '{{.State.Running}}' ${postgresContainer})" = true ] || docker start ${postgresContainer} >/dev/null
  begin_wait 60
  until ask 'select 1' >/dev/null 2>&1; do
    time_left || { docker logs --tail 20 ${postgresContainer} 2>&1; exit 1; }
    sleep 0.2
  done`

/** Shell text. */
export const promotion: Script = sh`
  ${waiting}
  ${ask}
  rm -f ${synchronousFile}
  ${awaken}
  ask 'select pg_reload_conf()' >/dev/null
  [ "$(ask 'select pg_is_in_recovery()')" != t ] || ask 'select pg_promote(true, 60)' >/dev/null
  begin_wait 60
  until [ "$(ask 'select pg_is_in_recovery()')" = f ] && ask 'select pg_current_xact_id()' >/dev/null; do
    time_left || { docker logs --tail 20 ${postgresContainer} 2>&1; exit 1; }
    sleep 0.2
  done
  # What was written since the last one would make the next start longer.
  ask checkpoint`

/** Shell text. */
export const degradation: Script = sh`
  ${ask}
  if [ "$(ask 'select pg_is_in_recovery()')" = t ]; then
    echo follows
  else
    rm -f ${synchronousFile}
    ask 'select pg_reload_conf()' >/dev/null
  fi`
