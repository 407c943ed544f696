// What a restore of one database does to a host, run in a real sh with stand-ins for docker and the server.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { restoreScript } from '../../../commands/restore/database-script.ts'
import type { DatabasePart, Order } from '../../../commands/restore/order.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const dump = '/var/lib/botgarden/incoming/hello.dump'
const part: DatabasePart = {
  ...{ kind: 'database', file: 'x.age', size: 1, sha256: '0'.repeat(64) },
  encrypted: { size: 1, sha256: '0'.repeat(64) },
  ...{ database: 'hello', owner: 'hello', tables: { 'public.users': 2, 'public."Odd name"': 1 } },
}
const script = (order: Partial<Order>, more: Partial<DatabasePart> = {}) =>
  restoreScript(
    { database: 'hello', ofBot: false, bot: undefined, target: undefined, ...order },
    { ...part, ...more },
    dump,
  )
const counts = 'public."Odd name" 1\\npublic.users 2\\n'

/** A host whose server answers so, and where a green version of the bot serves. */
function hostWith({ rows = counts, exists = 1, colour = 'green' } = {}): ScratchHost {
  const host = scratchHost({ df: 'echo Avail; echo 5000' })
  for (const name of ['postgres', 'hello-bot-green']) host.container(`botgarden-${name}`)
  host.write(dump, 'DUMP of hello\n')
  const release = { id: '1', spec: { environment: { X: '"colour":"blue"' } }, colour, by: 'me' }
  if (colour) host.write('/var/lib/botgarden/bots/hello-bot/current.json', `${JSON.stringify(release)}\n`)
  host.note('docker', 'case $1 in ps) echo botgarden-hello-bot-green; exit ;; esac\n')
  host.note(
    'answer',
    `text=$(cat)
    printf '%s\\n' "$text" | sed 's/^/sql /' >>"$STATE/calls"
    case $text in *public.users*) printf '${rows}' ;; *rolsuper*) echo plain ;; *'count(*) from pg_database'*) echo ${exists} ;; esac\n`,
  )
  return host
}

/** What the calls of a restore come to, in their order. */
const stepNames: [step: string, call: RegExp][] = [
  ['ask for the owner', /^sql .* rolname = 'hello'$/],
  ['start the throwaway server', /^docker run .*--name botgarden-drill --network none /],
  ['make the reader', /^sql create role "botgarden-reader" login nosuperuser nocreatedb nocreaterole password '\S+';$/],
  ['make its database', /^sql create database "botgarden-restoring" owner "botgarden-reader" template template0;$/],
  ['read the dump', /^docker exec .* pg_restore --username=botgarden-reader --dbname=botgarden-restoring /],
  ['count the rows', /^docker exec .* psql .* -U botgarden-reader -d botgarden-restoring$/],
  ['give it to the owner', /^sql reassign owned by "botgarden-reader" to "hello"; drop owned by "botgarden-reader";$/],
  ['stop the bot', /^docker stop --time 20 botgarden-hello-bot-green$/],
  ['dump what is there', /^docker exec botgarden-postgres pg_dump -U postgres -Fc hello$/],
  ['end its sessions', /^sql select count\(pg_terminate_backend\(pid\)\) .* datname = 'hello';$/],
  ['rename what is there', /^sql alter database "hello" rename to "botgarden-before";$/],
  ['rename what was read', /^sql alter database "botgarden-restoring" rename to "hello(_old)?";$/],
  ['drop what was there', /^sql drop database if exists "botgarden-before" with \(force\);$/],
  ['start the bot', /^docker start botgarden-hello-bot-green$/],
  ['remove the throwaway server', /^docker rm -f --volumes botgarden-drill$/],
]

function stepsOf(calls: readonly string[]): string[] {
  return calls.flatMap((call) => stepNames.filter(([, pattern]) => pattern.test(call)).map(([step]) => step))
}

const inPlace = { target: 'hello', bot: 'hello-bot', ofBot: true }
const reading = ['make the reader', 'make its database', 'read the dump', 'count the rows', 'give it to the owner']

