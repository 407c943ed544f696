// What cron runs on the host, in a real sh, with stand-ins for the programs that it needs a server and a key for.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asOwner } from '../../../lib/platform/as-owner.ts'
import { local } from '../../../lib/shell/local.ts'
import { databasesOf, missingParts, parseManifest } from '../../../roles/backups/manifest.ts'
import { parseStatus, statusScript } from '../../../roles/backups/run-status.ts'
import { publicHalf, scratchFolder, signingKey } from '../../support/copies.ts'
import { sha256 } from '../../support/sha256.ts'
import { shell } from '../../support/shell.ts'

const templates = join(import.meta.dirname, '../../../roles/backups/templates')
const key = await signingKey(scratchFolder(), 'key')
const folders: string[] = []
test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A host of its own, in a folder; `tools` stand before those of this machine. */
function host(tools: Record<string, string> = {}, settings: Record<string, string | number> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'backup-program-'))
  folders.push(root)
  const path = (...parts: string[]) => join(root, ...parts)
  for (const folder of ['home', 'store', 'run', 'bin', 'data']) mkdirSync(path(folder))
  const write = (file: string, text: string) => {
    writeFileSync(path(file), text)
    chmodSync(path(file), 0o755)
  }
  const source = readFileSync(join(templates, 'backup.sh'), 'utf8')
  write(
    'home/backup',
    source
      .replace('/opt/botgarden/backups\n', `${path('home')}\n`)
      .replace('/var/lib/botgarden/backups\n', `${path('store')}\n`)
      .replace('/var/lib/botgarden/data\n', `${path('data')}\n`)
      .replace('/etc/botgarden/secrets/backup-signing-key', key)
      .replaceAll('/run/botgarden-backup', path('run/botgarden-backup')),
  )
  for (const name of ['rows.awk', 'retention.awk', 'data.py'])
    write(`home/${name}`, readFileSync(join(templates, name), 'utf8'))
  write('home/parts.sh', `${readFileSync(join(templates, 'parts.sh'), 'utf8')}\n${asOwner.text}\n`)
  const all = { host: 'vps1', daily: 2, weekly: 1, monthly: 1, min_free: 0, limit: 600, alert_url: '', ...settings }
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`)
  write('home/settings', `${lines.join('\n')}\nalert_command='cat >>${path('alerts')}'\n`)
  write('home/recipients', 'age1x\n')
  const stubs = {
    docker: 'while [ "$1" != botgarden-postgres ]; do [ "$1" != -e ] || export "$2"; shift; done; shift; exec "$@"',
    psql: listing(['one', 'two', 'three']),
    pg_dump: `[ "$PGDATABASE" != one ] || [ ! -e ${path('locked')} ] || { cat ${path('locked')} >&2; exit 1; }; echo "dump of $PGDATABASE"`,
    pg_restore: `cat >/dev/null; printf 'COPY public.t (a) FROM stdin;\\n1\\n\\\\.\\n-- PostgreSQL database dump complete\\n'`,
    pg_dumpall: `echo '-- PostgreSQL database cluster dump complete'`,
    pg_isready: 'exit 0',
    age: `[ "$*" = '--encrypt --recipients-file ${path('home/recipients')}' ] || exit 9; cat`,
    // A busy machine would let them wait.
    // In the folder that would be at /mnt.
    unshare: 'cd "$6" && shift 6 && exec "$@"',
    setpriv: 'while [ "$1" != --no-new-privs ]; do shift; done; shift; exec "$@"',
    ...{ ionice: 'shift 3; exec "$@"', nice: 'shift 2; exec "$@"', sync: '' },
    tar: `case $1 in --create) echo files ;; *) cat ;; esac`,
    ...tools,
  }
  // What encrypts has a limit to what it writes.
  for (const [name, text] of Object.entries(stubs))
    write(
      `bin/${name}`,
      `#!/bin/sh\n${name === 'age' ? '' : `printf '%s\\n' "${name} $*" >>${path('called')}`}\n${text}\n`,
    )
  const PATH = `${path('bin')}:${process.env.PATH}`
  const run = (...args: string[]) =>
    local({ nothrow: true, env: { ...process.env, PATH } })`exec ${path('home/backup')} ${args}`
  const read = (file: string) => (existsSync(path(file)) ? readFileSync(path(file), 'utf8') : '')
  return {
    ...{ path, run, read, write },
    lock: (reason: string) => write('locked', reason),
    unlock: () => rmSync(path('locked')),
    status: () => parseStatus(`alive\n${read('home/status.json')}`),
    taken: () => readdirSync(path('store')).sort(),
    manifest: (name: string) => parseManifest(read(`store/${name}/manifest.json`)),
    /** One of another time, of which the parts in `failed` are missing. */
    older: (name: string, failed: readonly string[] = []) => {
      const manifest = JSON.parse(well.read(`store/${good}/manifest.json`))
      const isThere = ({ database: each }: { database?: string }) => !failed.includes(each ?? '')
      const missing = failed.map((each) => ({
        kind: 'database',
        ...{ database: each, file: `database-${each}.dump.age`, reason: 'locked' },
      }))
      mkdirSync(path('store', name))
      const parts = manifest.parts.filter(isThere)
      const text = { ...manifest, format: failed.length > 0 ? 2 : 1, parts, failed: missing }
      writeFileSync(path('store', name, 'manifest.json'), JSON.stringify(text))
    },
  }
}

