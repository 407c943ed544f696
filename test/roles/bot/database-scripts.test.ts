// What the host runs for the database of a bot, in a real shell: reading its contents, and filling it from a script or a dump.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { databaseContents } from '../../../roles/bot/database/contents.ts'
import { loadDatabase } from '../../../roles/bot/database/fill.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { bare, deployment, resourcesOf } from '../../support/hello-bot.ts'
import { changesOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const record = (database: object | undefined) =>
  `${JSON.stringify({ id: '1', colour: 'blue', by: 'me', secrets: {}, spec: specOf('a:1', {}, database ? { database } : {}) })}\n`

test('the contents of a database are asked for where a release has extensions, or a deployment needs them; else nothing runs', async () => {
  const host = scratchHost()
  host.container('botgarden-postgres')
  const path = (bot: string) => `/var/lib/botgarden/bots/${bot}/current.json`
  host.write(path('plain-bot'), record(undefined))
  const { kind } = databaseContents('plain-bot', { always: false })
  const asked = async (...names: string[]) => (await host.run(kind.script(names), { args: [] })).calls
  assert.equal(await asked('plain-bot', 'no-bot'), [])
  host.write(path('shop-bot'), record({ extensions: ['pg_trgm'] }))
  const calls = await asked('plain-bot', 'shop-bot', 'new-bot always')
  assert.is(calls.filter((line) => line.startsWith('docker ')).length, 1)
  assert.match(calls.join('\n'), /^docker exec -i botgarden-postgres sh -c [\s\S]* contents shop-bot new-bot$/)
})

test('what it says is told apart by bot, and none is known where the server does not answer', () => {
  const { kind } = databaseContents('a', { always: false })
  const found = { oid: 16_384, objects: 2, extensions: ['pg_trgm', 'plpgsql'] }
  const said = `trusted ["pg_trgm"]\ncontents shop_bot ${JSON.stringify(found)}\n`
  assert.equal(
    [...kind.parse(said, ['shop-bot', 'new-bot always'])],
    [
      ['shop-bot', { trusted: ['pg_trgm'], database: found }],
      ['new-bot always', { trusted: ['pg_trgm'], database: undefined }],
    ],
  )
  assert.equal(kind.parse('trusted ', ['a']).get('a'), { trusted: undefined, database: undefined })
})

/** The container of a client, whose psql keeps what it is given: a query says that nothing is in the database. */
function client(file: string, objects = 0): ScratchHost {
  const host = scratchHost({
    psql: `case "$*" in
      *--single-transaction*) for last; do :; done; cat -- "$([ "$last" = - ] && echo /dev/stdin || echo "$last")" >"$STATE/sql"; [ ! -e "$STATE/broken" ] || exit 3 ;;
      *'count(*) from pg_class'*) echo ${objects} ;;
      *oid::int8*) echo 'oid 16400' ;;
      *pg_tables*) echo 'select rows' ;;
      *) cat >/dev/null; echo 'rows public.a 3' ;;
      esac`,
    pg_restore: `case "$1" in --list) printf '%s\\n' '1; 0 0 TABLE public a x' '2; 0 0 COMMENT - EXTENSION pg_trgm ' ;; esac`,
  })
  host.write('/opt/import', file)
  return host
}
const load = (host: ScratchHost, kind: string) =>
  host.run(
    `PGDATABASE=hello_bot; set -- ${kind} /opt/import\n${loadDatabase.text.replaceAll('/tmp/list', '"$STATE/kept"')}`,
  )

const dumped = String.raw`--
-- PostgreSQL database dump
--
\restrict abcDEF123
SET statement_timeout = 0;
CREATE TABLE public.a (t text);
ALTER TABLE public.a OWNER TO someone;
COMMENT ON EXTENSION pg_trgm IS 'x';
COPY public.a (t) FROM stdin;
GRANT ALL ON TABLE public.a TO someone;
\\restrict abc
\.
GRANT ALL ON TABLE public.a TO someone;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT ALL ON TABLES TO y;
\unrestrict abcDEF123
`

test('of a dump the owners, grants and psql’s own words of the old server are left out, and no line of its data', async () => {
  const host = client(dumped)
  const { code, stdout, output, calls } = await load(host, 'plain')
  assert.is(code, 0, output)
  const read = host.noted('sql').split('\n')
  const before = dumped.split('\n')
  assert.is(read.length, before.length, 'a line stays a line')
  const left = before.filter((_, i) => read[i] === '--' && before[i] !== '--')
  assert.equal(left, [
    String.raw`\restrict abcDEF123`,
    'ALTER TABLE public.a OWNER TO someone;',
    `COMMENT ON EXTENSION pg_trgm IS 'x';`,
    ...before.slice(12, 15),
    String.raw`\unrestrict abcDEF123`,
  ])
  assert.ok(read.includes(String.raw`\\restrict abc`) && read.includes('GRANT ALL ON TABLE public.a TO someone;'))
  assert.is(stdout, 'oid 16400\nrows public.a 3\n')
  // Restricted before anything is read, by a key of its own each time.
  const restricted = calls.find((call) => call.includes('--single-transaction')) ?? ''
  assert.match(restricted, /-v ON_ERROR_STOP=1 -c \\restrict [A-Za-z0-9]{30,} -f -$/)
})

test('a script is run as it is, restricted as well', async () => {
  const host = client(dumped)
  const { code, calls } = await load(host, 'init')
  assert.is(code, 0)
  assert.is(host.noted('sql'), dumped)
  assert.match(
    calls.find((call) => call.includes('--single')) ?? '',
    /\\restrict [A-Za-z0-9]{30,} -f \S*\/opt\/import$/,
  )
})

test('an archive is restored without owners, grants and what only a superuser may say', async () => {
  const host = client('PGDMP')
  const { code, output, calls } = await load(host, 'archive')
  assert.is(code, 0, output)
  assert.is(host.noted('kept'), '1; 0 0 TABLE public a x\n')
  const options = '--no-owner --no-acl --exit-on-error --single-transaction --use-list'
  assert.match(calls.join('\n'), new RegExp(`^pg_restore ${options} \\S+/kept --dbname hello_bot \\S+/import$`, 'm'))
})

test('a database that has something in it by then is left alone, and so is one whose dump does not read', async () => {
  const full = client(dumped, 2)
  const { code, output } = await load(full, 'plain')
  assert.is(code, 1)
  assert.match(output, 'the database is not empty any more')
  assert.is(full.noted('sql'), '')
  const broken = client(dumped)
  broken.note('broken', '')
  const failed = await load(broken, 'plain')
  assert.is(failed.code, 1)
  assert.match(failed.output, 'no pg_dumpall, no --create')
  assert.not.match(failed.stdout, 'rows')
})

test('half of a dump is not committed: its transaction is made to fail', async () => {
  const host = client(dumped)
  host.program('awk', 'head -n 5; exit 2')
  await load(host, 'plain')
  assert.match(host.noted('sql'), /\n\\\.\nselect 1\/0;\n$/)
})

/** A host with a server, and the change that runs a script in a new database there. */
function initialising(run: string) {
  const initScript = { name: 'init.sql', sql: 'create table a ();\n', checksum: 'c'.repeat(64) }
  const state = { ...bare, 'database-contents:hello-bot always': { trusted: [], database: undefined } }
  const changes = changesOf(resourcesOf(deployment({}, { initScript })), state)
  const script = changes.find(({ summary }) => summary.startsWith('run'))?.script.text ?? ''
  const host = scratchHost({ df: `printf 'Avail\\n%s\\n' "$(cat "$STATE/free" 2>/dev/null || echo 900)"` })
  host.folder('/var/lib/botgarden/bots')
  host.container('botgarden-postgres')
  host.note('docker', `case "$1" in run) ${run} ;; esac`)
  return { host, script, initScript }
}

test('the client has its file as the bot’s user, keeps what came of it, and leaves nothing', async () => {
  const { host, script, initScript } = initialising(`echo 'oid 7'`)
  const { code, output, calls } = await host.run(
    script.replace('docker run', 'cat "$source" >"$STATE/read"; docker run'),
  )
  assert.is(code, 0, output)
  assert.is(host.noted('read'), initScript.sql)
  assert.is(host.read('/var/lib/botgarden/bots/hello-bot/filled'), `init ${initScript.checksum}\noid 7\n`)
  assert.equal(host.list('/var/lib/botgarden/bots/hello-bot'), ['filled'])
  assert.ok(calls.some((call) => call.startsWith('chown 20001:20001')))
  assert.ok(
    calls.some((call) => call.startsWith('docker run --rm --name botgarden-hello-bot-client --user 20001:20001')),
  )
})

for (const [what, free, run, said] of [
  ['that fails', 900, 'exit 3', 'nothing was read into the database: it is as empty as it was'],
  // It is ended from outside, as the engine ends it when its container is removed.
  ['that would fill the disk', 255, '/bin/sleep 1; exit 137', 'the disk would be full: 256 MiB must stay free'],
] as const)
  test(`of a script ${what} nothing is kept`, async () => {
    const { host, script } = initialising(run)
    host.note('free', `${free}`)
    const { code, output, calls } = await host.run(script)
    assert.is(code, 1)
    assert.match(output, said)
    const ended = calls.filter((call) => call === 'docker rm -f --volumes botgarden-hello-bot-client')
    assert.ok(free > 256 ? ended.length === 2 : ended.length > 2, `${ended.length}`)
    assert.equal(host.list('/var/lib/botgarden/bots/hello-bot'), [])
  })

test.run()
