import { type Resource, resource, unknownUntilApply } from '../../lib/model/resource.ts'
import { postgresCatalog, refused } from '../../lib/platform/postgres-catalog.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import type { ClusterMount } from './cluster.ts'
import { untilHealthy } from './running.ts'

/**
 * The superuser's password is the one that the host keeps. Where it is another one, no login works: the server is stopped, and
 * PostgreSQL's single-user mode sets it, without a socket, in a container that ends with it.
 */
export function superuser(places: {
  readonly cluster: ClusterMount
  readonly password: string
  readonly owner: string
}): Resource {
  return resource({
    id: 'postgres:superuser',
    wants: places.password,
    reads: { catalog: postgresCatalog },
    plan: ({ catalog }) => {
      if (catalog !== refused) return []
      const summary = 'stop the server and give its superuser the password that the host keeps'
      return [{ summary, script: setPassword(places), long: true, predicts: [unknownUntilApply(postgresCatalog)] }]
    },
  })
}

function setPassword({
  cluster: { source, target, environment },
  password,
  owner,
}: Parameters<typeof superuser>[0]): Script {
  const name = `${postgresContainer}-password`
  const confined = ['--network', 'none', '--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
  const container = [...confined, '--user', `${owner}:${owner}`, '--tmpfs', '/tmp', '--memory', '256m']
  // On the command line these win over the settings of the cluster: the password must be in no log.
  const settings = ['log_statement=none', 'log_min_duration_statement=-1', 'log_min_error_statement=panic']
  const server = ['--single', '-j', ...['shared_buffers=16MB', ...settings].flatMap((each) => ['-c', each])]
  const env = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const { text } = sh`
    image=$(docker container inspect --format '{{.Config.Image}}' ${postgresContainer})
    docker rm -f --volumes ${name} >/dev/null 2>&1 || :
    trap 'docker start ${postgresContainer} >/dev/null' EXIT
    docker stop ${postgresContainer} >/dev/null
    printf "alter role postgres with login valid until 'infinity' password '%s';\n\n" "$(head -n 1 ${password})" |
      docker run --rm -i --name ${name} ${container} --mount type=bind,source=${source},target=${target} ${env} \
        --entrypoint /bin/sh "$image" -c 'exec postgres "$@" -D "$PGDATA" postgres' postgres ${server} 2>&1 >/dev/null
    trap - EXIT
    docker start ${postgresContainer} >/dev/null
    ${untilHealthy()}`
  return { text, shown: "postgres --single: alter role postgres password '***'" }
}
