// Needs a bare VPS of its own: `continuous`, and the sandbox's Telegram. It begins with PostgreSQL 17, and is moved to 18 on the way. WAL is
// archived on a small disk of its own, and sent to an account of the same machine by the forced command that another machine would have.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../../lib/shell/sh.ts'
import { removeVps, restartVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, run, scratchFile } from '../../support/runner.ts'
import { adminChat } from '../../support/vps/admin-chat.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'continuous'
const there = botHost(host, ['hello-bot', 'other-bot', 'admin-bot'])
const { inside, tokens } = there
const admin = adminChat(there.telegram, there.called('admin-bot'))
const domain = `${host}.sandbox`
/** A time when the server was of version 17. */
let before18 = ''
const identity = await generateX25519Identity()
const key = scratchFile('key.txt', `${identity}\n`)
const local = join(dirname(scratchFile('here', '')), 'copies')
const copies = join(local, host, 'archive')
const recipients = [await identityToRecipient(identity)]
const other = { 'other-bot': { host, source: resolve(import.meta.dirname, '../../../bots/hello-bot') } }
const watch = { chat: admin.id, token: { env: 'ADMIN_BOT_TOKEN' } }
const seventeen = { postgres: { image: 'postgres:17.6' } }
const inventory = (continuous: unknown, more: object = { watch }, openers = recipients) =>
  there.inventory(other, {
    ...{ domain, ...more },
    backups: { recipients: openers, local, ...(continuous !== undefined && { continuous }) },
  })
const plain17 = inventory(undefined, { watch, ...seventeen })
const archived17 = inventory(true, { watch, ...seventeen })
const plain = inventory(undefined)
const archived = inventory(true)

const site = (file: string, ...args: string[]) => run(['playbooks/site.ts', '-i', file, '--json', ...args], tokens)
const restoreBy = (file: string, key: string, args: readonly string[]) =>
  run(['playbooks/restore.ts', '-i', file, '--identity', key, '--yes', ...args])
const restore = (...args: string[]) => restoreBy(archived, key, args)
const sql = (text: string, database = 'postgres') =>
  inside(
    `printf %s ${quote(text)} | docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -U postgres -d ${database}`,
  )
const insert = (id: number, database = 'hello_bot') => sql(`insert into moments values (${id}) returning at`, database)
const moments = (database = 'hello_bot') => sql('select string_agg(id::text, $$ $$ order by id) from moments', database)
const status = async () => JSON.parse((await inside('cat /run/botgarden/archive/status.json')) || '{}')
const slot = () => sql("select coalesce(max(wal_status), 'none') from pg_replication_slots")
/** So much of WAL. */
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

/** Waits until the watch of the host has told it in the admin's chat, after so many messages; its timer alone starts runs. */
async function alerted(after: number, said: RegExp) {
  for (let tries = 0; tries < 150; tries++) {
    if ((await admin.texts()).slice(after).some((text) => said.test(text))) return
    await pause(2000)
  }
  throw new Error(`not told: ${said}\n${(await admin.texts()).slice(after).join('\n')}`)
}

test.before(async () => {
  await there.beginWith({ standIns: ['postgres17'], file: inventory(undefined, seventeen) })
  await admin.begin()
  done(await site(plain17))
  done(await there.deploy(['--all'], plain17))
  for (const database of ['hello_bot', 'other_bot'])
    await sql(
      `set role ${database}; create table moments (id int primary key, at timestamptz default clock_timestamp())`,
      database,
    )
})
test.after(() => removeVps(host))

test('a host that does not ask for it has no process, timer, role and setting of it', async () => {
  unchanged(await site(plain17))
  assert.is(await sql('show wal_level'), 'minimal')
  assert.is(
    await inside('ls /etc/systemd/system /opt/botgarden /var/lib/botgarden /etc/botgarden/secrets | grep archive'),
    '',
  )
})

