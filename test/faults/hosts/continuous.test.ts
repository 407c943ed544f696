// Needs a bare VPS of its own: `continuous`, and the sandbox's Telegram. WAL is archived on a small disk of its own, and sent to an account
// of the same machine by the forced command that another machine would have.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../../lib/shell/sh.ts'
import { removeVps, restartVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, run, scratchFile } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'continuous'
const there = botHost(host, ['hello-bot', 'other-bot'])
const { inside, tokens } = there
const domain = `${host}.sandbox`
const identity = await generateX25519Identity()
const key = scratchFile('key.txt', `${identity}\n`)
const local = join(dirname(scratchFile('here', '')), 'copies')
const copies = join(local, host, 'archive')
const recipients = [await identityToRecipient(identity)]
const other = { 'other-bot': { host, source: resolve(import.meta.dirname, '../../../bots/hello-bot') } }
const inventory = (continuous: unknown) =>
  there.inventory(other, { domain, backups: { recipients, local, ...(continuous !== undefined && { continuous }) } })
const plain = inventory(undefined)
const archived = inventory(true)

const site = (file: string, ...args: string[]) => run(['playbooks/site.ts', '-i', file, '--json', ...args], tokens)
const restore = (...args: string[]) =>
  run(['playbooks/restore.ts', '-i', archived, '--identity', key, '--yes', ...args])
const sql = (text: string, database = 'postgres') =>
  inside(
    `printf %s ${quote(text)} | docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -U postgres -d ${database}`,
  )
const insert = (id: number, database = 'hello_bot') => sql(`insert into moments values (${id}) returning at`, database)
const moments = (database = 'hello_bot') => sql('select string_agg(id::text, $$ $$ order by id) from moments', database)
const status = async () => JSON.parse((await inside('cat /run/botgarden/archive/status.json')) || '{}')
const slot = () => sql("select coalesce(max(wal_status), 'none') from pg_replication_slots")
/** Of text that does not compress. */
const write = (megabytes: number) =>
  sql(
    `select count(pg_logical_emit_message(false, 'x', repeat(md5(n::text), 31250))) from generate_series(1, ${megabytes}) n`,
  )
const done = (result: Run, code = 0) => assert.is(result.code, code, `${result.stdout}${result.stderr}`)
const unchanged = (result: Run) => {
  const { changed, unknown, roundTrips, error } = resultOf(result, host)
  assert.equal({ changed, unknown, roundTrips, error }, { changed: 0, unknown: 0, roundTrips: 1, error: undefined })
}

/** Waits until the record of the archive is like this, and returns it. */
async function recorded(what: string, isSo: (state: Awaited<ReturnType<typeof status>>) => boolean, seconds = 240) {
  for (let second = 0; second < seconds; second++) {
    const state = await status().catch(() => ({}))
    if (isSo(state)) return state
    await pause(1000)
  }
  throw new Error(
    `${what}: ${JSON.stringify(await status())}\n${await inside('journalctl -q -n 20 -u botgarden-archive -u botgarden-archive-base')}`,
  )
}

/** All that was committed until now is stored, and nothing is wrong. */
async function stored() {
  const now = Number(await inside('date +%s'))
  return recorded(
    'not stored',
    ({ through, fault, gap, base }) => through >= now && fault === '' && gap === '' && base.at,
  )
}

test.before(async () => {
  await there.beginWith({ file: plain })
  done(await there.deploy(['--all'], plain))
  for (const database of ['hello_bot', 'other_bot'])
    await sql(
      `set role ${database}; create table moments (id int primary key, at timestamptz default clock_timestamp())`,
      database,
    )
})
test.after(() => removeVps(host))

test('a host that does not ask for it has no process, timer, role and setting of it', async () => {
  unchanged(await site(plain))
  assert.is(await sql('show wal_level'), 'minimal')
  assert.is(
    await inside('ls /etc/systemd/system /opt/botgarden /var/lib/botgarden /etc/botgarden/secrets | grep archive'),
    '',
  )
})

test('one that does is told of the restart by the plan; the second run changes nothing', async () => {
  const check = await site(archived, '--check')
  done(check, 2)
  assert.match(check.stdout, 'restart, for wal_level')
  const result = await site(archived)
  done(result)
  assert.equal(there.changed(result), there.changed(check))
  unchanged(await site(archived))
  const { base } = await stored()
  process.stdout.write(`  a base has ${(base.bytes / 1e6).toFixed(1)} MB\n`)
})

