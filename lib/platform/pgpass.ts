import type { Resource } from '../model/resource.ts'
import { command } from '../resources/command.ts'
import { installFile } from '../shell/install-file.ts'
import { type Script, sh } from '../shell/sh.ts'

/**
 * A role's password in the format of libpq: the file `pgpass` beside the file that holds the password, with the same owner.
 * A client whose PGPASSFILE is this file needs no other password.
 */
export function passFile(role: string, folder: string, password: string): Resource {
  const [source, file] = [`${folder}/${password}`, `${folder}/pgpass`]
  return command(`pgpass-${role}`, {
    summary: `write ${file}`,
    // By the shell itself, since every bot has one.
    unless: sh`
      { IFS= read -r password || [ -n "$password" ]; } <${source}
      { IFS= read -r line; ! IFS= read -r _; } <${file}
      # shellcheck disable=SC2046
      set -- $(stat -c '%u %a' ${file} ${source})
      [ "$line" = "*:*:*:${role}:$password" ] && [ "$1 $2" = "$3 $4" ]`,
    script: writePassFile(role, folder, password),
  })
}

/** Shell text: writes that file. */
export function writePassFile(role: string, folder: string, password: string): Script {
  const source = `${folder}/${password}`
  return installFile(`${folder}/pgpass`, {
    owner: sh`--reference ${source}`,
    mode: '0400',
    write: sh`printf '*:*:*:%s:%s\n' ${role} "$(cat ${source})" >"$candidate"`,
  })
}