test('one that does is told of the restart by the plan; the second run changes nothing', async () => {
  const check = await site(archived17, '--check')
  done(check, 2)
  assert.match(check.stdout, 'restart, for wal_level')
  const result = await site(archived17)
  done(result)
  assert.equal(there.changed(result), there.changed(check))
  unchanged(await site(archived17))
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
  const result = await restoreBy(archived17, key, ['--name', 'hello-bot', '--at', at])
  done(result)
  assert.is(await moments(), '1')
  assert.is(await moments('other_bot'), '1')
  assert.match(await inside('ls /var/lib/botgarden/dumps/hello-bot'), /^before-restore-/)
  assert.is(await inside('ls /var/lib/botgarden/incoming 2>/dev/null; docker ps -aq --filter name=botgarden-drill'), '')
  assert.not.match(await there.answer('/start'), 'no answer')
})

test('--as brings the same beside it, and a time without an offset is that of the host', async () => {
  await insert(3)
  await inside('timedatectl set-timezone Asia/Tokyo')
  const at = await inside("sleep 1; date '+%F %T'")
  before18 = `${await inside('date -u +%FT%T')}Z`
  await insert(4)
  const result = await restoreBy(archived17, key, ['--name', 'hello-bot', '--as', 'hello_then', '--at', at])
  await inside('timedatectl set-timezone Etc/UTC')
  done(result)
  assert.match(result.stdout + result.stderr, 'JST, in the time zone of the host')
  assert.is(await moments('hello_then'), '1 3')
  assert.is(await moments(), '1 3 4')
})

test('times that cannot be are refused, each with what is possible', async () => {
  for (const [at, words] of [
    ['2126-01-01 00:00:00', 'is in the future'],
    ['2026-01-01 00:00:00', 'is before the first base'],
    ['2026-02-30T00:00:00Z', 'there is no such time'],
    ['2026-02-30 00:00:00', 'there is no such time'],
    ['2026-13-01 00:00:00', 'a time like'],
  ] as const) {
    const { code, stderr, stdout } = await restoreBy(archived17, key, ['--name', 'hello-bot', '--at', at])
    assert.is(code, 1, stdout + stderr)
    assert.match(stdout + stderr, words)
  }
})

test('after a move to another major version a new base closes the gap, the times before it are refused in words, and --drill reads it all', async () => {
  const seen = (await admin.texts()).length
  const { chain } = await stored()
  const update = await run(['playbooks/update.ts', '-i', archived, '--json', '--postgres'])
  done(update)
  assert.match(update.stdout + update.stderr, 'the archive of WAL begins anew')
  await recorded('the gap is not told', ({ gap, closed }) => /the server has another cluster/.test(gap + closed))
  assert.is.not((await stored()).chain, chain)
  assert.match(await inside('docker inspect -f {{.Config.Image}} botgarden-archive'), /^postgres:18/)
  unchanged(await site(archived))
  const refused = await restore('--name', 'hello-bot', '--as', 'hello_old', '--at', before18)
  assert.is(refused.code, 3, refused.stdout + refused.stderr)
  assert.match(refused.stdout + refused.stderr, 'the archive of that time is of PostgreSQL 17')
  assert.is(
    await inside('ls -A /var/lib/botgarden/incoming 2>/dev/null; docker ps -aq --filter name=botgarden-drill'),
    '',
  )
  done(await run(['playbooks/backup.ts', '-i', archived]))
  assert.ok(existsSync(copies) && readdirSync(copies).length > 0)
  const drill = await restore('--drill')
  done(drill)
  assert.match(drill.stdout + drill.stderr, /drill:hello_bot: as of /)
  assert.is(await moments(), '1 3 4')
  await alerted(seen, /ha[ds] a gap.*the server has another cluster/)
})

