// Needs a bare VPS of its own: `garden`, the sandbox's certificate authority and its Telegram. Three bots, 100,000 rows, and
// the loss of a database, then of the whole host.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, removeVps, telegramControlUrl } from '../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../sandbox/telegram/client.ts'
import { inventoryOf, resultOf, run } from '../support/runner.ts'
import { endedIn, sqlIn } from '../support/vps/inside.ts'

const host = 'garden'
const source = resolve(import.meta.dirname, '../../bots/hello-bot')
const folder = mkdtempSync(join(tmpdir(), 'restore-test-'))
const key = join(folder, 'key.txt')
const bots = ['first-bot', 'second-bot', 'third-bot']
const env: Record<string, string> = {}
let telegram: TelegramClient
let inventory = ''
let chat = 1
// The sandbox's Telegram remembers earlier runs.
const prefix = `restore-${process.pid}`

const inside = endedIn(host)
const sql = async (database: string, text: string) => (await sqlIn(host)(text, database)).stdout
/** Of all rows of all that matters, in an order of their own. */
const checksum = (database: string) =>
  sql(database, 'select md5(string_agg(t::text, chr(10) order by id)) from ledger t')
const restore = (...args: string[]) =>
  run(['playbooks/restore.ts', '-i', inventory, '--identity', key, '--yes', ...args], env)
const backup = (...args: string[]) => run(['playbooks/backup.ts', '-i', inventory, ...args], env)

async function greeted(bot: string): Promise<string> {
  const own = chat++
  await telegram.act(`${prefix}-${bot}`, { chat: own, text: '/start', language: 'en' })
  for (let tries = 0; tries < 60; tries++) {
    const said = (await telegram.chat(`${prefix}-${bot}`, own)).find(({ from }) => from === 'bot')
    if (said) return said.text
    await pause(500)
  }
  return 'no answer'
}