// Taken once, for all that need a good one before theirs.
const well = host()
const first = await well.run()
const [good = ''] = well.taken()

test('all is well: one backup, whole, and nobody is alerted', () => {
  const { taken, manifest, status, read, path } = well
  assert.is(first.exitCode, 0, first.stderr)
  assert.equal(taken(), [good])
  assert.is(first.stdout, `taken: ${good}\n`)
  assert.equal(databasesOf(manifest(good)), ['one', 'two', 'three'])
  assert.equal(missingParts(manifest(good)), [])
  assert.equal([status()?.result, status()?.lastGood, status()?.reason], ['ok', good, ''])
  assert.equal([read('alerts'), readdirSync(path('run'))], ['', []])
})

test('the server’s tools have what they are asked, without what the owner of a database has set, and a limit in there', () => {
  const options = ['statement_timeout=0', 'lock_timeout=0', 'transaction_timeout=0', 'idle_session_timeout=0']
  const all = [...options, 'idle_in_transaction_session_timeout=0', 'role=none'].map((each) => `-c ${each}`).join(' ')
  const inServer = (database: string) =>
    `exec -i -e PGDATABASE=${database} -e PGOPTIONS=${all} -e PGCLIENTENCODING=UTF8 botgarden-postgres nice -n 19 timeout -k 10`
  const dump = 'pg_dump --username=postgres --format=custom --compress=zstd:3 --lock-wait-timeout=60s'
  const restore = 'pg_restore --username=postgres --data-only --file=-'
  const lines = well.read('called').match(/(?<=^docker ).*/gm) ?? []
  assert.equal(
    lines
      .map((line) => line.replace(/(?<=-k 10) \d+/, ''))
      .filter((line) => !line.includes('psql'))
      .sort(),
    [
      `${inServer('postgres')} pg_dumpall --username=postgres --globals-only`,
      ...['one', 'two', 'three'].flatMap((name) => [`${inServer(name)} ${dump}`, `${inServer(name)} ${restore}`]),
    ].sort(),
  )
  assert.equal(
    lines.filter((line) => line.includes('psql')).map((line) => line.replace(/ -c $/, '')),
    [
      `${inServer('postgres')} 120 psql --username=postgres -XqAt -d postgres -v ON_ERROR_STOP=1`,
      `${inServer('postgres')} 120 psql --username=postgres -XqAt -d postgres -c show server_version`,
    ],
  )
  // Half of the 570 s for each but the last one.
  const limits = lines.flatMap((line) => (line.includes(dump) ? [Number(/-k 10 (\d+)/.exec(line)?.[1])] : []))
  assert.ok(limits[0] !== undefined && limits[0] <= 285 && limits[0] > 100, String(limits))
  assert.ok(limits[2] !== undefined && limits[2] > 285 && limits[2] <= 570, String(limits))
})

