import { optDir } from '../model/host-layout.ts'
import { type Prediction, type Resource, resource } from '../model/resource.ts'
import { waiting } from '../shell/deadline.ts'
import { type Script, sh } from '../shell/sh.ts'
import { catalogBecomes, known, postgresCatalog } from './postgres-catalog.ts'
import { psql } from './postgres-client.ts'

/** The folder with the server's configuration, and in it that of files which let bots in by TCP, one a bot. */
export const postgresConf = `${optDir}/postgres/conf`
export const accessFolder = `${postgresConf}/bots`

/** Who may come by TCP: one role, from one network, to one database. */
export interface Access {
  readonly role: string
  readonly database: string
  /** An IPv4 network: `10.213.1.0/28`. */
  readonly subnet: string
}

/** The line of pg_hba.conf. In quotes, since a bot may be called `all`; TLS is accepted, not demanded. */
export function accessLine({ role, database, subnet }: Access): string {
  return `host  "${database}"  "${role}"  ${subnet}  scram-sha-256\n`
}

/** The same as the server lists it. */
export function accessRule({ role, database, subnet }: Access): string {
  const [address, bits = '32'] = subnet.split('/')
  const mask = (2 ** 32 - 2 ** (32 - Number(bits))) >>> 0
  const netmask = [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join('.')
  return `host ${database} ${role} ${address} ${netmask} scram-sha-256`
}

/** What a change of one of these files predicts. */
export function accessChanged(path: string): Prediction {
  const file = nameOf(path)
  return catalogBecomes((now) => ({ ...now, accessOutdated: [...(now.accessOutdated ?? []), file] }))
}

/** The server has loaded the file that lets in this role by TCP. */
export function accessInForce(access: Access, path: string): Resource {
  const rule = accessRule(access)
  return resource({
    id: `postgres-access:${access.role}`,
    wants: rule,
    reads: { catalog: postgresCatalog },
    plan: ({ catalog }) => {
      const { access: rules = [], accessOutdated = [] } = known(catalog)
      if (rules.includes(rule) && !accessOutdated.includes(nameOf(path))) return []
      const after = catalogBecomes((now) => ({
        ...now,
        access: [...new Set([...(now.access ?? []), rule])].sort(),
        accessOutdated: [],
      }))
      return [{ summary: 'let it in by TCP', script: loadAccess(rule), predicts: [after] }]
    },
  })
}

function nameOf(path: string): string {
  return path.slice(postgresConf.length + 1)
}

/** Shell text: has the server load its access rules, all of which must be right, and `rule` among them where one is given. */
export function loadAccess(rule = ''): Script {
  // A file with an error leaves the server with what it had, and its log says so alone.
  const wrong = `select format('%s, line %s: %s', file_name, line_number, error) from pg_hba_file_rules where error is not null`
  const rules = `select concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','), address, netmask, auth_method) from pg_hba_file_rules`
  const loaded = `select pg_conf_load_time() >= '$before'`
  const hasRule = sh`ask ${rules} | grep -qxF -e ${rule} || { echo ${`the server has no file with this rule, so its own files are older than botgarden: run site.ts: ${rule}`}; exit 1; }`
  return sh`
    ${waiting}
    ask() { printf '%s\n' "$1" | ${psql()}; }
    wrong=$(ask ${wrong})
    [ -z "$wrong" ] || { printf '%s\n' 'the server cannot load who may come by TCP:' "$wrong"; exit 1; }
    ${rule === '' ? sh`:` : hasRule}
    before=$(ask 'select clock_timestamp()')
    ask 'select pg_reload_conf()' >/dev/null
    begin_wait 10
    until [ "$(ask "${{ text: loaded, shown: loaded }}")" = t ]; do
      time_left || { echo 'the server does not load its configuration'; exit 1; }
      sleep 0.1
    done`
}
