import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { sh } from '../../../lib/shell/sh.ts'
import type { Copy, Entry } from './marks.ts'

const pwned = 'touch /root/pwned'
const root = 'etc/letsencrypt'

/** The files and the globals of an honest copy with programs wherever they could stand, and what is to come of each. */
export async function rebuiltFrom({ host, files, globals = '' }: Copy) {
  const honest = await entriesOf(files ?? Buffer.alloc(0))
  const changed = (name: string, change: (text: string) => string): Entry => {
    const found = honest.find((each) => each.name.replace(/\/$/, '') === name)
    return { ...(found ?? { name }), content: change(found?.content?.toString() ?? '') }
  }
  const hooks = ['pre_hook', 'post_hook', 'renew_hook', 'manual_auth_hook'].map((each) => `${each} = ${pwned}\n`)
  const file = (name: string, content: string, more: object = {}): Entry => ({ name, content, ...more })
  const script = `#!/bin/sh\n${pwned}\n`
  const bad: readonly [what: string, why: string, entry: Entry][] = [
    [
      'hooks in the renewal of the certificate',
      'written again from its known keys',
      changed(`${root}/renewal/${host}.sandbox.conf`, (text) => `${text}${hooks.join('')}`),
    ],
    ['hooks in cli.ini', 'recreated by its role', file(`${root}/cli.ini`, `pre-hook = ${pwned}\n`)],
    [
      'a program of certbot’s hooks',
      'not taken, and told',
      file(`${root}/renewal-hooks/pre/evil`, script, { mode: 0o755 }),
    ],
    [
      'a certificate of another name, with hooks',
      'not taken, and told',
      file(`${root}/renewal/evil.example.org.conf`, hooks.join('')),
    ],
    [
      'configuration of nginx’s own/',
      'shown and laid aside: no one was there to confirm',
      file('opt/botgarden/nginx/conf/own/evil.conf', `load_module /tmp/pwned.so;\n`),
    ],
    [
      'a link to /etc/shadow in own/',
      'not followed',
      { name: 'opt/botgarden/nginx/conf/own/x.conf', type: 'symlink', linkname: '/etc/shadow' },
    ],
    [
      'another nginx.conf',
      'recreated by its role',
      file('opt/botgarden/nginx/conf/nginx.conf', `load_module /tmp/pwned.so;\n`),
    ],
    [
      'another program of backups',
      'recreated by its role',
      file('opt/botgarden/backups/backup', script, { mode: 0o4755 }),
    ],
    [
      'a login that names a program',
      'not taken, and told',
      file('etc/botgarden/registry/evil/config.json', '{"credsStore":"pwned"}'),
    ],
    ['secrets of a bot without a number', 'not taken, and told', file('etc/botgarden/secrets/bots/evil/token', '1:a')],
    [
      'a secret that runs as root (mode 4755)',
      'has the owner and the mode of a secret',
      file('etc/botgarden/secrets/bots/hello-bot/EXTRA', script, { mode: 0o4755 }),
    ],
    [
      'a release of another author',
      'not taken: the bot is released again',
      file('var/lib/botgarden/bots/hello-bot/current.json', '{"colour":"pwned"}'),
    ],
    ['another authority of certificates', 'recreated from the inventory', file('etc/botgarden/acme-ca.pem', 'pwned')],
  ]
  const own = new Set(bad.map(([, , { name }]) => name))
  const roles = [
    ['`\\!` in the globals', '\\! touch /tmp/ran'],
    ['a superuser in the globals', 'CREATE ROLE evil;\nALTER ROLE evil WITH SUPERUSER LOGIN;'],
    [
      'rights for the bot’s role in the globals',
      'GRANT pg_execute_server_program TO hello_bot;\nALTER ROLE hello_bot SET search_path = evil;',
    ],
  ] as const
  return {
    entries: [...honest.filter(({ name }) => !own.has(name)), ...bad.map(([, , entry]) => entry)],
    globals: `${roles.map(([, sql]) => sql).join('\n')}\n${globals.replaceAll('NOSUPERUSER', 'SUPERUSER')}`,
    cases: [
      ...bad.map(([what, why]) => [what, why] as const),
      ...roles.map(([what]) => [what, 'nothing but a password is taken of them'] as const),
      ['a database of the superuser’s', 'not restored, and told'] as const,
      ['a database called template1', 'not restored, and told'] as const,
      ['a database called postgres', 'not restored'] as const,
    ],
  }
}

async function entriesOf(archive: Buffer): Promise<Entry[]> {
  const entries: Entry[] = []
  const reading = extract()
  Readable.from([archive]).pipe(reading)
  for await (const entry of reading) {
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    const { name, type, linkname, mode, uid } = entry.header
    entries.push({
      ...{ name, type: type as Entry['type'] & string, content: Buffer.concat(chunks) },
      ...(mode !== undefined && { mode }),
      ...(uid !== undefined && { uid }),
      ...(typeof linkname === 'string' && { linkname }),
    })
  }
  return entries
}

const asked = [
  'select rolname, rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, md5(rolpassword) from pg_authid order by 1',
  'select roleid::regrole, member::regrole from pg_auth_members order by 1, 2',
  `select datname, datdba::regrole, datistemplate, datallowconn, datconnlimit, datacl, shobj_description(oid, 'pg_database') from pg_database order by 1`,
  'select setdatabase, setrole, setconfig from pg_db_role_setting',
  'select subname from pg_subscription union select spcname from pg_tablespace order by 1',
  'select evtname from pg_event_trigger',
]

/** Shell text that prints everything that a copy should leave alone. */
export const leftAlone = `${sh`printf '%s;\n' ${asked}`.text} | docker exec -i botgarden-postgres psql -XqAtU postgres
    docker exec botgarden-postgres sh -c 'ls -A /tmp; cat $PGDATA/postgresql.auto.conf'
    docker top botgarden-postgres -eo pid,args | awk 'NR > 1 && $2 !~ /^postgres:?$|docker-init$|^runc/ && !/pg_isready --quiet$/ { print $2 }' | sort -u
    docker ps --all --format '{{.Names}} {{.State}}' | sort
    ls -A /tmp /var/lib/botgarden /root /home | grep -v '^systemd-private\\|^runc-process\\|^apt-\\|^laid-aside$\\|^dumps$\\|^incoming$'
    ls -A /var/lib/botgarden/incoming 2>/dev/null
    find /etc /root /opt/botgarden -xdev -type f ! -name status.json -exec md5sum {} + | sort -k 2`