test('an archiver that is not let in, and an archive that is not tended, are told by the watch, and nothing is missing', async () => {
  const { chain } = await stored()
  let seen = (await admin.texts()).length
  await sql('alter role "botgarden-archiver" nologin')
  await sql('select pg_terminate_backend(active_pid) from pg_replication_slots where active')
  await alerted(seen, /the archiver does not receive/)
  await sql('alter role "botgarden-archiver" login')
  await insert(41)
  const { chain: same, gap } = await stored()
  assert.equal([same, gap], [chain, ''])

  seen = (await admin.texts()).length
  await inside(
    "systemctl stop botgarden-archive.timer botgarden-archive; cd /run/botgarden/archive; jq '.at -= 600 | .through -= 600' status.json >x && mv x status.json",
  )
  await alerted(seen, /was last tended 1\d minutes ago/)
  assert.match((await admin.texts()).slice(seen).join('\n'), /ends 1\d minutes ago/)
  await inside('systemctl start botgarden-archive.timer')
  await alerted(seen, /resolved: .*was last tended/)
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
  assert.is(await moments('hello_killed'), '1 3 4 5 41')
})

/** Leaves 20 MB of the archive's disk. */
async function fillDisk() {
  await inside(
    'df --output=avail -B1 /var/lib/botgarden/archive | tail -n 1 | { read -r free; head -c $((free - 20000000)) /dev/zero >/var/lib/botgarden/archive/full; }',
  )
  await recorded('a full disk is not told', ({ fault }) => /the disk of .* is too full/.test(fault))
}
const emptyDisk = () => inside('rm /var/lib/botgarden/archive/full')
/** The time on the host, after all that was written until now. */
const timeThere = () => inside('sleep 0.1; date -u +%FT%T.%3NZ')

test('1 GB of WAL while the disk of the archive is full: the server serves on, the watch tells it, and it is caught up', async () => {
  const folder = '/var/lib/botgarden/archive'
  await inside(
    `systemctl stop botgarden-archive.timer; docker stop botgarden-archive; cp -a ${folder} /root/before; mount -t tmpfs -o size=400m,mode=0711 none ${folder}; cp -a /root/before/. ${folder}; docker start botgarden-archive; systemctl start botgarden-archive.timer`,
  )
  const { chain } = await stored()
  const seen = (await admin.texts()).length
  await fillDisk()
  const { stdout, code } = await run(['playbooks/status.ts', '-i', archived, '--json'])
  assert.is(code, 3)
  assert.match(stdout, 'is too full')
  for (let i = 0; i < 5; i++) {
    await write(200)
    await sql('checkpoint')
  }
  // At the end of what is caught up.
  await insert(8)
  const at = await timeThere()
  await insert(80)
  assert.not.match(await there.answer('/start'), 'no answer')
  await alerted(seen, /the disk of .* is too full/)
  assert.is.not(await slot(), 'lost')
  await emptyDisk()
  const caught = await stored()
  assert.equal([caught.chain, caught.gap], [chain, ''])
  await alerted(seen, /resolved: .*the disk of .* is too full/)
  done(await restore('--name', 'hello-bot', '--as', 'hello_full', '--at', at))
  assert.is(await moments('hello_full'), '1 3 4 5 6 7 8 41')
  await sql('delete from moments where id = 80', 'hello_bot')
})

test('more than the server keeps is a gap: it is told, a new base closes it, and a moment inside of it is refused with what is possible', async () => {
  const { chain } = await stored()
  const seen = (await admin.texts()).length
  await fillDisk()
  const before = await timeThere()
  for (let i = 0; i < 6; i++) {
    await write(200)
    await sql('checkpoint')
  }
  assert.is(await slot(), 'lost')
  assert.ok(Number(await inside('du -sm /var/lib/botgarden/postgres/18/docker/pg_wal | cut -f 1')) < 1800)
  await insert(9)
  assert.not.match(await there.answer('/start'), 'no answer')
  await emptyDisk()
  await recorded('the gap is not told', ({ gap, closed }) => /had to remove WAL/.test(gap + closed))
  await alerted(seen, /ha[ds] a gap.*had to remove WAL/)
  assert.is.not((await stored()).chain, chain)
  const refused = await restore('--name', 'hello-bot', '--as', 'hello_gap', '--at', before)
  assert.is(refused.code, 1, refused.stdout + refused.stderr)
  assert.match(refused.stdout + refused.stderr, /is in a gap of the archive: possible is .*, and /)
  await insert(10)
  done(await restore('--name', 'hello-bot', '--as', 'hello_after', '--at', await timeThere()))
  assert.is(await moments('hello_after'), '1 3 4 5 6 7 8 9 10 41')
})

