// The script that takes a dump in on its host, in a real sh, with a stand-in for Docker that notes what the server is asked.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { restoreScript } from '../../../commands/restore/database-script.ts'
import type { DatabasePart, RestoreTask } from '../../../commands/restore/restore-task.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const dump = '/var/lib/botgarden/incoming/x.dump'
const sum = '0'.repeat(64)
const part: DatabasePart = {
  ...{ kind: 'database', file: 'x.age', size: 1, sha256: sum, encrypted: { size: 1, sha256: sum } },
  ...{ database: 'hello', owner: 'hello', tables: { 'public.users': 2, 'public."Odd name"': 1 } },
}
const own: RestoreTask = { database: 'hello', ofBot: true, target: 'hello', bot: 'hello-bot' }
const beside: RestoreTask = { database: 'hello', ofBot: true, target: 'hello_old', bot: undefined }
const trial: RestoreTask = { database: 'hello', ofBot: true, target: undefined, bot: undefined }

/** Notes what it is told, one after the other: `DATABASE> SQL`, and else its arguments. Answers are files of $STATE. */
const docker = `
said() { printf '%s\\036' "$*" >>"$STATE/told"; }
answer() { [ ! -e "$STATE/$1" ] || cat "$STATE/$1"; }
for last; do :; done
case "$*" in *botgarden-drill*psql*) last="drill, $last" ;; esac
case "$*" in
*--username=botgarden-reader*) said "$*"; cat >"$STATE/read"; if [ -e "$STATE/broken" ]; then cat "$STATE/broken"; exit 1; fi ;;
*psql*)
  sql=$(cat)
  case "$*" in *'-U botgarden-reader'*) said "as reader, $last> $sql"; answer counts; exit ;; esac
  said "$last> $sql"
  case $sql in *rolsuper*) answer verdict ;; *'select pg_get_userbyid'*) answer held ;; *"count(*)"*"'botgarden-"*) echo 1 ;; *"count(*)"*) answer there ;; esac ;;
*'cat >/tmp/restoring.pgpass'*) said "passwords: $(cat)" ;;
*pg_dump*) said "$*"; echo dump ;;
'ps '*) said "$*"; echo c0ffee ;;
*) said "$*"; case $1 in start) [ ! -e "$STATE/stuck" ] ;; logs) answer log ;; container) echo postgres:here ;; esac ;;
esac`

function hostWith(notes: Record<string, string> = {}): ScratchHost {
  const host = scratchHost({ docker, df: 'echo Avail; cat "$STATE/free"', head: 'exec /usr/bin/head "$@"' })
  const counts = 'public."Odd name" 1\npublic.users 2\n'
  for (const [name, text] of Object.entries({ free: '5000\n', verdict: 'plain\n', there: '1\n', counts, ...notes }))
    host.note(name, text)
  host.write(dump, 'the dump')
  host.write('/var/lib/botgarden/bots/hello-bot/current.json', '{"id":"1","colour":"green"}\n')
  host.write('/proc/meminfo', 'MemTotal: 999999 kB\nMemAvailable: 1048576 kB\n')
  host.folder('/var/lib/botgarden/postgres')
  return host
}
const restore = (host: ScratchHost, order: RestoreTask, more: Partial<DatabasePart> = {}) =>
  host.run(restoreScript(order, { ...part, ...more }, dump))