test('of two writes a tenth of a second apart, the moment between them has exactly the first', async () => {
  const [first, , between, , second] = (
    await inside(
      `docker exec botgarden-postgres psql -XqAtU postgres hello_bot -c 'insert into moments values (1) returning at' -c 'select pg_sleep(0.05)' -c 'select clock_timestamp()' -c 'select pg_sleep(0.05)' -c 'insert into moments values (2) returning at'`,
    )
  ).split('\n')
  await insert(1, 'other_bot')
  process.stdout.write(`  written at ${first} and ${second}\n`)
  const at = `${between?.slice(0, 23)}Z`
  const result = await restore('--name', 'hello-bot', '--at', at)
  done(result)
  assert.is(await moments(), '1')
  assert.is(await moments('other_bot'), '1')
  assert.match(await inside('ls /var/lib/botgarden/dumps/hello-bot'), /^before-restore-/)
  assert.is(await inside('ls /var/lib/botgarden/incoming 2>/dev/null; docker ps -aq --filter name=botgarden-drill'), '')
  assert.not.match(await there.answer('/start'), 'no answer')
})

test('--as brings the same beside it, a time without an offset is that of the host, and --drill reads it all', async () => {
  await insert(3)
  await inside('timedatectl set-timezone Asia/Tokyo')
  const at = await inside("sleep 1; date '+%F %T'")
  await insert(4)
  const result = await restore('--name', 'hello-bot', '--as', 'hello_then', '--at', at)
  await inside('timedatectl set-timezone Etc/UTC')
  done(result)
  assert.match(result.stdout + result.stderr, 'JST, in the time zone of the host')
  assert.is(await moments('hello_then'), '1 3')
  assert.is(await moments(), '1 3 4')
  done(await run(['playbooks/backup.ts', '-i', archived]))
  assert.ok(existsSync(copies) && readdirSync(copies).length > 0)
  const drill = await restore('--drill')
  done(drill)
  assert.match(drill.stdout + drill.stderr, /drill:hello_bot: as of /)
})

test('times that cannot be are refused, each with what is possible', async () => {
  for (const [at, words] of [
    ['2126-01-01 00:00:00', 'is in the future'],
    ['2026-01-01 00:00:00', 'is before the first base'],
    ['2026-02-30T00:00:00Z', 'there is no such time'],
    ['2026-13-01 00:00:00', 'there is no such time'],
  ] as const) {
    const { code, stderr, stdout } = await restore('--name', 'hello-bot', '--at', at)
    assert.is(code, 1, stdout + stderr)
    assert.match(stdout + stderr, words)
  }
})

test('the archiver killed, the server killed, the machine restarted: nothing is missing', async () => {
  await insert(5)
  await inside(
    'docker kill botgarden-archive; docker kill -s KILL botgarden-postgres; sleep 3; docker start botgarden-postgres botgarden-archive',
  )
  const at = await inside('date -u +%FT%TZ')
  await inside('for i in $(seq 60); do docker exec botgarden-postgres pg_isready -q && break; sleep 1; done')
  await insert(6)
  await stored()
  await restartVps(host)
  await insert(7)
  const { gap } = await stored()
  assert.is(gap, '')
  done(await restore('--name', 'hello-bot', '--as', 'hello_killed', '--at', at))
  assert.is(await moments('hello_killed'), '1 3 4 5')
})

test('with a full disk the server goes on, what fits is caught up, and more is told as a gap that a new base closes', async () => {
  const folder = '/var/lib/botgarden/archive'
  await inside(
    `systemctl stop botgarden-archive.timer; docker stop botgarden-archive; cp -a ${folder} /root/before; mount -t tmpfs -o size=400m,mode=0711 none ${folder}; cp -a /root/before/. ${folder}; docker start botgarden-archive; systemctl start botgarden-archive.timer`,
  )
  const began = await stored()
  await inside(
    'df --output=avail -B1 /var/lib/botgarden/archive | tail -n 1 | { read -r free; head -c $((free - 20000000)) /dev/zero >/var/lib/botgarden/archive/full; }',
  )
  await recorded('a full disk is not told', ({ fault }) => /the disk of .* is too full/.test(fault))
  const { stdout, code } = await run(['playbooks/status.ts', '-i', archived, '--json'])
  assert.is(code, 3)
  assert.match(stdout, 'is too full')
  await write(300)
  await insert(8)
  assert.is.not(await slot(), 'lost')
  await inside('rm /var/lib/botgarden/archive/full')
  assert.is((await stored()).chain, began.chain)

  await inside(
    'df --output=avail -B1 /var/lib/botgarden/archive | tail -n 1 | { read -r free; head -c $((free - 20000000)) /dev/zero >/var/lib/botgarden/archive/full; }',
  )
  await recorded('a full disk is not told', ({ fault }) => /the disk of .* is too full/.test(fault))
  const before = await inside('date -u +%FT%TZ')
  for (let i = 0; i < 6; i++) {
    await write(200)
    await sql('checkpoint')
  }
  assert.is(await slot(), 'lost')
  assert.ok(Number(await inside('du -sm /var/lib/botgarden/postgres/*/docker/pg_wal | cut -f 1')) < 1800)
  await insert(9)
  assert.not.match(await there.answer('/start'), 'no answer')
  await inside('rm /var/lib/botgarden/archive/full')
  const { gap } = await recorded('the gap is not told', ({ gap }) => gap !== '')
  assert.match(gap, 'had to remove WAL')
  const after = await stored()
  assert.is.not(after.chain, began.chain)
  const refused = await restore('--name', 'hello-bot', '--as', 'hello_gap', '--at', before)
  assert.is(refused.code, 1, refused.stdout + refused.stderr)
  assert.match(refused.stdout + refused.stderr, /is in a gap of the archive: possible is .*, and /)
  await insert(10)
  const at = await inside('sleep 1; date -u +%FT%TZ')
  done(await restore('--name', 'hello-bot', '--as', 'hello_after', '--at', at))
  assert.is(await moments('hello_after'), '1 3 4 5 6 7 8 9 10')
})

