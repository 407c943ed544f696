import type { Resource } from '../model/resource.ts'
import { command } from '../resources/command.ts'
import { installFile } from '../shell/install-file.ts'
import { sh } from '../shell/sh.ts'

/**
 * A role's password once more, as libpq wants to read it: `pgpass` beside the file that holds it, of the same owner. Whoever
 * has PGPASSFILE lead to it needs to be told no password.
 */
export function passFile(role: string, folder: string, password: string): Resource {
  const [source, file] = [`${folder}/${password}`, `${folder}/pgpass`]
  return command(`pgpass-${role}`, {
    summary: `write ${file}`,
    unless: sh`[ "$(cat ${file})" = "*:*:*:${role}:$(cat ${source})" ] && [ "$(stat -c '%u %a' ${file})" = "$(stat -c '%u %a' ${source})" ]`,
    script: installFile(file, {
      owner: sh`--reference ${source}`,
      mode: '0400',
      write: sh`printf '*:*:*:%s:%s\n' ${role} "$(cat ${source})" >"$candidate"`,
    }),
  })
}
