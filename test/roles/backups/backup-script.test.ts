// The program that takes a backup on its host, run in a real sh with stand-ins for the server and for age.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { backups } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'
import { sha256 } from '../../support/sha256.ts'

const home = '/opt/botgarden/backups'
const store = '/var/lib/botgarden/backups'
const dumps: Record<string, string> = {
  hello: `COPY public.users (id, name) FROM stdin;\n1\tsecret-of-one\n2\ttwo\n\\.\n\nCOPY public."Odd (x)" (id) FROM stdin;\n\\.\n\n-- PostgreSQL database dump complete\n`,
  other: `-- PostgreSQL database dump complete\n`,
}
const globals = 'CREATE ROLE hello;\n-- PostgreSQL database cluster dump complete\n'

/** What the server's tools answer: dumps are plain text here, and encrypted is every sign moved by one. */
const server = `
database=$(printf '%s\\n' "$@" | sed -n 's/^PGDATABASE=//p')
case "$*" in
*json_build_object*) printf '%s\\n' '{"kind":"database","database":"hello","owner":"hello","file":"database-hello.dump.age"}' '{"kind":"database","database":"other","owner":"other","file":"database-other.dump.age"}' ;;
*server_version*) echo 18.6 ;;
*pg_dumpall*) cat "$STATE/globals" ;;
*pg_dump*) cat "$STATE/dump-$database" ;;
*pg_restore*) cat ;;
esac
exit
`
const keys = mkdtempSync(join(tmpdir(), 'backup-taken-'))
test.after(() => rmSync(keys, { recursive: true }))
execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(keys, 'key')])
/** What the host signs with. */
const signingKey = readFileSync(join(keys, 'key'), 'utf8')

const free = '500000000000'

function hostWith(vars: object = {}): ScratchHost {
  const host = scratchHost({
    age: `tr ' -~' '!-~ '`,
    df: `printf '%s\\n' 'Avail 1B-blocks' "$(cat "$STATE/free") 1000000000000"`,
    ionice: 'while [ "$1" != nice ]; do shift; done; exec "$@"',
    seq: 'echo 1',
  })
  host.note('free', free)
  host.note('docker', server)
  for (const [name, text] of Object.entries(dumps)) host.note(`dump-${name}`, text)
  host.note('globals', globals)
  const settings = v.parse(backups.vars, {
    recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'],
    ...vars,
  })
  const files = backups.resources(settings, facts, entry)
  for (const { id, wants } of files.filter((each) => each.id.startsWith(`file:${home}/`))) {
    const { content } = wants as { content: string }
    host.install(id.replace('file:', ''), content.replaceAll('cd / &&', `cd ${host.root} &&`))
  }
  host.folder(store)
  host.write('/proc/uptime', '1000.00 1\n')
  host.write('/etc/botgarden/secrets/backup-signing-key', signingKey, 0o600)
  host.write('/etc/botgarden/secrets/bots/hello/token', 'a-token-that-is-secret', 0o400)
  host.write('/var/lib/botgarden/allocations', 'hello 1\n')
  host.write('/etc/shadow', 'root:not-ours\n')
  return host
}
const take = (host: ScratchHost, ...args: string[]) => host.run(`umask 022; ${home}/backup ${args.join(' ')}`)
const taken = (host: ScratchHost) => host.list(store).filter((name) => !name.startsWith('.'))
const status = (host: ScratchHost, name = 'status') => JSON.parse(host.read(`${home}/${name}.json`))
const bytesOf = (host: ScratchHost, path: string) => readFileSync(`${host.root}${path}`)
/** As it was before it was encrypted. */
const opened = (bytes: Buffer) => execFileSync('tr', ['!-~ ', ' -~'], { input: bytes })
const manifestOf = (host: ScratchHost, name: string) => JSON.parse(host.read(`${store}/${name}/manifest.json`))

// Taken once, for all that look at a good one, or need one before theirs.
const alerting = { command: 'cat >>"$STATE/alerted"', url: 'https://alert.example.org/secret' }
const whole = hostWith({ alert: alerting })
const first = await take(whole)
const quiet = whole.noted('alerted')