test('what it writes is brought to the disk before it counts', () => {
  const synced =
    well
      .read('called')
      .match(/(?<=^sync ).*/gm)
      ?.map((line) => line.replaceAll(well.path(), '').replaceAll(/partial-\w+-\w+-\w+/g, 'partial')) ?? []
  assert.ok(synced.includes('/store') && synced.includes('/home/status.json.new'), synced.join('\n'))
  const parts = [
    'SHA256SUMS',
    'SHA256SUMS.sig',
    'database-one.dump.age',
    'database-three.dump.age',
    'database-two.dump.age',
  ]
  const files = [...parts, 'files.tar.age', 'globals.sql.age', 'manifest.json'].map((name) => `/store/.partial/${name}`)
  assert.ok(synced.includes([...files, '/store/.partial'].join(' ')), synced.join('\n'))
  assert.equal(
    well
      .read('called')
      .match(/^tar .*/gm)
      ?.sort(),
    ['tar --create --numeric-owner --exclude=opt/botgarden/backups', 'tar --list'],
  )
})

test('a database that cannot be dumped takes no other one and no file with it, and is named everywhere', async () => {
  const { run, lock, taken, manifest, status, read, path } = well
  lock('pg_dump: error: canceling statement due to statement timeout')
  await nextSecond()
  const { exitCode, stderr } = await run()
  const name = taken().at(-1) ?? ''
  const reason = /one: database-one\.dump\.age: command ended with 1: pg_dump: error: canceling statement/
  assert.is(exitCode, 1)
  assert.is.not(name, good)
  assert.match(stderr, reason)
  assert.match(read('alerts'), new RegExp(`^botgarden: backup of vps1 FAILED in part: ${reason.source}`))
  assert.equal(databasesOf(manifest(name)), ['two', 'three'])
  assert.equal(
    manifest(name).parts.map(({ kind }) => kind),
    ['globals', 'files', 'database', 'database'],
  )
  assert.equal(missingParts(manifest(name)), ['one'])
  assert.not(existsSync(path('store', name, 'database-one.dump.age')))
  const now = status()
  assert.equal([now?.result, now?.lastGood, now?.taken?.name], ['incomplete', good, name])
  assert.match(now?.reason ?? '', reason)
})

test('the data of each bot is a part of its own; what fails of one is named, and takes nothing with it', async () => {
  const { run, path, taken, manifest, status } = host()
  for (const bot of ['hello', 'my-bot']) {
    mkdirSync(path('data', bot, 'current/app=data'), { recursive: true })
    writeFileSync(path('data', bot, 'current/app=data/note'), `of ${bot}`)
  }
  mkdirSync(path('data/hello/cache/appendonlydir'), { recursive: true })
  // A bot that never had data, and copies from before a release, which are the host's own.
  mkdirSync(path('data/none/current'), { recursive: true })
  mkdirSync(path('data/hello/before-20260101-000000.1/app=data'), { recursive: true })
  writeFileSync(path('data/my-bot/current/app=data/bot.db'), `SQLite format 3\0${'x'.repeat(2000)}`)
  const { exitCode, stderr } = await run()
  assert.is(exitCode, 1)
  assert.match(stderr, /data of my-bot: data-my-bot\.tar\.age: command ended with 1: data: app=data\/bot\.db: /)
  const [name = ''] = taken()
  const data = manifest(name).parts.flatMap((part) => (part.kind === 'data' || part.kind === 'cache' ? [part] : []))
  assert.equal(
    data.map(({ bot, entries, file }) => [bot, entries, file]),
    [
      ['hello', 2, 'data-hello.tar.age'],
      ['hello', 1, 'cache-hello.tar.age'],
    ],
  )
  assert.equal([missingParts(manifest(name)), status()?.taken?.name], [['data of my-bot'], name])
  // No key here: what age would have encrypted.
  const unpacked = path('unpacked')
  mkdirSync(unpacked)
  await local({})`/bin/tar --extract --directory ${unpacked} --file ${path('store', name, 'data-hello.tar.age')}`
  assert.is(readFileSync(join(unpacked, 'app=data/note'), 'utf8'), 'of hello')
  const checked = await local({})`cd ${unpacked} && python3 -I ${path('home/data.py')} check`
  assert.equal(JSON.parse(checked.stdout), { entries: 2, content: data[0]?.content })
})

