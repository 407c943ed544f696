import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { type Resource, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { writePassFile } from '../../../lib/platform/pgpass.ts'
import { psql } from '../../../lib/platform/postgres-client.ts'
import { randomText } from '../../../lib/resources/generated-secret.ts'
import { installFile } from '../../../lib/shell/install-file.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { owner } from '../../../roles/postgres/cluster.ts'
import { selfSigned } from '../../../roles/postgres/index.ts'
import { serverSecrets } from '../../../roles/postgres/server.ts'

const names = ['superuser', 'server.pem'] as const

/** When each of the server's own secrets was written, in milliseconds since 1970. */
type Written = Readonly<Record<string, number>>

const kind: Kind<Written> = {
  name: 'server-secrets',
  script: () => sh`stat --format '%n %.3Y' ${names.map((name) => `${serverSecrets}/${name}`)} 2>/dev/null || :`,
  parse: oneValue((output) =>
    Object.fromEntries(
      [...output.matchAll(/([^/\s]+) ([\d.]+)$/gm)].map(([, name = '', time]) => [name, Number(time) * 1000]),
    ),
  ),
}
const written: Reading<Written> = reading(kind, 'postgres')

/** The superuser's password and the key of TLS are not older than this, in milliseconds since 1970. Nothing is restarted for it. */
export function renewedServerSecrets(since: number): Resource {
  return resource({
    id: 'renewed-secrets:postgres',
    wants: since,
    reads: { written },
    plan: ({ written: there }) => {
      const old = names.filter((name) => (there[name] ?? Number.POSITIVE_INFINITY) < since)
      if (old.length === 0) return []
      const script = sh`
        ${old.includes('superuser') ? renewPassword() : sh`:`}
        ${old.includes('server.pem') ? renewKey() : sh`:`}`
      const summary = `make ${old.join(', ')} anew; no bot has ${old.length > 1 ? 'them' : 'it'}`
      return [{ summary, script: { ...script, shown: summary }, long: true, predicts: [unknownUntilApply(written)] }]
    },
  })
}

/** The server has it first: where this is cut before the files are there, site.ts gives the server the one that they have. */
function renewPassword() {
  const file = `${serverSecrets}/superuser`
  const next = `${file}.new`
  return sh`
    (${installFile(next, { owner: `${owner}:${owner}`, mode: '0400', write: randomText.write, check: randomText.check })})
    password=$(cat ${next}); printf '%s\n' "$password" "$password" | ${psql('-c', '\\password postgres')} 2>/dev/null
    mv -fT ${next} ${file}
    (${writePassFile('postgres', serverSecrets, 'superuser')})
    printf '%s\n' 'select 1' | ${psql()} >/dev/null`
}

/** Connections that are open keep the key that they began with. */
function renewKey() {
  return sh`
    (${installFile(`${serverSecrets}/server.pem`, { owner: `${owner}:${owner}`, mode: '0400', ...selfSigned })})
    printf '%s\n' 'select pg_reload_conf()' | ${psql()} >/dev/null`
}
