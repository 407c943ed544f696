import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { clientOptions } from '../../../roles/bot/database/client.ts'
import { layoutOf } from '../../../roles/bot/spec/layout.ts'

/** Shell text: psql as the role of a bot, in its database. Where it reads a pipe the first error ends it, with 3. */
export function psqlScript(bot: string, uid: number, terminal: boolean): Script {
  const environment = ['HOME=/tmp', 'LANG=C.UTF-8', 'PGCLIENTENCODING=UTF8', 'PGAPPNAME=botgarden'].flatMap((each) => [
    '--env',
    each,
  ])
  const psql = terminal ? ['-X', '-P', 'pager=off'] : ['-X', '-v', 'ON_ERROR_STOP=1']
  return sh`
    client=${layoutOf(bot).network}-psql-$$
    image=$(docker container inspect --format '{{.Config.Image}}' ${postgresContainer}) || exit 1
    trap 'docker rm -f --volumes "$client" >/dev/null 2>&1 || :' EXIT
    trap 'exit 129' HUP PIPE TERM
    docker run --rm --name "$client" ${terminal ? ['-i', '-t'] : ['-i']} ${clientOptions(bot, uid)} ${environment} --entrypoint psql "$image" ${psql}`
}
