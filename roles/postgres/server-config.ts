import { mapChanges } from '../../lib/model/combinators.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { catalogBecomes } from '../../lib/platform/postgres-catalog.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { file } from '../../lib/resources/file.ts'
import { textOf } from '../../lib/resources/file-state.ts'
import { sh } from '../../lib/shell/sh.ts'

/** postgresql.conf. A change of whether WAL is archived restarts the server, so the plan says so. */
export function serverConfig(path: string, content: string): Resource {
  const inner = file(path, { content, validate: { tool: 'docker', script: accepts } })
  const restart = catalogBecomes((now) => ({ ...now, pendingRestart: ['wal_level'] }))
  return mapChanges(inner, (change, read) => {
    const before = read(textOf(path))
    const restarts = before !== undefined && levelIn(before) !== levelIn(content)
    return restarts ? { ...change, predicts: [...(change.predicts ?? []), restart] } : change
  })
}

/** The last one counts. */
function levelIn(text: string): string | undefined {
  return [...text.matchAll(/^wal_level = (.*)$/gm)].at(-1)?.[1]
}

/** The server reads its configuration twice, so stdin does not do. */
const readCandidate =
  'file=$(mktemp) && cat >"$file" && postgres -C max_connections -c config_file="$file" >/dev/null; status=$?; rm -f "$file"; exit $status'

/** Where the server runs, it checks the candidate itself; one that starts for the first time logs its errors. */
function accepts(path: ReturnType<typeof sh>) {
  return sh`[ "$(docker container inspect --format '{{.State.Running}}' ${postgresContainer} 2>/dev/null)" != true ] ||
    docker exec -i ${postgresContainer} sh -c ${readCandidate} <${path}`
}
