// Copies as somebody makes them who has the store of backups, or the host that signs them. Needs a VPS of its own. In the end it
// prints a table of what came of each; every case asks for a process or more of its own, some eight minutes in all.
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from 'zx'
import { Secret } from '../../lib/secret.ts'
import { opened } from '../../roles/backups/identity.ts'
import { type Manifest, type Part, parseManifest } from '../../roles/backups/manifest.ts'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { botHost } from '../support/bot-host.ts'
import { type Copy, type Entry, tar, writeCopy } from '../support/hostile.ts'
import { archives, type HostileCopy, manifests, ofOrigin, written } from '../support/hostile-copies.ts'
import { dumpWith, everything, placeholder, traps } from '../support/hostile-dumps.ts'
import { rebuiltFrom } from '../support/hostile-host.ts'
import { type Run, resultOf, run, scratchFile, scratchInventory } from '../support/runner.ts'

const host = 'hostile'
const source = join(import.meta.dirname, '../../bots/hello-bot')
const { answer, begin, bots, inventory: inventoryWith, inside, site, hello } = botHost(host, ['hello-bot'])
bots['hello-bot'] = { host, source }

const identity = await generateX25519Identity()
const recipient = await identityToRecipient(identity)
const opens = scratchFile('identity.txt', `${identity}\n`)
const signs = scratchFile('signing-key', '')
const local = join(dirname(opens), 'copies')
const backups = { recipients: [recipient], local }
const inventory = inventoryWith({}, { domain: `${host}.sandbox`, backups })
const taken = join(dirname(opens), 'taken')

/** What would move an operator's terminal. */
const moves = new RegExp('[\\x1b\\u202e]')

const rows: string[] = []
const told = (what: string, through: string, how: string) =>
  rows.push(`| ${what.replaceAll('|', '\\|')} | ${through} | ${how} |`)

/** What the host has signed and encrypted itself. */
let own: Manifest
let honest: Copy & { key: string }
/** Of the bot's database, with room for SQL. */
let base: Buffer
let tables: Record<string, number>
let clock = 0

