// Copies as somebody makes them who has taken over the host that signs them: those that only the host refuses, or nobody. Needs a
// VPS of its own; prints what came of each in the end.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decryptPart } from '../../commands/restore/decrypt.ts'
import { Secret } from '../../lib/std/secret.ts'
import { type BackupManifest, type BackupPart, parseManifest } from '../../roles/backups/manifest.ts'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { copyWith, dumpWith, everything, oddCopies, placeholder, traps } from '../support/hostile/dumps.ts'
import { leftAlone, rebuiltFrom } from '../support/hostile/host.ts'
import { type Copy, type Entry, tar, writeCopy } from '../support/hostile/marks.ts'
import { moves, printRows, told } from '../support/hostile/rows.ts'
import { type Run, resultOf, run, scratchFile } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'
import { sqlIn } from '../support/vps/inside.ts'

const host = 'hostile'
const source = join(import.meta.dirname, '../../bots/hello-bot')
const { answer, begin, bots, inventory: inventoryWith, inside, site, hello } = botHost(host, ['hello-bot'])
bots['hello-bot'] = { host, source }

const identity = await generateX25519Identity()
const recipient = await identityToRecipient(identity)
const opens = scratchFile('identity.txt', `${identity}\n`)
const signs = join(dirname(opens), 'signing-key')
const local = join(dirname(opens), 'copies')
const backups = { recipients: [recipient], local }
const inventory = inventoryWith({}, { domain: `${host}.sandbox`, backups })
const taken = join(dirname(opens), 'taken')

/** What the host has signed and encrypted itself. */
let own: BackupManifest
let honest: Copy & { key: string }
/** Of the bot's database, with room for SQL. */
let base: Buffer
let tables: Record<string, number>
let clock = 0

const content = async (part: BackupPart | undefined): Promise<Buffer> => {
  const chunks: Buffer[] = []
  if (part) for await (const chunk of decryptPart(taken, part, [new Secret(identity)])) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const restore = (from: string, ...way: string[]) =>
  run(['playbooks/restore.ts', '-i', from, '--identity', opens, '--yes', ...way])
const psql = async (database: string, sql: string) => {
  const { status, stdout, all } = await sqlIn(host)(sql, database)
  assert.is(status, 0, all)
  return stdout
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
    'docker exec botgarden-postgres sh -c "dropdb -U postgres --if-exists trap; createdb -U postgres trap; pg_dump -U postgres -Fc --no-owner --no-privileges hello_bot | pg_restore -U postgres --no-owner -d trap"',
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
  printRows('refused by / harmless because')
  await removeVps(host)
})

const partOf = (kind: BackupPart['kind']) => own.parts.find((part) => part.kind === kind)

async function look(): Promise<string> {
  const { stdout, stderr } = await inVps(host, leftAlone)
  return stdout + stderr
}

const ways = [['--name', 'hello-bot'], ['--name', 'hello-bot', '--as', 'beside'], ['--drill']]

/** How the host was before the first of them, and the rows since its bot was last asked. */
const state: { look?: string; rows?: string | undefined } = {}

/** Through the host: nothing there has changed, whatever came of it. */
async function throughHost(copy: Partial<Copy>, way: readonly string[], says: RegExp | undefined): Promise<Run> {
  state.look ??= await look()
  state.rows ??= await rowsOf('hello_bot')
  const name = await writeCopy(local, { ...honest, time: next(), ...copy })
  const ended = await restore(inventory, ...way)
  const all = ended.stdout + ended.stderr
  rmSync(join(local, host, name), { recursive: true })
  assert.is(ended.code, says === undefined ? 0 : 3, all)
  if (says !== undefined) assert.match(all, says)
  assert.not.match(all, moves)
  const replaced = says === undefined && way.includes('--name') && !way.includes('--as')
  if (says === undefined && way.includes('--as')) {
    assert.is(await rowsOf('beside'), await rowsOfBase())
    await psql('postgres', 'drop database beside')
  }
  // Whoever has more rights comes by later.
  if (replaced) {
    state.rows = await rowsOfBase()
    const taking = await inVps(host, '/opt/botgarden/backups/backup')
    assert.is(taking.status, 0, taking.stdout + taking.stderr)
    await psql('hello_bot', 'vacuum analyze')
  }
  assert.is(await rowsOf('hello_bot'), state.rows)
  assert.is(await look(), state.look)
  if (replaced) await answers()
  return ended
}

async function answers(): Promise<void> {
  assert.match(await answer('/start'), /Hello/)
  state.rows = undefined
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

const withDump = (dump: Buffer): Partial<Copy> => copyWith(dump, tables)
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

test('the bot has not noticed any of them', answers)

test('a dump with all of that at once, errors swallowed', async () => {
  for (const way of ways) {
    await throughHost(withDump(dumpWith(base, everything)), way, undefined)
    told('dump: twelve of these at once, errors swallowed', shown(way), 'restored, and nothing of the host is another')
  }
})

for (const { what, copy, way, says } of oddCopies)
  test(what, async () => {
    const ended = await throughHost(copy(base, tables), ways[way] ?? [], says)
    told(what, shown(ways[way] ?? []), `host: “${saidBy(ended, says)}”`)
  })

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
    'hello_botfalsefalse postgrestruetrue',
  )
  const found = [
    "grep -rlE 'pwned|_hook' /etc/letsencrypt /opt/botgarden /etc/cron.d",
    "find / -xdev -name '*pwned*'; find /etc /opt /var/lib/botgarden -xdev -perm /6000 -type f",
    'ls -A /opt/botgarden/nginx/conf/own; ls -A /etc/letsencrypt/renewal-hooks/pre; ls -A /etc/botgarden/registry',
    "grep -rl pwned /etc/botgarden | xargs stat -c '%n %a %u'",
  ]
  assert.is(await inside(`(${found.join('; ')}) 2>/dev/null`), '/etc/botgarden/secrets/bots/hello-bot/EXTRA 400 20001')
  assert.is(resultOf(await site(inventory), host).changed, 0)
  const taking = await inVps(host, '/opt/botgarden/backups/backup; ls /root/pwned')
  assert.match(taking.stderr, /No such file/)
  for (const [what, why] of cases) told(what, '--host', why)
  rmSync(join(local, host, name), { recursive: true })
})

test.run()