test('a backup: every database, the roles and the files, each counted, summed and encrypted', () => {
  const host = whole
  const { code, output } = first
  assert.is(code, 0, output)
  const [name = '', ...more] = taken(host)
  assert.equal([output, more], [`taken: ${name}\n`, []])
  assert.match(name, /^\d{4}-\d\d-\d\dT\d{6}Z$/)
  const folder = `${store}/${name}`
  const files = ['database-hello.dump.age', 'database-other.dump.age', 'files.tar.age', 'globals.sql.age']
  assert.equal(
    host.list(folder).filter((file) => file.endsWith('.age')),
    files,
  )
  const manifest = manifestOf(host, name)
  assert.equal(
    [manifest.format, manifest.host, manifest.only, manifest.server, manifest.warnings],
    [1, 'vps1', null, '18.6', []],
  )
  assert.is(manifest.time, name.replace(/(\d\d)(\d\d)Z$/, ':$1:$2Z'))
  assert.equal(manifest.recipients, ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'])
  const parts = new Map(manifest.parts.map((part: { file: string }) => [part.file, part])) as Map<
    string,
    Record<string, unknown>
  >
  assert.equal([...parts.keys()].sort(), files)
  for (const [file, part] of parts) {
    const bytes = bytesOf(host, `${folder}/${file}`)
    const plain = opened(bytes)
    assert.equal(
      [part.size, part.sha256, part.encrypted],
      [plain.length, sha256(plain), { size: bytes.length, sha256: sha256(bytes) }],
      file,
    )
    assert.is(host.mode(`${folder}/${file}`), '600')
  }
  const hello = parts.get('database-hello.dump.age')
  assert.equal(
    [hello?.kind, hello?.database, hello?.owner, hello?.tables],
    ['database', 'hello', 'hello', { 'public.users': 2, 'public."Odd (x)"': 0 }],
  )
  assert.equal(parts.get('database-other.dump.age')?.tables, {})
  assert.is(parts.get('globals.sql.age')?.kind, 'globals')
  assert.is(String(opened(bytesOf(host, `${folder}/globals.sql.age`))), globals)
  const archived = execFileSync('tar', ['-t'], { input: opened(bytesOf(host, `${folder}/files.tar.age`)) })
    .toString()
    .split('\n')
  for (const path of ['etc/botgarden/secrets/bots/hello/token', 'var/lib/botgarden/allocations'])
    assert.ok(archived.includes(path), path)
  assert.not.ok(archived.some((path) => /shadow|opt\/botgarden\/backups|var\/lib\/botgarden\/backups/.test(path)))
  const sums = host
    .read(`${folder}/SHA256SUMS`)
    .trim()
    .split('\n')
    .map((line) => line.split('  '))
  for (const [sum, file] of sums) assert.is(sum, sha256(bytesOf(host, `${folder}/${file}`)), file)
  assert.ok([...files, 'manifest.json'].every((file) => sums.some(([, each]) => each === file)))
  const { result, lastGood, bytes, reason, warnings } = status(host)
  assert.equal([result, lastGood, bytes > 0, reason, warnings], ['ok', name, true, '', []])
  assert.equal(
    host.list('/run').filter((each) => each.startsWith('botgarden-backup')),
    [],
  )
})

test('what is secret reaches the disk encrypted, and no mode lets others read it', async () => {
  const host = whole
  const { stdout } = await host.run(`grep -rl -e secret-of-one -e a-token-that ${store} ${home} /run || :`)
  assert.is(stdout, '')
  assert.is((await host.run(`find ${store} -mindepth 1 -perm /077 | grep . || :`)).stdout, '')
})

test('one database alone, as a series of its own', async () => {
  const host = hostWith()
  const { code, output } = await take(host, '--only', 'hello')
  assert.is(code, 0, output)
  const [name = ''] = taken(host)
  assert.match(name, /^\d{4}-\d\d-\d\dT\d{6}Z-hello$/)
  assert.is(manifestOf(host, name).only, 'hello')
  assert.equal(
    manifestOf(host, name).parts.map(({ file }: { file: string }) => file),
    ['database-hello.dump.age'],
  )
  assert.is(status(host, 'status-hello').lastGood, name)
  assert.not.ok(host.there(`${home}/status.json`))
  const none = await take(host, '--only', 'nobody')
  assert.is(none.code, 1)
  assert.match(none.output, /^failed: there is no database "nobody": there are hello other ?\n$/)
})

for (const [args, said] of [
  [['--only', '../x'], /^not the name of a database: \.\.\/x\n$/],
  [['--frequently'], /^unknown: --frequently\n$/],
] as const)
  test(`refuses ${args.join(' ')}`, async () => {
    const { code, output } = await take(hostWith(), ...args)
    assert.is(code, 1)
    assert.match(output, said)
  })

test('two at once: the second says so, or waits', async () => {
  const host = hostWith()
  const busy = await host.run(`exec 8>>${home}/lock; flock 8; ${home}/backup`)
  assert.equal([busy.code, busy.output], [75, 'another backup is under way\n'])
  assert.equal(taken(host), [])
  const waited = await host.run(
    `(exec 8>>${home}/lock; flock 8; touch ${home}/held; /bin/sleep 0.3) & while [ ! -e ${home}/held ]; do /bin/sleep 0.01; done; ${home}/backup --wait --only hello`,
  )
  assert.is(waited.code, 0, waited.output)
})

for (const [what, spoil, said] of [
  [
    'a server that is gone',
    (host: ScratchHost) => host.note('docker', 'echo "no such container" >&2; exit 1'),
    /the databases cannot be listed: no such container/,
  ],
  [
    'a disk that is too full',
    (host: ScratchHost) => host.note('free', '149999999999'),
    /the disk of \/var\/lib\/botgarden\/backups is too full to begin: 14 % free, and minFree asks for 15 %/,
  ],
] as const)
  test(`${what} is told with its reason, in the status and to whoever is to be alerted, and the last good one stays`, async () => {
    const host = whole
    const [good = ''] = taken(host)
    host.note('alerted', '')
    host.write(`${store}/.partial-of-a-cut-one/x`, '')
    spoil(host)
    const { code, output, calls } = await take(host)
    host.note('docker', server)
    host.note('free', free)
    assert.is(code, 1)
    assert.match(output, said)
    assert.equal(host.list(store), [good])
    const { result, lastGood, reason } = status(host)
    assert.equal([result, lastGood], ['failed', good])
    assert.match(reason, said)
    assert.match(host.noted('alerted'), /^botgarden: backup of vps1 FAILED: /)
    assert.match(host.noted('alerted'), said)
    assert.ok(calls.some((call) => call.startsWith('curl https://alert.example.org/secret')))
  })

test('what cannot be alerted is said, and changes nothing else', async () => {
  const host = hostWith({ alert: { command: 'exit 3' } })
  host.note('free', '1')
  const { code, output } = await take(host)
  assert.is(code, 1)
  assert.match(output, 'the alert command failed')
  assert.is(quiet, '', 'nobody is told of a good one')
})

test('old ones go by the rule, and only once a new one is there', async () => {
  const host = hostWith({ keep: { daily: 1, weekly: 1, monthly: 1 } })
  for (const name of ['2020-01-01T000000Z', '2020-02-01T000000Z', '2020-01-01T000000Z-hello', 'something-else'])
    host.write(`${store}/${name}/x`, '')
  host.write(`${store}/2020-02-01T000000Z/manifest.json`, '{"time":"2020-02-01T00:00:00Z","parts":[]}')
  const { code, output } = await take(host)
  assert.is(code, 0, output)
  const left = taken(host)
  assert.equal(
    [left.length, left.includes('2020-01-01T000000Z-hello'), left.includes('something-else')],
    [3, true, true],
  )
})

test('nothing goes while there are doubts: a part that is gone or less than half of what it was, which is told', async () => {
  const host = hostWith({ keep: { daily: 1, weekly: 1, monthly: 1 }, alert: { command: 'cat >>"$STATE/alerted"' } })
  const old = '2020-02-01T000000Z'
  const parts = [
    { file: 'database-gone.dump.age', kind: 'database', database: 'gone', size: 5, encrypted: { size: 5 } },
    { file: 'database-hello.dump.age', kind: 'database', database: 'hello', size: 100_001, encrypted: { size: 5 } },
    { file: 'globals.sql.age', kind: 'globals', size: 100_000, encrypted: { size: 5 } },
  ]
  host.write(`${store}/${old}/manifest.json`, JSON.stringify({ time: '2020-02-01T00:00:00Z', parts }))
  host.write(`${store}/2019-01-01T000000Z/x`, '')
  const { code } = await take(host)
  assert.is(code, 0)
  assert.equal(taken(host).slice(0, 2), ['2019-01-01T000000Z', old])
  const { warnings } = status(host)
  assert.equal(warnings, [
    'database-gone.dump.age: is gone, and was there at 2020-02-01T00:00:00Z',
    `database-hello.dump.age: ${dumps.hello?.length} bytes, less than half of the 100001 of 2020-02-01T00:00:00Z`,
  ])
  assert.match(host.noted('alerted'), /^botgarden: backup of vps1 is in doubt: database-gone.dump.age: is gone/)
})

test('one that a wrong clock has named stays, takes no place, and is told', async () => {
  const host = hostWith()
  host.write(`${store}/2999-01-01T000000Z/manifest.json`, 'not even JSON')
  const { code } = await take(host)
  assert.is(code, 0)
  assert.is(taken(host).length, 2)
  assert.match(
    status(host).warnings.join(),
    /^2999-01-01T000000Z: from the future by the clock of this host, which was or is wrong: kept$/,
  )
})

test('a last one that does not read is said, since nothing could be compared with it', async () => {
  const host = hostWith()
  host.write(`${store}/2020-02-01T000000Z/manifest.json`, '{"parts":')
  const { code, output } = await take(host)
  assert.is(code, 1)
  assert.match(output, '/var/lib/botgarden/backups/2020-02-01T000000Z/manifest.json: no JSON: move that backup away')
})

test('one that takes too long is ended, and said to be', async () => {
  const host = hostWith({ timeLimit: 1 })
  host.note('docker', `case "$*" in *json_build_object*) exec /bin/sleep 30 ;; esac\n${server}`)
  const { code, output } = await take(host)
  assert.is(code, 1)
  assert.match(output, /took longer than 1 s, or was killed/)
})

for (const [what, spoil, said] of [
  [
    'a dump that fails',
    (host: ScratchHost) =>
      host.note('docker', `case "$*" in *pg_dump\\ *) echo "out of shared memory" >&2; exit 1 ;; esac\n${server}`),
    /database-hello.dump.age: command ended with 1: out of shared memory/,
  ],
  [
    'a dump that does not read to its end',
    (host: ScratchHost) => host.note('dump-hello', 'COPY a (b) FROM stdin;\n1\n'),
    /database-hello.dump.age: check ended with 1: the dump does not read to its end/,
  ],
  [
    'roles that are not whole',
    (host: ScratchHost) => host.note('globals', 'CREATE ROLE x;\n'),
    /globals.sql.age: check ended with 1/,
  ],
  [
    'age that fails',
    (host: ScratchHost) => host.program('age', 'cat >/dev/null; echo "no such recipient" >&2; exit 1'),
    /age ended with 1: .*no such recipient/,
  ],
] as const)
  test(`${what} is named, and no part of it passes for one`, async () => {
    const host = hostWith()
    spoil(host)
    const { code, output } = await take(host)
    assert.is(code, 1)
    assert.match(output, said)
    for (const name of taken(host)) {
      const named = manifestOf(host, name).parts.map(({ file }: { file: string }) => file)
      assert.equal(
        host.list(`${store}/${name}`).filter((file) => file.endsWith('.age')),
        [...named].sort(),
      )
      assert.not.ok(named.includes(/(\S+\.age): /.exec(output)?.[1]))
    }
    assert.is.not(status(host).result, 'ok')
  })

test.run()