test('the database that is there is touched once what was read has been compared, and is dumped before', async () => {
  const host = hostWith()
  const { code, output, calls } = await host.run(script(inPlace))
  assert.is(code, 0, output)
  assert.equal(stepsOf(calls), [
    ...[
      'ask for the owner',
      ...reading,
      'stop the bot',
      'dump what is there',
      'drop what was there',
      'end its sessions',
    ],
    ...['rename what is there', 'rename what was read', 'drop what was there', 'start the bot'],
  ])
  const begin = calls.indexOf('sql begin;')
  assert.equal(calls.slice(begin, calls.indexOf('sql commit;') + 1), [
    'sql begin;',
    'sql alter database "hello" rename to "botgarden-before";',
    `sql comment on database "botgarden-before" is 'hello';`,
    'sql alter database "botgarden-restoring" rename to "hello";',
    'sql commit;',
  ])
  const [taken = '', ...others] = host.list('/var/lib/botgarden/dumps/hello-bot')
  assert.match(taken, /^before-restore-\d{8}-\d{6}\.1\.dump$/)
  assert.equal(others, [])
  assert.match(output, `what was there is in /var/lib/botgarden/dumps/hello-bot/${taken}\n`)
  assert.equal(host.list('/var/lib/botgarden/incoming'), [])
})

test('where no database of that name is there, the new one gets the name', async () => {
  const { code, output, calls } = await hostWith({ exists: 0 }).run(script(inPlace))
  assert.is(code, 0, output)
  const steps = ['ask for the owner', ...reading, 'stop the bot', 'rename what was read', 'start the bot']
  assert.equal(stepsOf(calls), steps)
})

test('under another name a database is restored beside, and its bot goes on', async () => {
  const host = hostWith({ exists: 0 })
  const { code, output, calls } = await host.run(script({ ...inPlace, target: 'hello_old', bot: undefined }))
  assert.is(code, 0, output)
  assert.equal(stepsOf(calls), ['ask for the owner', ...reading, 'rename what was read'])
  assert.not(calls.some((call) => /^docker (stop|start|ps) /.test(call)))
  const taken = await hostWith({ exists: 1 }).run(script({ ...inPlace, target: 'hello_old', bot: undefined }))
  assert.is(taken.code, 1)
  assert.match(taken.output, 'there is a database hello_old already')
  assert.equal(stepsOf(taken.calls), ['ask for the owner'])
})

test('a drill reads the dump in a server of its own, which is gone then', async () => {
  const host = hostWith()
  host.write('/proc/meminfo', 'MemAvailable: 2000000 kB\n')
  host.note('docker', 'case "$*" in *postmaster.pid*) echo 1; exit ;; esac\n')
  const { code, output, calls } = await host.run(script({ ofBot: true }))
  assert.is(code, 0, output)
  const gone = 'remove the throwaway server'
  assert.equal(stepsOf(calls), [gone, 'start the throwaway server', ...reading, gone])
  assert.not(calls.some((call) => /^docker exec .*botgarden-postgres/.test(call)))
  assert.equal(host.containers(), ['botgarden-hello-bot-green running always', 'botgarden-postgres running always'])
  assert.equal(host.list('/var/lib/botgarden/incoming'), [])
})

test('a dump is read by a role that owns the new database, and is given nothing else', async () => {
  for (const order of [inPlace, { target: 'hello_new' }, {}]) {
    const host = hostWith({ exists: order === inPlace ? 1 : 0 })
    host.write('/proc/meminfo', 'MemAvailable: 2000000 kB\n')
    const { code, output, calls } = await host.run(script(order))
    assert.is(code, 0, output)
    const writing = calls.filter((call) => / pg_restore .*--dbname/.test(call))
    assert.is(writing.length, 1)
    assert.match(
      writing[0] ?? '',
      /PGPASSFILE=\/tmp\/restoring\.pgpass .* --username=botgarden-reader .*--single-transaction$/,
    )
    assert.not(calls.some((call) => /^sql .*\bgrant /i.test(call)))
    // Nor is it left there.
    if (order !== inPlace && !('target' in order)) continue
    assert.is(calls.at(-1), 'sql drop role if exists "botgarden-reader";')
    assert.ok(calls.includes('docker exec botgarden-postgres rm -f /tmp/restoring.pgpass'))
  }
})