test.before(async () => {
  const identity = await generateIdentity()
  writeFileSync(key, `${identity}\n`, { mode: 0o600 })
  const vars = {
    bot: { telegram: 'http://telegram.sandbox:8081', settle: 2, drain: 5 },
    nginx: { telegram: ['10.212.0.0/16'] },
    certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
    backups: { recipients: [await identityToRecipient(identity)], local: join(folder, 'copies') },
  }
  inventory = inventoryOf(host, vars, {
    hosts: { [host]: { domain: `${host}.sandbox` } },
    bots: Object.fromEntries(bots.map((name) => [name, { host, source }])),
  })
  await freshVps(host)
  telegram = telegramAt(await telegramControlUrl())
  for (const bot of bots)
    env[`${bot.toUpperCase().replace('-', '_')}_TOKEN`] = (await telegram.ensureBot(`${prefix}-${bot}`)).token
  for (const args of [['playbooks/site.ts'], ['playbooks/bot.ts', '--all']]) {
    const { code, stdout, stderr } = await run([...args, '-i', inventory, '--json'], env)
    if (code !== 0) throw new Error(stdout + stderr)
  }
  for (const bot of bots)
    await inside(
      `printf 'set role %s; create table ledger (id int primary key, words text); insert into ledger select n, md5(n::text) from generate_series(1, 100000) n;' ${bot.replace('-', '_')} | docker exec -i botgarden-postgres psql -XqU postgres ${bot.replace('-', '_')}`,
      120,
    )
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

test('a database that somebody dropped comes back row by row, and its bot with it', async () => {
  assert.match(await greeted('first-bot'), /^Hello/)
  const before = await checksum('first_bot')
  assert.match(before, /^[0-9a-f]{32}$/)
  const taken = await backup()
  assert.is(taken.code, 0, taken.stdout + taken.stderr)

  assert.match(await greeted('first-bot'), /^Hello/)
  await inside('docker exec botgarden-postgres psql -XqU postgres -c "drop database first_bot with (force)"')
  const back = await restore('--name', 'first-bot')
  assert.is(back.code, 0, back.stdout + back.stderr)
  assert.is(await checksum('first_bot'), before)
  assert.match(await greeted('first-bot'), /^Hello/)
  const { sent } = await telegram.report(`${prefix}-first-bot`)
  assert.equal(Object.values(sent.byChat), [1, 1, 1], 'nobody is greeted twice')
  assert.is(resultOf(await run(['playbooks/site.ts', '-i', inventory, '--json'], env), host).changed, 0)
})

test('in place of what is there, which is dumped first, and beside it', async () => {
  const before = await checksum('second_bot')
  await sql('second_bot', 'delete from ledger where id > 10')
  const beside = await restore('--name', 'second-bot', '--as', 'second_old')
  assert.is(beside.code, 0, beside.stdout + beside.stderr)
  assert.is(await checksum('second_old'), before)
  assert.is(await sql('second_bot', 'select count(*) from ledger'), '10')
  assert.is((await restore('--name', 'second-bot', '--as', 'second_old')).code, 3)

  const back = await restore('--name', 'second-bot')
  assert.is(back.code, 0, back.stdout + back.stderr)
  assert.is(await checksum('second_bot'), before)
  const kept = await inside(
    'cat /var/lib/botgarden/dumps/second-bot/before-restore-*.dump | docker exec -i botgarden-postgres pg_restore --data-only --file=- -t ledger | grep -c "^[0-9]"',
  )
  assert.is(kept.stdout, '10')
  assert.match(await greeted('second-bot'), /^Hello/)
})

test('a drill proves every database, and leaves nothing', async () => {
  const drill = await restore('--drill', '--json')
  assert.is(drill.code, 0, drill.stdout + drill.stderr)
  assert.equal(resultOf(drill, host).ids.sort(), ['drill:first_bot', 'drill:second_bot', 'drill:third_bot'])
  assert.is((await inside('docker ps -a | grep -c drill; ls /var/lib/botgarden/incoming')).stdout, '0')
})

test('the wrong key, a flipped byte, and a key of nobody: each is said, and nothing is touched', async () => {
  const before = await checksum('third_bot')
  const other = join(folder, 'other.txt')
  writeFileSync(other, `${await generateIdentity()}\n`)
  const wrong = await run(
    ['playbooks/restore.ts', '-i', inventory, '--identity', other, '--yes', '--name', 'third-bot'],
    env,
  )
  assert.is(wrong.code, 3)
  assert.match(wrong.stdout + wrong.stderr, 'it was encrypted for another key')
  assert.is(
    (await run(['playbooks/restore.ts', '-i', inventory, '--identity', '/none', '--yes', '--name', 'third-bot'], env))
      .code,
    1,
  )
  assert.is(await checksum('third_bot'), before)
})

test('a dump that asks for more than its owner may is refused, and what was there stays', async () => {
  // As somebody would plant it who has taken over the bot: a function that runs as whoever restores it.
  const trap =
    "create table planted (x int); create function trap() returns trigger language plpgsql as 'begin execute ''alter role third_bot superuser''; return new; end'; create trigger t before insert on planted for each row execute function trap(); alter table planted disable trigger t; insert into planted values (1); alter table planted enable always trigger t;"
  await inside(
    `printf '%s' "set role third_bot; ${trap}" | docker exec -i botgarden-postgres psql -XqU postgres third_bot`,
  )
  assert.is((await backup()).code, 0)
  const back = await restore('--name', 'third-bot')
  assert.is(await sql('postgres', "select rolsuper from pg_roles where rolname = 'third_bot'"), 'f', back.stdout)
  assert.is(await sql('third_bot', 'select count(*) from ledger'), '100000')
})

test('the host is lost: one command makes a bare one what it was', async () => {
  await sql('third_bot', 'drop table if exists planted')
  const own = '/opt/botgarden/nginx/conf/own/mine.conf'
  await inside(`echo '# a location of the operator' >${own}`)
  assert.is((await backup()).code, 0)
  const before = await Promise.all(['first_bot', 'second_bot', 'third_bot'].map(checksum))
  const certificate = 'openssl x509 -noout -serial -in /etc/letsencrypt/live/*/fullchain.pem'
  const serial = (await inside(certificate)).stdout
  const signer = 'ssh-keygen -lf /etc/botgarden/secrets/backup-signing-key'
  const signedBy = (await inside(signer)).stdout
  assert.match(signedBy, 'SHA256:')
  await removeVps(host)
  await freshVps(host)
  const started = Date.now()
  const back = await run(['playbooks/restore.ts', '-i', inventory, '--identity', key, '--yes', '--host', host])
  // The one beside is no bot's: whose it is to be, a bare host cannot tell.
  assert.is(back.code, 3, back.stdout + back.stderr)
  assert.match(back.stderr, 'NOT restored: the database second_old, which belongs to no bot')
  process.stdout.write(`  the host was back after ${Math.round((Date.now() - started) / 1000)} s\n`)
  assert.equal(await Promise.all(['first_bot', 'second_bot', 'third_bot'].map(checksum)), before)
  assert.is((await inside(certificate)).stdout, serial)
  assert.is((await inside(signer)).stdout, signedBy)
  // Nobody was there to look at it, and --yes is no look.
  assert.match(back.stderr, /mine\.conf:\n.*# a location of the operator/)
  assert.is(
    (await inside(`cat /var/lib/botgarden/laid-aside/*/mine.conf; ls ${own}`)).stdout,
    '# a location of the operator',
  )
  for (const bot of bots) assert.match(await greeted(bot), /^Hello/)
  assert.is(resultOf(await run(['playbooks/site.ts', '-i', inventory, '--json']), host).changed, 0)
  const next = await backup()
  assert.is(next.code, 0, next.stdout + next.stderr)
})

test.run()
