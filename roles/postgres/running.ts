import { notice } from '../../lib/model/combinators.ts'
import type { Reading } from '../../lib/model/reading.ts'
import { type Resource, resource } from '../../lib/model/resource.ts'
import { sql } from '../../lib/platform/postgres.ts'
import { catalogBecomes, known, postgresCatalog } from '../../lib/platform/postgres-catalog.ts'
import { postgresContainer, psql } from '../../lib/platform/postgres-client.ts'
import type { FileState } from '../../lib/resources/file-state.ts'
import { waiting } from '../../lib/shell/deadline.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'

/** The server runs with the configuration of this checksum. It is restarted only where a reload is not enough. */
export function runningConfig(checksum: string, cluster: Reading<FileState>): Resource {
  return resource({
    id: 'postgres:config',
    wants: checksum,
    reads: { catalog: postgresCatalog, cluster },
    plan: ({ catalog }) => {
      const { config, pendingRestart, accessOutdated = [] } = known(catalog)
      if (config === checksum && pendingRestart.length === 0 && !accessOutdated.includes('pg_hba.conf')) return []
      const predicts = [catalogBecomes((now) => ({ ...now, config: checksum, pendingRestart: [], accessOutdated: [] }))]
      const pending = pendingRestart.join(', ')
      const summary = pending === '' ? 'load its new configuration' : `restart, for ${pending}`
      return [{ summary, script: loadConfig(checksum), predicts, long: true }]
    },
  })
}

/** Outputs the command that opens psql. */
export function access(): Resource {
  const outputs = () => ({ postgres: `on the host: docker exec -it ${postgresContainer} psql -U postgres` })
  return notice({ id: 'postgres:access', reads: {}, outputs })
}

/** Lets the superuser query the statistics of statements. */
export function statements(): Resource {
  const extension = 'pg_stat_statements'
  return resource({
    id: `postgres-extension:${extension}`,
    wants: 'there',
    reads: { catalog: postgresCatalog },
    plan: ({ catalog }) => {
      const { extensions } = known(catalog)
      if (extensions.includes(extension)) return []
      const after = [...extensions, extension].sort()
      return [
        {
          summary: 'create',
          script: sql(`create extension ${extension};`),
          predicts: [catalogBecomes((now) => ({ ...now, extensions: after }))],
        },
      ]
    },
  })
}

function loadConfig(checksum: string) {
  return sh`
    ${waiting}
    ask() { printf %s "$1" | ${psql()}; }
    ask 'select pg_reload_conf()' >/dev/null
    begin_wait 10
    while [ "$(ask "select current_setting('botgarden.config', true)")" != ${checksum} ]; do
      time_left || { echo 'the server refuses its new configuration:'; docker logs --tail 10 ${postgresContainer} 2>&1; exit 1; }
      sleep 0.1
    done
    [ "$(ask 'select count(*) from pg_settings where pending_restart')" = 0 ] || {
      docker restart ${postgresContainer} >/dev/null
      ${untilHealthy()}
    }`
}

/** Shell: waits for a server that was just started. */
export function untilHealthy(): Script {
  return sh`
      ${waiting}
      begin_wait 60
      while time_left; do
        [ "$(docker container inspect --format '{{.State.Health.Status}}' ${postgresContainer})" != healthy ] || exit 0
        sleep 1
      done
      docker logs --tail 20 ${postgresContainer} 2>&1
      exit 1`
}