test('a database without tables is compared as well, and is as empty as it was', async () => {
  const { code, output, calls } = await hostWith({ rows: '' }).run(script(inPlace, { tables: {} }))
  assert.is(code, 0, output)
  assert.ok(stepsOf(calls).includes('count the rows'))
})

for (const [what, colour, failing, started] of [
  ['the version that is recorded runs in the end, though nothing has stopped it', 'green', [], true],
  ['a version that does not start is told', 'green', ['start botgarden-hello-bot'], true],
  ['a bot that was never released is not started', '', [], false],
] as const)
  test(`other rows than were counted leave the database and the bot as they were: ${what}`, async () => {
    const host = hostWith({ rows: 'public."Odd name" 0\\npublic.users 2\\n', colour })
    host.fails(...failing)
    const { code, output, calls } = await host.run(script(inPlace))
    assert.is(code, 1)
    assert.match(output, 'not the rows that were counted')
    assert.match(output, '\n-public."Odd name" 1\n+public."Odd name" 0\n')
    const before = ['ask for the owner', ...reading.slice(0, -1)]
    assert.equal(stepsOf(calls), started ? [...before, 'start the bot'] : before)
    assert.is(output.includes('its container does not start'), failing.length > 0)
    assert.equal(host.list('/var/lib/botgarden/incoming'), [])
  })

test('a reboot that ends a restore in order has the bot start before', async () => {
  const host = hostWith()
  host.note('answer', `${host.noted('answer')}\ncase $text in *pg_terminate*) kill -TERM $PPID ;; esac\n`)
  const { code, calls } = await host.run(script(inPlace))
  assert.is(code, 143)
  const steps = stepsOf(calls)
  assert.equal(steps.slice(-2), ['end its sessions', 'start the bot'])
  assert.ok(host.containers().includes('botgarden-hello-bot-green running always'))
})

for (const [what, order, size, said, begun] of [
  ['a drill of more than the memory holds', {}, 2 ** 50, 'is too large for the memory that a drill has', false],
  ['a dump larger than the disk', inPlace, 2 ** 50, 'too little to restore beside what is there', false],
  [
    'a dump that unfolds to more than the disk holds',
    inPlace,
    1,
    'the disk would be full: 256 MB of it are to stay free',
    true,
  ],
] as const)
  test(`${what} ends before the database is touched, and says why`, async () => {
    const host = hostWith()
    host.write('/proc/meminfo', 'MemAvailable: 2000000 kB\n')
    // There is room when that is asked first. The dump is read until its session is ended.
    host.note('free', begun ? '300\n200\n' : '5000\n')
    host.program(
      'df',
      'echo Avail; head -n 1 "$STATE/free"; [ "$(wc -l <"$STATE/free")" = 1 ] || sed -i 1d "$STATE/free"',
    )
    host.note(
      'docker',
      'case "$*" in *pg_restore*) for look in $(/usr/bin/seq 200); do [ ! -e "$STATE/ended" ] || exit 1; /bin/sleep 0.05; done ;; esac\n',
    )
    host.note('answer', `${host.noted('answer')}\ncase $text in *pg_terminate*) : >"$STATE/ended" ;; esac\n`)
    const { code, output, calls } = await host.run(script(order, { size }))
    assert.is(code, 1)
    assert.match(output, said)
    assert.is(stepsOf(calls).includes('read the dump'), begun)
    assert.not(stepsOf(calls).some((step) => /^(stop|rename|dump|drop)/.test(step)))
    assert.not(calls.some((call) => call.startsWith('docker run ')))
    assert.equal(host.list('/var/lib/botgarden/incoming'), [])
  })

test('a table that cannot be one comes from a manifest that nobody should follow', () => {
  assert.throws(() => script(inPlace, { tables: { 'users; drop table users': 1 } }), /names a table that cannot be one/)
})

test.run()