test('a backup of one database has the data of its bot, and of a bot without a database that alone', async () => {
  const { run, path, taken, manifest } = host({ psql: listing(['one', 'my_bot']) })
  for (const bot of ['one', 'my-bot', 'files-only']) mkdirSync(path('data', bot, 'current/data'), { recursive: true })
  mkdirSync(path('data/my-bot/cache'), { recursive: true })
  const filesOf = async (only: string) => {
    const { exitCode, stderr } = await run('--only', only)
    assert.is(exitCode, 0, stderr)
    const name = taken().find((each) => each.endsWith(`-${only}`)) ?? ''
    return manifest(name).parts.map(({ file }) => file)
  }
  assert.equal(await filesOf('my_bot'), ['database-my_bot.dump.age', 'data-my-bot.tar.age', 'cache-my-bot.tar.age'])
  assert.equal(await filesOf('files_only'), ['data-files-only.tar.age'])
  const { stderr } = await run('--only', 'other')
  assert.match(stderr, /there is no database "other": there are my_bot one/)
})

test('what was missing the last time is told when it is gone after that', async () => {
  const { run, older, status } = host({ psql: listing(['two', 'three']) })
  older('2026-01-02T000000Z', ['one'])
  older('2026-01-01T000000Z')
  assert.is((await run()).exitCode, 0)
  assert.match(status()?.warnings.join() ?? '', /^database-one\.dump\.age: is gone, and was there at /)
})

test('a database that takes too long, or too much of the disk, leaves the rest of both to the others', async () => {
  const { run, taken, manifest, read } = host(
    {
      pg_dump: `case $PGDATABASE in one) exit 124 ;; two) head -c 9000 /dev/zero ;; *) echo dump ;; esac`,
      timeout: 'echo "$*" >>"$0.log"; exec /usr/bin/timeout "$@"',
      // 3000 of 10000 bytes are free.
      df: `printf 'Avail 1B-blocks\n 3000 10000\n'`,
    },
    { min_free: 10 },
  )
  const { exitCode, stderr } = await run()
  assert.is(exitCode, 1, stderr)
  assert.equal(databasesOf(manifest(taken()[0] ?? '')), ['three'])
  assert.match(stderr, /one: database-one\.dump\.age: took longer than \d+ s; two: .* needs more than the 1536 bytes/)
  const caps = [...read('bin/timeout.log').matchAll(/^-k 10 (\d+) pg_dump /gm)].map(([, cap]) => Number(cap))
  assert.is(caps.length, 3)
  for (const cap of caps.slice(0, -1)) assert.ok(cap <= 300, `${cap} of 600 s`)
  assert.ok((caps.at(-1) ?? 0) > 300, 'the last one has all that is left')
})

test('the last good one of what fails stays, however old, and the others go by the rule', async () => {
  const { run, lock, taken, older } = host()
  for (const name of ['2020-02-03', '2020-02-02', '2020-02-01']) older(`${name}T000000Z`, ['one'])
  for (const name of ['2020-01-03', '2020-01-02', '2020-01-01']) older(`${name}T000000Z`)
  lock('locked')
  await run()
  // Two days of each: of all there are, and of those that have it.
  assert.equal(taken().slice(0, -1), ['2020-01-02T000000Z', '2020-01-03T000000Z', '2020-02-03T000000Z'])
})