const content = async (part: Part | undefined): Promise<Buffer> => {
  const chunks: Buffer[] = []
  if (part) for await (const chunk of opened(taken, part, [new Secret(identity)])) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const restore = (from: string, ...way: string[]) =>
  run(['playbooks/restore.ts', '-i', from, '--identity', opens, '--yes', ...way])
const psql = async (database: string, sql: string) => {
  const command = `printf '%s\\n' ${quote(sql)} | docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -U postgres -d ${database}`
  const { status, stdout, stderr } = await inVps(host, command)
  assert.is(status, 0, stderr)
  return stdout.trim()
}
const rowsOf = (database: string) =>
  inside(
    `docker exec botgarden-postgres pg_dump -U postgres --data-only --inserts -t users -t processed_update ${database} | grep ^INSERT | sort | md5sum`,
  )
const next = () => Math.floor(Date.now() / 1000) * 1000 + clock++ * 1000

test.before(async () => {
  await begin()
  for (const { code, stdout, stderr } of [await site(inventory), await hello(inventory)])
    if (code !== 0) throw new Error(stdout + stderr)
  assert.match(await answer('/start'), /Hello/)
  const { code, stderr } = await run(['playbooks/backup.ts', '-i', inventory])
  if (code !== 0) throw new Error(stderr)
  const key = await inside('cat /etc/botgarden/secrets/backup-signing-key')
  writeFileSync(signs, `${key}\n`, { mode: 0o600 })
  const name = await inside('ls /var/lib/botgarden/backups | tail -n 1')
  renameSync(join(local, host, name), taken)
  own = parseManifest(readFileSync(join(taken, 'manifest.json'), 'utf8'))
  const ofBot = own.parts.find((part) => part.kind === 'database' && part.database === 'hello_bot')
  tables = ofBot?.kind === 'database' ? ofBot.tables : {}
  await inside(
    'docker exec botgarden-postgres sh -c "createdb -U postgres trap; pg_dump -U postgres -Fc --no-owner --no-privileges hello_bot | pg_restore -U postgres --no-owner -d trap"',
  )
  await psql('trap', placeholder)
  base = Buffer.from(
    await inside('docker exec botgarden-postgres pg_dump -U postgres -Fc trap | base64 -w 0'),
    'base64',
  )
  await psql('postgres', 'drop database trap')
  honest = {
    ...{ host, time: next(), recipient, key: signs, files: await content(partOf('files')) },
    databases: [{ database: 'hello_bot', owner: 'hello_bot', tables, dump: base }],
    globals: (await content(partOf('globals'))).toString(),
  }
})
test.after(async () => {
  process.stdout.write(`\n| case | through | refused by / harmless because |\n|---|---|---|\n${rows.join('\n')}\n`)
  await removeVps(host)
})

const partOf = (kind: Part['kind']) => own.parts.find((part) => part.kind === kind)

/** Everything that a copy should leave alone. */
async function look(): Promise<string> {
  const asked = [
    'select rolname, rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, md5(rolpassword) from pg_authid order by 1',
    'select roleid::regrole, member::regrole from pg_auth_members order by 1, 2',
    `select datname, datdba::regrole, datistemplate, datallowconn, datconnlimit, datacl, shobj_description(oid, 'pg_database') from pg_database order by 1`,
    'select setdatabase, setrole, setconfig from pg_db_role_setting',
    'select subname from pg_subscription union select spcname from pg_tablespace order by 1',
    'select evtname from pg_event_trigger',
  ]
  const { stdout, stderr } = await inVps(
    host,
    `printf '%s;\\n' ${asked.map((each) => quote(each)).join(' ')} | docker exec -i botgarden-postgres psql -XqAtU postgres
    docker exec botgarden-postgres sh -c 'ls -A /tmp; cat $PGDATA/postgresql.auto.conf'
    docker top botgarden-postgres -eo comm | sort -u
    docker ps --all --format '{{.Names}} {{.State}}' | sort
    ls -A /tmp /var/lib/botgarden /var/lib/botgarden/incoming /root /home | grep -v '^systemd-private\\|^laid-aside$'
    find /etc /root /opt/botgarden -xdev -type f ! -name status.json -exec md5sum {} + | sort -k 2`,
  )
  return stdout + stderr
}

const ways = [['--name', 'hello-bot'], ['--name', 'hello-bot', '--as', 'beside'], ['--drill'], ['--host', host]]

/** Through a host that nobody reaches: to ask it anything would be another error. */
async function refusedHere(hostile: HostileCopy, through: readonly string[][]): Promise<void> {
  const folder = join(dirname(opens), `away-${clock++}`)
  const copies = join(folder, host)
  mkdirSync(copies, { recursive: true })
  copyFileSync(join(local, host, 'allowed_signers'), join(copies, 'allowed_signers'))
  await written(folder, honest, hostile)
  const entry = { ssh: 'root@127.0.0.1:9', domain: `${host}.sandbox`, backups: { ...backups, local: folder } }
  const away = scratchInventory(host, {}, { hosts: { [host]: entry }, bots: { 'hello-bot': { host, source } } })
  const runs = await Promise.all(through.map((way) => restore(away, ...way)))
  let said = ''
  for (const [i, { code, stdout, stderr }] of runs.entries()) {
    const all = stdout + stderr
    assert.is(code, 3, `${through[i]}: ${all}`)
    assert.match(all, hostile.says, `${through[i]}`)
    assert.not.match(all, moves)
    said = hostile.says.exec(all)?.[0] ?? ''
  }
  told(hostile.what, through.map(([flag, , as]) => as ?? flag).join(' '), `here: “${said}”`)
  rmSync(folder, { recursive: true })
}

for (const each of [...ofOrigin, ...manifests])
  test(`before the host is asked: ${each.what}`, () => refusedHere(each, ways))
for (const each of await archives())
  test(`before the host is asked, all of it: ${each.what}`, () => refusedHere(each, ways.slice(3)))

/** Through the host: nothing there has changed, whatever came of it. */
async function throughHost(copy: Partial<Copy>, way: readonly string[], says: RegExp | undefined): Promise<Run> {
  const [before, serving] = [await look(), await rowsOf('hello_bot')]
  const name = await writeCopy(local, { ...honest, time: next(), ...copy })
  const ended = await restore(inventory, ...way)
  const all = ended.stdout + ended.stderr
  rmSync(join(local, host, name), { recursive: true })
  assert.is(ended.code, says === undefined ? 0 : 3, all)
  if (says !== undefined) assert.match(all, says)
  assert.not.match(all, moves)
  const replaced = says === undefined && way.join(' ') === '--name hello-bot'
  if (says === undefined && way.includes('--as')) {
    assert.is(await rowsOf('beside'), await rowsOfBase())
    await psql('postgres', 'drop database beside')
  }
  // Whoever has more rights comes by later.
  if (replaced) {
    const taking = await inVps(host, '/opt/botgarden/backups/backup')
    assert.is(taking.status, 0, taking.stdout + taking.stderr)
    await psql('hello_bot', 'vacuum analyze')
  }
  assert.is(await rowsOf('hello_bot'), replaced ? await rowsOfBase() : serving)
  assert.is(await look(), before)
  assert.match(await answer('/start'), /Hello/)
  return ended
}

let known: string | undefined
/** The rows that each of these dumps has, as the first that is restored shows them. */
async function rowsOfBase(): Promise<string> {
  if (known !== undefined) return known
  const script = `docker exec -i botgarden-postgres sh -c 'createdb -U postgres trap; pg_restore -U postgres --no-owner -d trap'`
  const dump = dumpWith(base, '').toString('base64')
  await inVps(host, `printf %s ${dump} | base64 -d | ${script}`)
  known = await rowsOf('trap')
  await psql('postgres', 'drop database trap')
  return known
}

const withDump = (dump: Buffer, more: object = {}): Partial<Copy> => ({
  databases: [{ database: 'hello_bot', owner: 'hello_bot', tables, dump, ...more }],
})
const shown = ([flag, , as]: readonly string[]) => as ?? flag ?? ''
const saidBy = ({ stdout, stderr }: Run, says: RegExp) => says.exec(stdout + stderr)?.[0] ?? ''

for (const { what, sql, says } of traps)
  test(`a dump with ${what}`, async () => {
    const ended = await throughHost(withDump(dumpWith(base, sql)), ways[0] ?? [], says)
    told(
      `dump: ${what}`,
      '--name',
      says ? `server: “${saidBy(ended, says)}”` : 'restored, and nothing of the host is another',
    )
  })

test('a dump with all of that at once, errors swallowed', async () => {
  for (const way of ways.slice(0, 3)) {
    await throughHost(withDump(dumpWith(base, everything)), way, undefined)
    told('dump: twelve of these at once, errors swallowed', shown(way), 'restored, and nothing of the host is another')
  }
})

for (const [what, copyOf, way, says] of [
  [
    'a dump in plain SQL, with `\\!`',
    () => withDump(Buffer.from('\\! touch /tmp/ran\nselect 1;\n')),
    0,
    /appears to be a text format dump|does not appear to be a valid archive/,
  ],
  ['a dump that is cut', () => withDump(base.subarray(0, base.length / 2)), 0, /unexpected end of file|could not read/],
  ['a dump that is empty', () => withDump(Buffer.alloc(0)), 0, /input file is too short|could not read/],
  ['a dump that is noise', () => withDump(Buffer.alloc(5000, '\x1b[2Jx')), 0, /not appear to be a valid archive/],
  [
    'a dump of a version of tomorrow',
    () => withDump(Buffer.concat([base.subarray(0, 5), Buffer.from([9]), base.subarray(6)])),
    0,
    /unsupported version/,
  ],
  [
    'more rows than there are: 1e308',
    () => withDump(base, { tables: { ...tables, 'public.users': 1e308 } }),
    0,
    /not the rows that were counted/,
  ],
  [
    'more rows than there are: 2^53',
    () => withDump(base, { tables: { ...tables, 'public.users': 2 ** 53 } }),
    1,
    /not the rows that were counted/,
  ],
  [
    'rows of a table that moves the terminal',
    () => withDump(base, { tables: { ...tables, '"a\x1b[2J\u202e"': 1 } }),
    1,
    /does not exist|not the rows/,
  ],
  [
    'rows of the server’s passwords',
    () => withDump(base, { tables: { ...tables, 'pg_catalog.pg_authid': 3 } }),
    0,
    /permission denied/,
  ],
  [
    'a table of 100,000 that the dump has not',
    () => withDump(base, { tables: Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`public.t${i}`, 0])) }),
    1,
    /does not exist|not the rows/,
  ],
  ['a size of 1e300', () => ({ manifest: sized(1e300) }), 0, /is not what its manifest says/],
  ['a size of 1 byte', () => ({ manifest: sized(1) }), 0, /is not what its manifest says/],
  [
    'a dump that unfolds to more than all memory',
    () =>
      withDump(dumpWith(base, `create table bomb as select n, repeat('x', 1500) from generate_series(1, 100000000) n`)),
    2,
    /too large for the memory/,
  ],
  [
    'a program in a drill',
    () => withDump(dumpWith(base, `copy (select 1) to program 'touch /tmp/ran'`)),
    2,
    /permission denied/,
  ],
] as const)
  test(`${what}`, async () => {
    const ended = await throughHost(copyOf(), ways[way] ?? [], says)
    told(what, shown(ways[way] ?? []), `host: “${saidBy(ended, says)}”`)
  })