test("before WAL that is kept fills the server's own disk it is let go, which is a gap as well", async () => {
  const { chain } = await stored()
  await inside('systemctl stop botgarden-archive.timer botgarden-archive; docker stop botgarden-archive')
  await write(100)
  // As if nothing of the disk were free.
  await inside("sed 's/ min_free=[^ ]*/ min_free=400/' /opt/botgarden/archive/archive >/root/full; sh /root/full")
  assert.is(await slot(), 'none')
  assert.match((await status()).gap, 'the disk of the server was nearly full')
  await inside('systemctl start botgarden-archive.timer')
  assert.is.not((await stored()).chain, chain)
})

test('it leaves the host within a minute, to where the host can remove and change nothing', async () => {
  await inside('useradd --create-home keeper; install -d -m 0700 -o keeper /home/keeper/.ssh')
  const receive = readFileSync('roles/backups/continuous/receive.sh', 'utf8')
  await inside(`printf %s ${quote(receive)} >/home/keeper/receive.sh`)
  const hostKey = (await inside('cut -d " " -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub')).trim()
  const [taken, nextIdentity] = [(await stored()).base.at, await generateX25519Identity()]
  const sending = inventory({ days: 2, to: { ssh: 'keeper@127.0.0.1', hostKey } }, { watch }, [
    await identityToRecipient(nextIdentity),
  ])
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
  // What was there before is sent as well, and those who can open it now can open all that a restore needs.
  const { base } = await recorded(
    'the new base was not sent',
    (state) => state.base.at > taken && state.gap === '' && state.sent.waiting === 0,
  )
  assert.ok(base.at > taken)
  const names = (folder: string) => inside(`cd ${folder} && find . -mindepth 2 -type f -name '*.age*' | sort`)
  assert.is(await names('/home/keeper/archive'), await names('/var/lib/botgarden/archive/store'))
  const at = await timeThere()
  await insert(12)
  await stored()
  const nextKey = scratchFile('next-key.txt', `${nextIdentity}\n`)
  done(await restoreBy(sending, nextKey, ['--name', 'hello-bot', '--as', 'hello_next', '--at', at]))
  assert.is(await moments('hello_next'), '1 3 4 5 6 7 8 9 10 11 41')
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

/** In ms: the median of several runs of 300 commits by one client, without and with the archiver in turns. */
async function commits() {
  const latency = async () => {
    const out = await inside(
      `docker exec botgarden-postgres sh -c 'printf "insert into paced values (nextval(\\$\\$paced_n\\$\\$));" >/tmp/one; pgbench -U postgres -n -c 1 -t 300 -f /tmp/one hello_bot' | grep 'latency average'`,
    )
    return Number(/([\d.]+) ms/.exec(out)?.[1])
  }
  const median = (all: number[]) => all.sort((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0
  const [given, without]: [number[], number[]] = [[], []]
  for (let i = 0; i < 5; i++) {
    await inside('docker start botgarden-archive 2>/dev/null')
    given.push(await latency())
    await inside('docker stop botgarden-archive 2>/dev/null')
    without.push(await latency())
  }
  return { given: median(given), without: median(without) }
}
const shown = ({ given, without }: Awaited<ReturnType<typeof commits>>) =>
  `${given} ms and ${without} ms (× ${(given / without).toFixed(2)})`

test('what it costs', async () => {
  await sql('create sequence paced_n; create table paced (n bigint primary key)', 'hello_bot')
  await stored()
  const memory = await inside("docker stats --no-stream --format '{{.MemUsage}}' botgarden-archive")
  await inside('systemctl stop botgarden-archive.timer')
  const received = await commits()
  await inside('docker start botgarden-archive; systemctl start botgarden-archive.timer')
  process.stdout.write(`  archiver ${memory}; a commit takes, with and without it, ${shown(received)}\n`)
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
  process.stdout.write(`  a commit takes, with wal_level minimal, ${shown(await commits())}\n`)
})

test.run()