test('one that is killed is told as killed, and not by the reason of the one before', async () => {
  const { run, lock, unlock, path, status, read } = host({
    pg_dump: 'touch "$0.begun"; until [ -e "$0.go" ]; do sleep 0.1; done; [ ! -e "$0.locked" ] || exit 1; echo dump',
  })
  writeFileSync(path('bin/pg_dump.go'), '')
  writeFileSync(path('bin/pg_dump.locked'), '')
  await run()
  assert.match(status()?.reason ?? '', /command ended with 1/)
  for (const name of ['go', 'locked', 'begun']) rmSync(path(`bin/pg_dump.${name}`))
  lock('')
  unlock()
  const program = run()
  while (!existsSync(path('bin/pg_dump.begun'))) await new Promise((done) => setTimeout(done, 20))
  const seen = () => shell(statusScript(path('home/status.json')).text)
  assert.is(parseStatus(await seen())?.result, 'running')
  const [pid = ''] = JSON.parse(read('home/status.json')).process.split(' ')
  process.kill(Number(pid), 'SIGKILL')
  // What it had begun holds its output open.
  writeFileSync(path('bin/pg_dump.go'), '')
  await program
  const now = parseStatus(await seen())
  assert.equal(
    [now?.result, now?.reason],
    ['failed', 'it was started then, and was killed or the host went down before it ended'],
  )
})

test('what a bot has named moves no cursor, turns no text, and makes no line of its own', async () => {
  const { run, lock, read, status, taken, manifest } = host()
  lock('error in "x\u001b[2J\u202ey\u2028\u200b\u{e0041}"\nvps1: all is well')
  const { stderr } = await run()
  const reason = /"x\\u001b\[2J\\u202ey\\u2028\\u200b\\ue0041" vps1: all is well/
  for (const text of [
    stderr,
    read('alerts'),
    status()?.reason ?? '',
    manifest(taken()[0] ?? '').failed[0]?.reason ?? '',
  ]) {
    assert.match(text, reason)
    assert.is(text.trim().split('\n').length, 1)
  }
})

test('rows of a table are counted whatever it is called', async () => {
  const dump =
    'COPY public."a\nb" (x) FROM stdin;\nCOPY users (x) FROM stdin;\n\\.\n\n-- PostgreSQL database dump complete\n'
  const { run, taken, manifest } = host({ pg_restore: `cat >/dev/null; printf '%s' '${dump}'` })
  assert.is((await run()).exitCode, 0)
  const [part] = manifest(taken()[0] ?? '').parts.filter(({ kind }) => kind === 'database')
  assert.equal(part?.kind === 'database' && part.tables, { 'public."a\nb"': 1 })
})

test('one by itself that fails is no backup at all', async () => {
  const { run, lock, taken } = host()
  lock('locked')
  const { exitCode, stderr } = await run('--only', 'one')
  assert.equal([exitCode, taken()], [1, []])
  assert.match(stderr, /^failed: one: .*locked/)
})

test('what it says of itself is so: sizes, sums, and who signed', async () => {
  const folder = well.path('store', good)
  const { parts, ...rest } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  const time = good.replace(/(..)(..)Z$/, ':$1:$2Z')
  assert.equal(rest, { format: 1, host: 'vps1', time, only: null, server: '18.6', recipients: ['age1x'], warnings: [] })
  // What is encrypted here is as it was.
  for (const { file, size, sha256: sum, encrypted } of parts) {
    const content = readFileSync(join(folder, file))
    assert.equal([size, sum, encrypted], [content.length, sha256(content), { size, sha256: sum }], file)
  }
  assert.equal(
    parts.map(({ kind, database, owner, tables, entries }: Record<string, unknown>) => [
      kind,
      database,
      owner,
      tables,
      entries,
    ]),
    [
      ['globals', undefined, undefined, undefined, undefined],
      ['files', undefined, undefined, undefined, 1],
      ...['one', 'two', 'three'].map((name) => ['database', name, name, { 'public.t': 1 }, undefined]),
    ],
  )
  const files = [...parts.map(({ file }: { file: string }) => file), 'manifest.json'].sort()
  const sums = files.map((file) => `${sha256(readFileSync(join(folder, file)))}  ${file}\n`)
  assert.is(readFileSync(join(folder, 'SHA256SUMS'), 'utf8'), sums.join(''))
  writeFileSync(well.path('signers'), `vps1 ${publicHalf(key)}\n`)
  const verified = await local({
    input: sums.join(''),
  })`ssh-keygen -Y verify -n botgarden-backup -f ${well.path('signers')} -I vps1 -s ${join(folder, 'SHA256SUMS.sig')}`
  assert.match(verified.stdout, 'Good "botgarden-backup" signature for vps1')
})