const told = (host: ScratchHost) =>
  host
    .noted('told')
    .replace(/(?<=password '|botgarden-reader:)\w{20,}/g, 'PASSWORD')
    .split('\x1e')
    .slice(0, -1)
    .map((each) => each.replaceAll(/\s+/g, ' ').trim())

const isPlain = `postgres> select case when r.oid is null then 'does not exist on this host: deploy its bot first (bot.ts), or restore the whole host (--host)' when rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls then 'may do more than own a database' when exists (select from pg_auth_members where member = r.oid) then 'is a member of other roles' else 'plain' end from (values (1)) one left join pg_roles r on rolname = 'hello'`
const forgotten = (name: string) => [
  `postgres> select count(*) from pg_database where datname = '${name}'`,
  `postgres> alter database "${name}" is_template false;`,
  `postgres> drop database if exists "${name}" with (force);`,
]
const reading =
  'exec -i -e PGPASSFILE=/tmp/restoring.pgpass botgarden-postgres pg_restore --username=botgarden-reader --dbname=botgarden-restoring --no-owner --no-privileges --exit-on-error --single-transaction'
const read = [
  ...forgotten('botgarden-restoring'),
  'postgres> drop role if exists "botgarden-reader";',
  `postgres> create role "botgarden-reader" login nosuperuser nocreatedb nocreaterole password 'PASSWORD';`,
  'postgres> create database "botgarden-restoring" owner "botgarden-reader" template template0;',
  'postgres> revoke all on database "botgarden-restoring" from public;',
  'passwords: *:*:*:botgarden-reader:PASSWORD',
  reading,
  `as reader, botgarden-restoring> select 'public."Odd name"' || ' ' || count(*) from public."Odd name"; select 'public.users' || ' ' || count(*) from public.users;`,
]
const given = (owner: string) => [
  `botgarden-restoring> reassign owned by "botgarden-reader" to "${owner}"; drop owned by "botgarden-reader";`,
  `postgres> comment on database "botgarden-restoring" is null; select format('revoke all on database %I from %s cascade', datname, case grantee when 0 then 'public' else grantee::regrole::text end) from pg_database, aclexplode(datacl) where datname = 'botgarden-restoring' and grantee <> datdba \\gexec`,
  'postgres> alter database "botgarden-restoring" with is_template false allow_connections true connection limit -1; alter database "botgarden-restoring" reset all;',
]
const tidied = [
  'exec botgarden-postgres rm -f /tmp/restoring.pgpass',
  ...forgotten('botgarden-restoring'),
  'postgres> drop role if exists "botgarden-reader";',
]

test('a bot’s database is read beside the one that is there, counted, and changes places with it while the bot is down', async () => {
  const host = hostWith()
  const { code, output } = await restore(host, own)
  assert.is(code, 0, output)
  assert.match(
    output,
    /^a dump of the replaced database is in \/var\/lib\/botgarden\/dumps\/hello-bot\/before-restore-\d{8}-\d{6}\.1\.dump\nin \d+ s\n$/,
  )
  assert.equal(told(host), [
    ...[isPlain, ...read, ...given('hello')],
    'ps --quiet --filter label=botgarden.bot=hello-bot',
    'stop --time 20 c0ffee',
    `postgres> select count(*) from pg_database where datname = 'hello'`,
    `postgres> select format('alter database %I with is_template false allow_connections true connection limit -1', datname) from pg_database where datname = 'hello' \\gexec`,
    `postgres> select 1 from pg_prepared_xacts where database = 'hello'`,
    'exec botgarden-postgres pg_dump -U postgres -Fc hello',
    'exec -i botgarden-postgres pg_restore --file=-',
    ...forgotten('botgarden-before'),
    `postgres> select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = 'hello';`,
    `postgres> begin; alter database "hello" rename to "botgarden-before"; comment on database "botgarden-before" is 'hello'; alter database "botgarden-restoring" rename to "hello"; commit;`,
    ...forgotten('botgarden-before'),
    'start botgarden-hello-bot-green',
    ...tidied,
  ])
  assert.is(host.noted('read'), 'the dump')
  assert.equal(host.list('/var/lib/botgarden/incoming'), [])
})

test('one beside it takes a name that is free, and nobody is stopped for that', async () => {
  const host = hostWith({ there: '0\n' })
  const { code, output } = await restore(host, beside)
  assert.is(code, 0, output)
  assert.match(output, /^in \d+ s\n$/)
  const there = `postgres> select count(*) from pg_database where datname = 'hello_old'`
  const renamed = 'postgres> alter database "botgarden-restoring" rename to "hello_old";'
  assert.equal(told(host), [isPlain, there, ...read, ...given('hello'), there, renamed, ...tidied])
  const taken = hostWith()
  const { code: ended, output: said } = await restore(taken, beside)
  assert.equal([ended, said], [1, 'the database hello_old already exists: choose another name, or drop it first\n'])
  assert.equal(told(taken), [isPlain, there, ...tidied])
})

for (const [what, notes, spoil, said, last] of [
  [
    'a dump that does not read to its end',
    { broken: 'pg_restore: error: unexpected end of file\n' },
    {},
    'pg_restore: error: unexpected end of file\nthe dump cannot be restored; no existing database was changed\n',
    reading,
  ],
  [
    'other rows than were counted',
    { counts: 'public."Odd name" 1\npublic.users 3\n' },
    {},
    'the restored row counts (+) differ from those of the backup (-):\n-public.users 2\n+public.users 3\n',
    read.at(-1),
  ],
  [
    'a role that may do more',
    { verdict: 'may do more than own a database\n' },
    {},
    'the database hello would belong to the role hello, which may do more than own a database\n',
    isPlain,
  ],
  [
    'a disk with too little room',
    { free: '257\n' },
    { size: 1_048_577 },
    'the disk has 257 MiB free, and the restore needs 258 MiB: nothing was changed\n',
    'passwords: *:*:*:botgarden-reader:PASSWORD',
  ],
] as const)
  test(`${what}: it ends there, the one that is there stays, and the bot runs in the end`, async () => {
    const host = hostWith(notes)
    const { code, output } = await restore(host, own, spoil)
    assert.equal([code, output], [1, said])
    const end = ['start botgarden-hello-bot-green', ...tidied]
    assert.equal(told(host).slice(-end.length - 1), [last, ...end])
    assert.equal(host.list('/var/lib/botgarden/incoming'), [])
  })

test('a disk with just enough room will do', async () => {
  const { code, output } = await restore(hostWith({ free: '257\n' }), own, { size: 1_048_576 })
  assert.is(code, 0, output)
})

test('a bot that does not start in the end is told, however well all else went', async () => {
  const host = hostWith({ stuck: '' })
  const { code, output } = await restore(host, own)
  assert.is(code, 1)
  assert.match(output, /\nin \d+ s\nits container does not start: run site\.ts\n$/)
})

/** The same, asked of the server of a trial. */
const tried = (line: string) =>
  line.includes('> ')
    ? line.replace(/^(as reader, )?/, '$1drill, ')
    : line.replace('botgarden-postgres pg_restore', 'botgarden-drill pg_restore')

// Of 1024 MB that are free, 160 are the server's work and 128 are left to the bots.
const started =
  'run --detach --name botgarden-drill --network none --user 999:999 --cap-drop ALL --security-opt no-new-privileges --read-only --memory 896m --memory-swap 896m --pids-limit 100 --shm-size 64m --tmpfs /var/lib/postgresql:size=736m,mode=0700,uid=999,gid=999 --tmpfs /run/postgresql:mode=0775,uid=999,gid=999 --tmpfs /tmp:size=16m,mode=1777 --env PGDATA=/var/lib/postgresql/drill --env POSTGRES_HOST_AUTH_METHOD=trust --env POSTGRES_PASSWORD=unused --env POSTGRES_INITDB_ARGS=--no-sync --wal-segsize=4 --locale-provider=builtin --builtin-locale=C.UTF-8 postgres:here -c fsync=off -c listen_addresses= -c shared_buffers=32MB -c max_connections=10 -c wal_level=minimal -c max_wal_senders=0 -c min_wal_size=8MB -c max_wal_size=32MB'

test('a trial has a server of its own, in memory, with a role of the name, and nothing of it is left', async () => {
  const host = hostWith()
  host.program('docker', `case "$*" in *'head -n 1'*) echo 1; exit ;; esac\n${docker}`)
  const { code, output } = await restore(host, trial)
  assert.is(code, 0, output)
  assert.equal(told(host), [
    'rm -f --volumes botgarden-drill',
    'container inspect --format {{.Config.Image}} botgarden-postgres',
    started,
    'exec botgarden-drill pg_isready --quiet',
    ...['postgres> create role "hello";', ...read, ...given('hello')].map(tried),
    'rm -f --volumes botgarden-drill',
  ])
  assert.equal(host.list('/var/lib/botgarden/incoming'), [])
})

for (const [what, memory, size, said] of [
  ['no memory for a trial', 351, 1, 'a drill runs its server in memory and needs 352 MiB; 351 MiB are free\n'],
  ['just enough memory for a trial', 352, 64 * 2 ** 20, ''],
  [
    'a dump of more than that',
    352,
    64 * 2 ** 20 + 1,
    'the database hello does not fit into the memory of a drill, 64 MiB: test it on the disk with restore.ts --name NAME --as NEW\n',
  ],
] as const)
  test(`${what} ${said === '' ? 'is enough' : 'is told before anything begins'}`, async () => {
    const host = hostWith()
    host.program('docker', `case "$*" in *'head -n 1'*) echo 1; exit ;; esac\n${docker}`)
    host.write('/proc/meminfo', `MemAvailable: ${memory * 1024} kB\n`)
    const { code, output } = await restore(host, trial, { size })
    if (said === '') assert.is(code, 0, output)
    else assert.equal([code, output], [1, said])
    if (said !== '') assert.not.ok(told(host).some((line) => line.startsWith('run ')))
  })

for (const [what, notes, said] of [
  ['has no room there', { log: 'No space left on device\n' }, /does not fit into the memory of a drill, 736 MiB: /],
  ['is wrong', {}, /^x\nthe dump cannot be restored; no existing database was changed\n$/],
] as const)
  test(`a dump of a trial that ${what} is told so`, async () => {
    const host = hostWith({ broken: 'x\n', ...notes })
    host.program('docker', `case "$*" in *'head -n 1'*) echo 1; exit ;; esac\n${docker}`)
    const { code, output } = await restore(host, trial)
    assert.is(code, 1)
    assert.match(output, said)
  })

test('the server’s own database is tried as a role that could be nobody’s', async () => {
  const host = hostWith()
  host.program('docker', `case "$*" in *'head -n 1'*) echo 1; exit ;; esac\n${docker}`)
  const { code, output } = await restore(host, { ...trial, database: 'postgres' }, { database: 'postgres' })
  assert.is(code, 0, output)
  assert.ok(told(host).includes('drill, postgres> create role "botgarden-owner";'))
  assert.ok(told(host).includes(`drill, ${given('botgarden-owner')[0]}`))
})

test('where no database of that name is there, the new one gets the name', async () => {
  const host = hostWith({ there: '0\n' })
  const { code, output } = await restore(host, own)
  assert.is(code, 0, output)
  assert.equal(told(host), [
    ...[isPlain, ...read, ...given('hello')],
    ...['ps --quiet --filter label=botgarden.bot=hello-bot', 'stop --time 20 c0ffee'],
    `postgres> select count(*) from pg_database where datname = 'hello'`,
    'postgres> alter database "botgarden-restoring" rename to "hello";',
    ...['start botgarden-hello-bot-green', ...tidied],
  ])
})

test('a database without tables is compared as well, and is as empty as it was', async () => {
  const { code, output } = await restore(hostWith({ counts: '' }), own, { tables: {} })
  assert.is(code, 0, output)
  assert.is((await restore(hostWith(), own, { tables: {} })).code, 1)
})

test('a bot that was never released is not started in the end', async () => {
  const host = hostWith({ broken: 'x\n' })
  await host.run('rm /var/lib/botgarden/bots/hello-bot/current.json')
  assert.is((await restore(host, own)).code, 1)
  assert.not(told(host).some((line) => line.startsWith('start ')))
})

test('an orderly reboot has the bot start before the restore ends', async () => {
  const host = hostWith()
  host.program('docker', `case "$*" in *pg_dump*) kill -TERM $PPID ;; esac\n${docker}`)
  assert.is((await restore(host, own)).code, 143)
  const end = ['start botgarden-hello-bot-green', ...tidied]
  assert.equal(told(host).slice(-end.length), end)
  assert.not(told(host).some((line) => line.includes('rename to')))
})

test('a dump that needs more of the disk than it has is ended while it is read', async () => {
  const host = hostWith({ free: '300\n200\n' })
  host.program(
    'df',
    'echo Avail; sed -n 1p "$STATE/free"; [ "$(wc -l <"$STATE/free")" = 1 ] || sed -i 1d "$STATE/free"',
  )
  // Until its session is ended.
  const reads = `for look in $(/usr/bin/seq 200); do ! grep -q pg_terminate "$STATE/told" || exit 1; /bin/sleep 0.05; done`
  host.program('docker', `case "$*" in *'pg_restore --username'*) ${reads} ;; esac\n${docker}`)
  const { code, output } = await restore(host, own)
  assert.is(code, 1)
  assert.match(output, /^the disk would be full: 256 MiB must stay free\nthe dump cannot be restored; /)
  assert.not(told(host).some((line) => /^stop |pg_dump|rename to/.test(line)))
})

test('a manifest with a table that cannot be one is refused', () => {
  const tables = { 'users; drop table users': 1 }
  assert.throws(() => restoreScript(own, { ...part, tables }, dump), /has an invalid table name/)
})

test.run()
