import { command } from '../../lib/command.ts'
import type { Resource } from '../../lib/resource.ts'
import { sh } from '../../lib/sh.ts'

/** The superuser's password once more, as libpq wants to read it: `docker exec` of psql then needs nobody to know it. */
export function passwordFile(secrets: string, owner: string): Resource {
  const [password, file, candidate] = [`${secrets}/superuser`, `${secrets}/pgpass`, `${secrets}/.pgpass.botgarden`]
  return command('postgres-pgpass', {
    summary: `write ${file}`,
    unless: sh`[ "$(cat ${file})" = "*:*:*:postgres:$(cat ${password})" ] && [ "$(stat -c '%u %a' ${file})" = ${`${owner} 400`} ]`,
    script: sh`
      rm -f ${candidate}
      (umask 077; printf '%s\n' "*:*:*:postgres:$(cat ${password})" >${candidate})
      chown ${`${owner}:${owner}`} ${candidate}
      chmod 0400 ${candidate}
      mv -fT ${candidate} ${file}`,
  })
}