const sized = (size: number) => (manifest: Record<string, unknown>) => {
  const parts = manifest.parts as Record<string, unknown>[]
  return { ...manifest, parts: parts.map((part) => (part.kind === 'database' ? { ...part, size } : part)) }
}

test('an older one of the host’s own beside the newest: the newest is taken', async () => {
  const old = await writeCopy(local, {
    ...honest,
    ...withDump(dumpWith(base, 'drop table users')),
    time: Date.parse('2026-01-01T00:00:00Z'),
  })
  const { stdout, stderr } = await throughHost(
    withDump(dumpWith(base, '')),
    ['--name', 'hello-bot', '--json'],
    undefined,
  )
  assert.not.match(stdout + stderr, old)
  told('an old copy beside the newest', '--name', 'the newest is taken, by its signed time')
  rmSync(join(local, host, old), { recursive: true })
})

test('a bare host made of an archive full of programs', async () => {
  const users =
    'cut -d : -f 1-2 /etc/shadow; cat /etc/passwd; ls /etc/cron.d /var/spool/cron/crontabs 2>/dev/null; ls -A /root'
  const before = await inside(users)
  const serving = await rowsOfBase()
  const { entries, globals, cases } = await rebuiltFrom(honest)
  const evil = { tables: {}, dump: dumpWith(base, '') }
  const name = await writeCopy(local, {
    ...{ ...honest, time: next(), files: await tar(entries as Entry[]), globals },
    databases: [
      { database: 'hello_bot', owner: 'hello_bot', tables, dump: dumpWith(base, everything) },
      { database: 'reports', owner: 'postgres', ...evil },
      { database: 'template1', owner: 'template1', ...evil },
      { database: 'postgres', owner: 'postgres', ...evil },
    ],
  })
  await removeVps(host)
  await freshVps(host)
  const back = await restore(inventory, '--host', host)
  const all = back.stdout + back.stderr
  assert.is(back.code, 3, all)
  assert.match(all, /NOT restored: the database reports/)
  assert.match(all, /NOT restored: the database template1/)
  assert.not.match(all, moves)
  assert.is(await rowsOf('hello_bot'), serving)
  assert.match(await answer('/start'), /Hello/)
  assert.is(await inside(users), before)
  const looked = await look()
  assert.not.match(looked, /evil|\bran\b|pwned/)
  assert.is(
    await psql(
      'postgres',
      `select string_agg(rolname || rolsuper || rolcreaterole, ' ' order by rolname) from pg_roles where rolname !~ '^pg_'`,
    ),
    'hello_botff postgrestt'.replace('ff', 'falsefalse').replace('tt', 'truetrue'),
  )
  assert.is(
    await inside(
      `grep -rlE 'pwned|hook' /etc/letsencrypt /etc/botgarden /opt/botgarden /etc/cron.d | grep -v renewal-hooks/deploy/botgarden; ls -A /etc/letsencrypt/renewal-hooks/* | grep evil; find / -xdev -name '*pwned*' -o -xdev -perm -4000 -newer /var/lib/botgarden/allocations; ls /opt/botgarden/nginx/conf/own`,
    ),
    '',
  )
  assert.is(resultOf(await site(inventory), host).changed, 0)
  const taking = await inVps(host, '/opt/botgarden/backups/backup; ls /root/pwned')
  assert.match(taking.stderr, /No such file/)
  for (const [what, why] of cases) told(what, '--host', why)
  rmSync(join(local, host, name), { recursive: true })
})

test.run()