test('it leaves the host within a minute, to where the host can remove and change nothing', async () => {
  await inside('useradd --create-home keeper; install -d -m 0700 -o keeper /home/keeper/.ssh')
  const receive = readFileSync('roles/backups/continuous/receive.sh', 'utf8')
  await inside(`printf %s ${quote(receive)} >/home/keeper/receive.sh`)
  const hostKey = (await inside('cut -d " " -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub')).trim()
  const sending = inventory({ days: 2, to: { ssh: 'keeper@127.0.0.1', hostKey } })
  done(await site(sending))
  const result = await site(sending)
  unchanged(result)
  const { archiveKey } = resultOf(result, host).outputs as { archiveKey: string }
  const [, line = ''] = /keeper@127.0.0.1: (.*)$/.exec(archiveKey) ?? []
  assert.match(line, /^restrict,command="sh receive.sh archive 2" ssh-ed25519 /)
  await inside(`printf '%s\\n' ${quote(line)} >/home/keeper/.ssh/authorized_keys; chown -R keeper /home/keeper`)
  const began = Number(await inside('date +%s'))
  await insert(11)
  const { sent } = await recorded(
    'nothing was sent',
    ({ through, sent }) => through >= began && sent?.waiting === 0,
    90,
  )
  assert.is(sent.waiting, 0)
  const arrived = await inside('find /home/keeper/archive -name "wal-*.age" -printf "%T@\\n" | sort -n | tail -n 1')
  process.stdout.write(`  a write had left after ${Math.round(Number(arrived) - began)} s\n`)
  assert.ok(Number(arrived) - began < 60)
  const ssh =
    'ssh -T -i /etc/botgarden/secrets/archive-identity -o BatchMode=yes -o UserKnownHostsFile=/opt/botgarden/archive/known_hosts keeper@127.0.0.1'
  const sums = () => inside('cd /home/keeper/archive && find . -type f | sort | xargs sha256sum | sha256sum')
  const kept = await sums()
  const path = await inside('cd /home/keeper/archive && ls -d */wal-*.age | tail -n 1')
  await inside(
    `printf 'put %s 5\\nwrong' ${path} | ${ssh}; ${ssh} rm -rf archive; echo 'put ../x 0' | ${ssh}; echo "put /etc/x 0" | ${ssh}`,
  )
  assert.is(await sums(), kept)
  const [chain = '', name = ''] = path.split('/')
  assert.is(
    await inside(`sha256sum </home/keeper/archive/${path}`),
    await inside(`sha256sum </var/lib/botgarden/archive/store/${chain}/${name}`),
  )
})

test('what it costs', async () => {
  const memory = await inside("docker stats --no-stream --format '{{.MemUsage}}' botgarden-archive")
  const commits = async () => {
    const out = await inside(
      `docker exec botgarden-postgres sh -c 'printf "insert into moments values (nextval(\\$\\$n\\$\\$));" >/tmp/one; pgbench -U postgres -n -c 1 -t 300 -f /tmp/one hello_bot' | grep 'latency average'`,
    )
    return Number(/([\d.]+) ms/.exec(out)?.[1])
  }
  await sql('create sequence n start 1000', 'hello_bot')
  const withArchiver = await commits()
  await inside('docker stop botgarden-archive')
  const without = await commits()
  await inside('docker start botgarden-archive')
  process.stdout.write(`  archiver ${memory}; a commit takes ${withArchiver} ms with it, ${without} ms without\n`)
})

test('taken out of the inventory nothing is left that runs, and WAL does not pile up', async () => {
  const check = await site(plain, '--check')
  const result = await site(plain)
  done(result)
  assert.equal(there.changed(result), there.changed(check))
  unchanged(await site(plain))
  assert.is(await slot(), 'none')
  assert.is(await sql('show wal_level'), 'minimal')
  assert.is(
    await inside(
      'docker ps -aq --filter name=botgarden-archive; systemctl list-timers --all --plain --no-legend | grep botgarden-archive',
    ),
    '',
  )
  assert.is(await sql("select count(*) from pg_roles where rolname = 'botgarden-archiver'"), '0')
  assert.is(await moments(), await moments())
})

test.run()