for (const [what, keyFile, said] of [
  ['is gone', '/nowhere/key', /^failed: \/nowhere\/key is missing, which signs backups/],
  ['is none', join(templates, 'rows.awk'), /^failed: the backup could not be signed: \S/],
] as const)
  test(`where its key ${what} there is no backup`, async () => {
    const { run, taken, read, write } = host()
    write('home/backup', read('home/backup').replaceAll(key, keyFile))
    const { exitCode, stderr } = await run()
    assert.is(exitCode, 1)
    assert.match(stderr, said)
    assert.equal(taken(), [])
  })

test('an alert goes to its address, which no process here sees among its arguments', async () => {
  const { run, lock, read, path } = host(
    {
      curl: `cat >$0.config; for word; do case $word in @*) cat "\${word#@}" >$0.body ;; esac; done; [ ! -e $0.down ]`,
    },
    { alert_url: `'https://x.org/secret'` },
  )
  lock('no')
  await run()
  assert.match(read('bin/curl.body'), /^botgarden: backup of vps1 FAILED in part: one: .* no\n$/)
  assert.is(read('bin/curl.config'), 'url = "https://x.org/secret"\n')
  const [called = ''] = read('called').match(/^curl .*/m) ?? []
  assert.match(called, /^curl --silent --show-error --fail --max-time 30 --data-binary @\S+\/alert --config -$/)
  writeFileSync(path('bin/curl.down'), '')
  await nextSecond()
  assert.match((await run()).stderr, 'the alert could not be sent')
})

test('a part that is late has a second', async () => {
  const { run, read } = host(
    { timeout: 'case $1 in --kill-after=60) shift 2; exec "$@" ;; esac; exec /usr/bin/timeout "$@"' },
    { limit: 1 },
  )
  await run()
  const caps = [...read('called').matchAll(/^docker .* timeout -k 10 (\d+) pg_dump/gm)].map(([, cap]) => cap)
  assert.equal([...new Set(caps)], ['1'])
})

test('where its name is taken the clock is doubted, and the one that is there stays', async () => {
  const { run, taken, read } = host({ date: 'exec /usr/bin/date -d @1795676546 "$@"' })
  assert.is((await run()).exitCode, 0)
  const [name = ''] = taken()
  const before = read(`store/${name}/manifest.json`)
  const { exitCode, stderr } = await run()
  assert.is(exitCode, 1)
  assert.match(stderr, `${name} is there already: is the clock right?`)
  assert.equal([taken(), read(`store/${name}/manifest.json`)], [[name], before])
})

/** What lists these databases. */
function listing(names: readonly string[]): string {
  const rows = names.map((name) =>
    JSON.stringify({ kind: 'database', database: name, owner: name, file: `database-${name}.dump.age` }),
  )
  return `case $* in *server_version*) echo 18.6 ;; *) echo '${rows.join('\n')}' ;; esac`
}

test.run()

/** A backup is named by its second. */
async function nextSecond(): Promise<void> {
  const now = Math.floor(Date.now() / 1000)
  while (Math.floor(Date.now() / 1000) === now) await new Promise((done) => setTimeout(done, 20))
}
