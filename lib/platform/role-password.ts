import { type Script, sh } from '../shell/sh.ts'
import { postgresContainer, psql } from './postgres-client.ts'

/** The password of a role, as the host keeps it: the first line of a file. */
export interface KeptPassword {
  readonly role: string
  readonly file: string
}

/** What the server and the host know of a role's password. */
export type PasswordState =
  /** It is not the one that the host keeps, or the role is not there. */
  | 'wrong'
  /** A login with the one that the host keeps succeeds. */
  | 'right'
  /** As above, told without a login: our mark on the role fits the host's file and what the server keeps of the password. */
  | 'proved'

/** The name of its reading. */
export function nameOf({ role, file }: KeptPassword): string {
  return `${role} ${file}`
}

export function passwordOf(name: string): KeptPassword {
  const [role = '', file = ''] = name.split(' ')
  return { role, file }
}

/** What `passwordQuery` and `tryUnproved` have printed of a role. */
export function parsePassword(output: string, role: string): PasswordState {
  const word = new RegExp(`^password ${role} (proved|right)$`, 'm').exec(output)?.[1]
  return word === 'proved' || word === 'right' ? word : 'wrong'
}

/** SQL: tells `proved` or `unproved` of each; the variable `sums` has what sha256sum says of the files, with commas for line breaks. */
export function passwordQuery(passwords: readonly KeptPassword[]): string {
  if (passwords.length === 0) return ''
  const asked = passwords.map(({ role, file }) => `('${role}', '${file}')`).join(', ')
  return `
select 'password ' || role || case when shobj_description(a.oid, 'pg_authid') = ${markOf('sum', 'rolpassword')}
  and coalesce(rolvaliduntil > now(), true)
  then ' proved' else ' unproved' end
from (values ${asked}) asked(role, file)
left join (select split_part(each, '  ', 1) sum, split_part(each, '  ', 2) file
  from unnest(string_to_array(:'sums', ',')) each) sums using (file)
left join pg_authid a on a.rolname = role
order by role;
`
}

/**
 * Shell: tries to log in as each role whose password is not proved. Stdin has a role a line, then its password, which psql asks
 * for there where it has no terminal. That it is let in is not the question, only whether it is refused for its password.
 */
export function tryUnproved(passwords: readonly KeptPassword[]): Script {
  if (passwords.length === 0) return sh`:`
  return sh`
    case $answer in *' unproved'*)
      printf '%s\n' ${passwords.map(nameOf)} | while IFS=' ' read -r role file; do
        case $answer in *"password $role unproved"*) printf '%s\n' "$role" "$(head -n 1 "$file" 2>/dev/null)" ;; esac
      done | docker exec -i -e PGPASSFILE=/nonexistent ${postgresContainer} sh -c '
        while read -r role && read -r password; do
          [ -n "$password" ] || continue
          printf "%s\n" "$password" | psql -X -W -U "$role" -d template1 -c "" 2>&1 | grep -q "authentication failed" ||
            echo "password $role right"
        done' ;;
    esac`
}

/** Marks a role whose password is the one in this file, so that no login is needed to know it. */
export function markPassword(role: string, file: string): Script {
  const mark = markOf(":'sum'", 'rolpassword')
  const query = `select format('comment on role %I is %L', rolname, ${mark}) from pg_authid where rolname = '${role}' \\gexec`
  const { text } = sh`
    sum=$(sha256sum ${file})
    printf '%s\n' "\\set sum '\${sum%% *}'" ${query} | ${psql()}`
  return { text, shown: `comment on role ${role}` }
}

/** What our mark on a role begins with: then the checksum of the one of its password's file and the server's verifier of it. */
const markPrefix = 'botgarden:'

/** SQL: the mark of a role whose password file has the checksum `sum`. Whoever changes either does not know the other. */
function markOf(sum: string, verifier: string): string {
  return `'${markPrefix}' || encode(sha256((${sum} || ${verifier})::bytea), 'hex')`
}
