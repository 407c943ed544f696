// Needs a bare VPS of its own: `backups`. Backups as cron and an operator take them, and everything that goes wrong with them.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decryptPart } from '../../commands/restore/decrypt.ts'
import { local as command } from '../../lib/shell/local.ts'
import { quote } from '../../lib/shell/sh.ts'
import { Secret } from '../../lib/std/secret.ts'
import { parseBackupName, timestampOf } from '../../roles/backups/backup-name.ts'
import { parseManifest } from '../../roles/backups/manifest.ts'
import { freshVps, removeVps, sshConfigFor } from '../../sandbox/index.ts'
import { waitUntil } from '../../sandbox/machine/process.ts'
import { writeCopy } from '../support/hostile/marks.ts'
import { inventoryOf, resultOf, run, scratchFile, scratchInventory } from '../support/runner.ts'
import { endedIn, sqlIn } from '../support/vps/inside.ts'
import { type CountingProxy, countingProxy } from '../support/vps/proxy.ts'
import { portOf } from '../support/vps/ssh.ts'

const host = 'backups'
const store = '/var/lib/botgarden/backups'
const program = '/opt/botgarden/backups/backup'
const key = '/etc/botgarden/secrets/backup-signing-key'
const identity = await generateX25519Identity()
const recipients = [await identityToRecipient(identity)]
const local = join(dirname(scratchFile('here', '')), 'copies')
const copies = join(local, host)
const vars = { recipients, local, alert: { command: 'cat >>/root/alerts' } }
const inventory = inventoryOf(host, { backups: vars })
const tenants = scratchInventory(host, { tenant: { names: ['one', 'two'] } })

let proxy: CountingProxy | undefined

const site = (from: string, ...args: string[]) =>
  run(['playbooks/site.ts', '-i', from, '--json', '--tags', 'docker,postgres,certbot,backups', ...args])
const backup = (...args: string[]) => run(['playbooks/backup.ts', '-i', inventory, ...args])
const inside = endedIn(host)
const sql = (text: string, database = 'one') => sqlIn(host)(text, database)
const status = async () => JSON.parse((await inside('cat /opt/botgarden/backups/status.json')).stdout)
const there = async () => (await inside(`ls ${store}`)).stdout.split('\n').filter(Boolean)
const here = () => (existsSync(copies) ? readdirSync(copies).filter(parseBackupName).sort() : [])

/** A backup on the host that must fail: the reason is told and alerted, nothing half is left, the good ones stay. */
async function fails(reason: RegExp, before: string, after: string): Promise<void> {
  const { lastGood } = await status()
  const good = await there()
  await inside(`rm -f /root/alerts; ${before}`)
  const { status: code, all } = await inside(program)
  await inside(after)
  assert.is(code, 1, all)
  assert.match(all, reason)
  const now = await status()
  assert.equal([now.result, now.lastGood], ['failed', lastGood])
  assert.match(now.reason, reason)
  assert.match((await inside('cat /root/alerts')).stdout, reason)
  assert.equal(await there(), good)
  assert.is((await inside(`ls -A ${store} | grep partial; ls -d /run/botgarden-backup.* 2>/dev/null`)).stdout, '')
}

/** One that goes on without the database `one`: that is told and alerted, and the last one that has it is the last good one. */
async function failsInPart(reason: RegExp, before: string, after: string): Promise<void> {
  const { lastGood } = await status()
  await inside(`rm -f /root/alerts; ${before}`)
  const { status: code, all } = await inside(program)
  const now = await status()
  const { parts, failed } = parseManifest((await inside(`cat ${store}/${now.taken?.name}/manifest.json`)).stdout)
  await inside(after)
  assert.is(code, 1, all)
  assert.match(all, reason)
  assert.equal([now.result, now.lastGood], ['incomplete', lastGood])
  assert.match((await inside('cat /root/alerts')).stdout, reason)
  assert.equal(parts.map((part) => (part.kind === 'database' ? part.database : part.kind)).sort(), [
    'files',
    'globals',
    'postgres',
    'two',
  ])
  assert.equal(
    failed.map(({ database }) => database),
    ['one'],
  )
}

test.before(async () => {
  await freshVps(host)
  const { code, stderr } = await site(inventoryOf(host, { backups: { ...vars, schedule: '* * * * *' } }))
  assert.is(code, 0, stderr)
  assert.is((await run(['test/support/vps/tenant.ts', '-i', tenants])).code, 0)
  await sql(`
    create table users (id int primary key, name text); insert into users select n, 'visitor ' || n from generate_series(1, 100000) n;
    create table noise as select n, md5(n::text) || md5((n + 0.5)::text) || md5((-n)::text) as text from generate_series(1, 200000) n;
    create schema "My Own"; create table "My Own"."a (b" (x text); insert into "My Own"."a (b" values (E'1\\nCOPY users FROM stdin;\\n\\\\.\\n'), ('2')`)
})
test.after(async () => {
  await proxy?.close()
  await removeVps(host)
})

test('real cron takes one, and rows are counted as the dump holds them', async () => {
  // One that began before may hold half of the tables.
  const since = timestampOf(Date.now())
  const taken = () => waitUntil(240, async () => ((await there()).at(-1) ?? '') > since)
  assert.ok(await taken(), (await inside('journalctl -n 20 -t botgarden-backup')).stdout)
  const name = (await there()).at(-1)
  // It stands there before its status does.
  await inside('flock /opt/botgarden/backups/lock true')
  assert.equal((await status()).result, 'ok')
  const { parts } = parseManifest((await inside(`cat ${store}/${name}/manifest.json`)).stdout)
  const one = parts.find((part) => part.kind === 'database' && part.database === 'one')
  const counted = { '"My Own"."a (b"': 2, 'public.noise': 200_000, 'public.users': 100_000 }
  assert.equal(one?.kind === 'database' && one.tables, counted)
})

test('a second run changes nothing, and tells how old the last good one is', async () => {
  assert.equal(resultOf(await site(inventory), host).ids, ['file:/etc/cron.d/botgarden-backups'])
  await inside('flock /opt/botgarden/backups/lock true')
  const again = await site(inventory)
  const { changed, unknown, roundTrips } = resultOf(again, host)
  assert.equal({ changed, unknown, roundTrips }, { changed: 0, unknown: 0, roundTrips: 1 })
  assert.match(JSON.parse(again.stdout).outputs[host].backups[0], /^last good one \d+ min old/)
})

test('nobody but root reaches the files, and root reads nothing in them', async () => {
  assert.match((await inside(`runuser -u debian -- ls ${store}`)).all, /Permission denied/)
  assert.is((await inside(`find ${store} ! -user root -o -type d ! -perm 0700 -o -type f ! -perm 0600`)).stdout, '')
  const password = (await inside('cat /etc/botgarden/secrets/tenants/one')).stdout
  for (const text of ['visitor 4711', password, 'PRIVATE KEY', 'SCRAM-SHA-256'])
    assert.is(
      (await inside(`grep -rlF -- ${quote(text)} ${store} /opt/botgarden/backups /run/botgarden*`)).stdout,
      '',
      text,
    )
})

test('a backup now: taken, brought here, verified, and opened by the operator’s key alone', async () => {
  const { code, stdout, stderr } = await backup()
  assert.is(code, 0, stderr)
  assert.match(stdout, /taken: \S+Z, \d/)
  const [name = ''] = here().toReversed()
  assert.ok((await there()).includes(name))
  const folder = join(copies, name)
  const { parts } = parseManifest(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  const stranger = new Secret(await generateX25519Identity())
  for (const part of parts) {
    const plain = await Array.fromAsync(decryptPart(folder, part, [stranger, new Secret(identity)]))
    assert.is(Buffer.concat(plain).length, part.size)
    let refused = ''
    await Array.fromAsync(decryptPart(folder, part, [stranger])).catch(({ message }) => (refused = message))
    assert.match(refused, /none of these identities can decrypt it/)
    if (part.kind === 'globals') assert.match(Buffer.concat(plain).toString(), /CREATE ROLE one;/)
    if (part.kind === 'files')
      for (const file of ['tenants/one', 'backup-signing-key'])
        assert.match(Buffer.concat(plain).toString('latin1'), `etc/botgarden/secrets/${file}`)
  }
})

test('the host signs by a key of its own, which is kept here at the first time', async () => {
  const { stdout } = await inside(`stat -c '%a %U' ${key}; ssh-keygen -lf ${key}`)
  const [mode, fingerprint = ''] = stdout.split('\n').map((line, i) => (i === 0 ? line : line.split(' ')[1]))
  assert.is(mode, '400 root')
  assert.match((await backup()).stdout, `signed by ${fingerprint}`)
  const signers = join(copies, 'allowed_signers')
  assert.match(readFileSync(signers, 'utf8'), /^backups namespaces="botgarden-backup" ssh-ed25519 \S+ since \S+Z\n$/)
  // By hand, as the page on backups has it.
  const byHand = `cd ${quote(join(copies, here().at(-1) ?? ''))} && ssh-keygen -Y verify -f ../allowed_signers -I ${host} -n botgarden-backup -s SHA256SUMS.sig <SHA256SUMS && sha256sum --quiet -c SHA256SUMS && echo whole`
  assert.match(await runSh(scratchFile('by-hand', byHand)), /^Good "botgarden-backup" signature.*\nwhole\n$/)
})

/** The newest backup on the host, after something was done to it: what backup.ts says, which must not have brought it. */
async function spoiltOnHost(how: string, said: RegExp): Promise<void> {
  assert.is((await inside(program)).status, 0)
  const [bad = ''] = (await there()).toReversed()
  const spoilt = await inside(`cd ${store}/${bad} && ${how}`)
  assert.is(spoilt.status, 0, spoilt.all)
  const { code, stderr } = await backup()
  await inside(`rm -rf ${store}/${bad}`)
  assert.is(code, 3)
  assert.ok(stderr.includes(bad), stderr)
  assert.match(stderr, said)
  assert.not(here().includes(bad))
}

test('who has not the key makes no backup that counts: not by other checksums, not without a signature', async () => {
  await spoiltOnHost(
    `sed -i s/hello/evil/ manifest.json && echo ' ' >>manifest.json && { sha256sum -- manifest.json *.age >SHA256SUMS; }`,
    /the downloaded copy is damaged: its signature is invalid/,
  )
  await spoiltOnHost('rm SHA256SUMS.sig', /is not signed, although backups signs its backups since \S+ with SHA256:/)
})

test('a key that has changed is refused until the operator takes it, and a host without one takes no backup', async () => {
  await inside(`mv ${key} /root/key`)
  const without = await inside(program)
  assert.is(without.status, 1)
  assert.match(without.all, /backup-signing-key is missing, which signs backups: site\.ts makes one/)
  assert.equal(resultOf(await site(inventory), host).ids, [`secret:${key}`])
  const before = here()
  for (const args of [[], ['--status']]) {
    const { code, stderr } = await backup(...args)
    assert.is(code, 3, stderr)
    assert.match(
      stderr,
      /the key that signs the backups of backups has CHANGED.*\n +it is SHA256:\S+, and \S+ has SHA256:/,
    )
  }
  assert.equal(here(), before)
  const line = /^ +(backups namespaces=.*)$/m.exec((await backup()).stderr)?.[1] ?? ''
  const signers = join(copies, 'allowed_signers')
  const kept = readFileSync(signers, 'utf8')
  writeFileSync(signers, `${kept}${line}\n`)
  const taken = await backup()
  assert.is(taken.code, 0, taken.stderr)
  // The one before is back, as after a rebuild: both are known.
  await inside(`mv -f /root/key ${key}`)
  assert.is((await backup()).code, 0)
})

test('cron’s run says nothing where all is well', async () => {
  assert.equal(await backup('--quiet'), { code: 0, stdout: '', stderr: '' })
  assert.equal(await backup('--quiet', '--status'), { code: 0, stdout: '', stderr: '' })
})

test('one database by itself', async () => {
  assert.is((await backup('--name', 'two')).code, 0)
  const [name = ''] = here().toReversed()
  assert.match(name, /Z-two$/)
  const { parts } = parseManifest(readFileSync(join(copies, name, 'manifest.json'), 'utf8'))
  assert.equal(
    parts.map(({ file }) => file),
    ['database-two.dump.age'],
  )
  const { code, stderr } = await backup('--name', 'three')
  assert.is(code, 3)
  assert.match(stderr, /there is no database "three": there are one postgres two/)
})

test('the server is down', () =>
  fails(
    /databases cannot be listed.*(is not running|container)/,
    'docker stop botgarden-postgres',
    'docker start botgarden-postgres',
  ))

test('the dump is cut short', async () => {
  await inside('for s in $(seq 30); do docker exec botgarden-postgres pg_isready -q && break; sleep 1; done')
  const begun = `find ${store}/.partial-* -size +200k 2>/dev/null | grep -q .`
  const killer = `setsid sh -c 'until ${begun}; do :; done; pkill -9 -x pg_dump' >/dev/null 2>&1 &`
  await failsInPart(/database-one.dump.age: /, killer, 'true')
})

test('the disk is full in the middle of the dump, and too full to begin', async () => {
  const mount = (size: string) => `mount -t tmpfs -o mode=0700,size=${size} none ${store}`
  await failsInPart(/needs more than the \d+ bytes/, `${mount('4m')}`, `umount ${store}`)
  await fails(
    /too full to begin: \d+ % free, and minFree asks for 15/,
    `${mount('4m')}; head -c 3700000 /dev/zero >${store}/x`,
    `umount ${store}`,
  )
})

test('a bot that locks a table, and names it for the terminal, stops its own backup and nobody else’s', async () => {
  const name = 'x\u001b[2Jy\u202e'
  await sql(`set role one; create table "${name}" (a int)`)
  // What the owner of the other one has set: nothing of it keeps its database from being dumped.
  await sql(
    `set role two; create table cyrillic as select 'привет' as x;
    alter database two set role = 'two'; alter database two set client_encoding = 'LATIN1'; alter database two is_template true;
    alter database two set statement_timeout = 1; alter database two set idle_session_timeout = 1; alter database two set transaction_timeout = 1`,
    'two',
  )
  const locked = `set role one; begin; lock table \\"${name}\\" in access exclusive mode; select pg_sleep(600)`
  await inside(`docker exec -d botgarden-postgres psql -X -U postgres -d one -c "set statement_timeout = 0; ${locked}"`)
  const isLocked = `select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = (select oid from pg_class where relname like 'x%y%')`
  assert.ok(await waitUntil(30, async () => (await sql(isLocked)).stdout === '1'))
  const before = here()
  const taken = await backup()
  const looked = await backup('--status')
  const site = await run(['playbooks/site.ts', '-i', inventory, '--tags', 'backups', '--check'])
  await sql(
    `select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`,
  )
  assert.is(taken.code, 3, taken.stderr)
  const shown =
    /one(?: is not in \S+)?: database-one\.dump\.age: command ended with 1: .*statement timeout.*"x\\u001b\[2Jy\\u202e"/
  for (const text of [taken.stderr, looked.stderr, site.stdout]) {
    assert.match(text, shown)
    for (const sign of ['\u001b', '\u202e']) assert.not(text.includes(sign))
  }
  const [newest = ''] = here().toReversed()
  assert.not(before.includes(newest))
  const { parts } = parseManifest(readFileSync(join(copies, newest, 'manifest.json'), 'utf8'))
  assert.equal(parts.map((part) => (part.kind === 'database' ? part.database : part.kind)).sort(), [
    'files',
    'globals',
    'postgres',
    'two',
  ])
  assert.is(looked.code, 3)
  assert.match(looked.stdout, /one: on the host \d+ min old, here \d+ min old/)
  await sql(`drop table "${name}"`)
  await sql('alter database two is_template false; alter database two reset all')
  const whole = await backup()
  assert.is(whole.code, 0, whole.stderr)
})

test('one that is killed is told as killed, and not by the reason of the one before', async () => {
  const begun = `find ${store}/.partial-* -size +200k 2>/dev/null | grep -q .`
  await inside(`setsid sh -c 'until ${begun}; do :; done; pkill -9 -f ^/bin/sh.${program}' >/dev/null 2>&1 &`)
  const { code, stderr } = await backup()
  assert.is(code, 3)
  assert.match(stderr, /no backup was taken: it was started then, and was killed or the host went down/)
  await inside('flock /opt/botgarden/backups/lock true')
  assert.is((await backup()).code, 0)
})

test('a failure on the host is the operator’s as well: one block, exit code 3, and the copies stay', async () => {
  const before = here()
  await inside('docker pause botgarden-postgres; docker stop -t 0 botgarden-postgres')
  const failed = await backup('--quiet')
  const told = JSON.parse((await site(inventory, '--check')).stdout).outputs[host].backups
  await inside(
    'docker start botgarden-postgres; for s in $(seq 30); do docker exec botgarden-postgres pg_isready -q && break; sleep 1; done',
  )
  assert.equal([failed.code, failed.stdout], [3, ''])
  assert.match(failed.stderr, /^backups {2}FAILED: no backup was taken: the databases cannot be listed/)
  assert.equal(here(), before)
  assert.match(told.join('\n'), /last good one .*\nFAILED at /)
})

test('two at once: one is taken, the other says so', async () => {
  const { stdout } = await inside(
    `${program} >/dev/null 2>&1 & a=$!; ${program} >/dev/null 2>&1; b=$?; wait $a; echo $(($? + b))`,
  )
  assert.is(stdout, '75')
  const runs = await Promise.all([backup(), backup()])
  assert.equal(runs.map(({ code }) => code).sort(), [0, 3])
  assert.match(runs.map(({ stderr }) => stderr).join(''), /another run holds .*\.lock/)
})

test('a byte that has flipped on the host is found before the backup counts', async () => {
  assert.is((await inside(program)).status, 0)
  const [bad = ''] = (await there()).toReversed()
  // One byte alone may have been the same before.
  const spoilt = await inside(
    `f=${store}/${bad}/database-one.dump.age; [ -f $f ] && printf spoiltby | dd of=$f bs=1 seek=50000 conv=notrunc`,
  )
  assert.is(spoilt.status, 0, spoilt.all)
  const { code, stderr } = await backup()
  assert.is(code, 3)
  assert.match(stderr, `${bad}: the downloaded copy is damaged: database-one.dump.age: its checksum`)
  assert.not(here().includes(bad))
  assert.ok((await there()).at(-1) === here().at(-1), 'the good one that was taken then is here')
  await inside(`rm -rf ${store}/${bad}`)
})

test('a collapse is doubted once, and nothing is removed meanwhile', async () => {
  await sql('create table kept as table noise; truncate noise')
  await sql('drop table kept')
  const { code, stderr } = await backup()
  assert.is(code, 3)
  assert.match(stderr, /suspicious: database-one\.dump\.age: \d+ bytes, less than half of/)
  await sql(
    'insert into noise select n, md5(n::text) || md5((n + 0.5)::text) || md5((-n)::text) from generate_series(1, 200000) n',
  )
  assert.is((await backup()).code, 0)
})

test('a clock that is wrong is told, and costs no backup', async () => {
  const good = await there()
  await inside(
    `printf '#!/bin/sh\\nexec /usr/bin/date -d "+3650 days" "$@"\\n' >/usr/local/bin/date; chmod +x /usr/local/bin/date`,
  )
  const ahead = await backup()
  await inside('rm /usr/local/bin/date')
  assert.is(ahead.code, 3)
  assert.match(ahead.stderr, /its clock and this machine's differ: it is 3650 days ahead/)
  const [future = ''] = (await there()).toReversed()
  const back = await backup()
  assert.is(back.code, 3)
  assert.match(back.stderr, `${future}: from the future`)
  const now = await there()
  for (const name of good.slice(-1)) assert.ok(now.includes(name), name)
  await inside(`rm -rf ${store}/${future}`)
  renameSync(join(copies, future), join(local, 'future'))
})

test('a connection that breaks in the middle of a pull is made again, and a run that is cut is gone on with', async () => {
  const port = portOf(host)
  proxy = await countingProxy(port)
  const config = readFileSync(sshConfigFor(host), 'utf8').replace(
    `Port ${port}`,
    `Port ${proxy.port}\n  HostKeyAlias [127.0.0.1]:${port}`,
  )
  const through = inventoryOf(host, { backups: vars }, { sshConfig: scratchFile('ssh_config_cut', config) })
  const cold = { BOTGARDEN_CONTROL_PERSIST: '0' }

  proxy.cutAfter(4_000_000)
  const mended = await run(['playbooks/backup.ts', '-i', through], cold)
  assert.is(mended.code, 0, mended.stderr)
  assert.match(mended.stderr, /connection was lost.*retrying in 5 s/)
  assert.match(mended.stderr, /✓ \S+: [\d.]+ MB, resumed after [1-4]\.\d MB/)

  proxy.cutAfter(4_000_000, { dead: true })
  const cut = await run(['playbooks/backup.ts', '-i', through, '--quiet'], cold)
  assert.is(cut.code, 4)
  assert.match(cut.stderr, /^backups {2}unreachable: /)
  const resumed = await backup()
  assert.is(resumed.code, 0, resumed.stderr)
  assert.match(resumed.stderr, /resumed after [1-4]\.\d MB/)
  assert.equal(here().at(-1), (await there()).at(-1))
})

test('the operator’s cron runs it from its bare environment, and restic takes the copies along', async () => {
  const bin = join(local, 'bin')
  mkdirSync(bin, { recursive: true })
  const tab = join(local, 'tab')
  const fake = (name: string, text: string) => {
    renameSync(scratchFile(name, `#!/bin/sh\n${text}\n`), join(bin, name))
    chmodSync(join(bin, name), 0o755)
  }
  fake(
    'crontab',
    `case $1 in -l) cat ${tab} 2>/dev/null || { echo 'no crontab for you' >&2; exit 1; } ;; -r) rm ${tab} ;; *) cat >${tab} ;; esac`,
  )
  const withBin = { PATH: `${bin}:${process.env.PATH}` }
  assert.is((await run(['playbooks/backup.ts', '-i', inventory, '--install-cron', '17 3 * * *'], withBin)).code, 0)
  const entry =
    readFileSync(tab, 'utf8')
      .match(/^17 3 \* \* \* (.*)$/m)?.[1]
      ?.replaceAll('\\%', '%') ?? ''
  const count = here().length
  const asCron = scratchFile(
    'as-cron',
    `exec env -i HOME=${quote(process.env.HOME ?? '/')} LOGNAME=x SHELL=/bin/sh PATH=/usr/bin:/bin sh -c ${quote(entry)}`,
  )
  assert.is(await runSh(asCron), '')
  assert.is(here().length, count + 1)
  assert.is((await run(['playbooks/backup.ts', '-i', inventory, '--remove-cron'], withBin)).code, 0)
  assert.not(existsSync(tab))

  const offsite = { restic: 'sftp:x:/y', passwordCommand: 'pass show x' }
  const pushing = inventoryOf(host, { backups: { ...vars, offsite } })
  fake('restic', 'exit 127')
  const missing = await run(['playbooks/backup.ts', '-i', pushing], withBin)
  assert.match(missing.stderr, /restic is missing, which offsite needs: apt-get install restic/)
  fake('restic', `echo "$RESTIC_REPOSITORY $RESTIC_PASSWORD_COMMAND $*" >${local}/pushed`)
  assert.is((await run(['playbooks/backup.ts', '-i', pushing], withBin)).code, 0)
  assert.match(
    readFileSync(join(local, 'pushed'), 'utf8'),
    new RegExp(`^sftp:x:/y pass show x backup --quiet .* ${copies}$`, 'm'),
  )
})

test('a manifest gives nobody more rights than its own database: no program runs in the server, whoever it names', async () => {
  const program = `copy (select 1) to program touch /tmp/ran`
  // It spares whoever makes the trap.
  await sql('create database trap', 'postgres')
  await sql(
    `create function f() returns boolean language plpgsql as 'begin if session_user <> ''postgres'' then execute ''${program}''; end if; return true; end';
     create table t (x int, check (public.f())); insert into t values (1)`,
    'trap',
  )
  const dumped = await inside('docker exec botgarden-postgres pg_dump -U postgres -Fc trap | base64 --wrap=0')
  await sql('drop database trap', 'postgres')
  const opens = scratchFile('key.txt', `${identity}\n`)
  // Whoever has taken the host over signs as it does.
  const signs = scratchFile('signing-key', `${(await inside(`cat ${key}`)).stdout}\n`)
  chmodSync(signs, 0o600)
  const ways = [['--name', 'one'], ['--name', 'one', '--as', 'beside'], ['--drill']]
  for (const [i, owner] of ['pg_execute_server_program', 'one'].entries()) {
    const dump = Buffer.from(dumped.stdout, 'base64')
    // Newer than every other, whichever was taken last.
    const time = Math.max(...here().map((each) => parseBackupName(each)?.time ?? 0)) + (i + 1) * 1000
    const [recipient = ''] = recipients
    const name = await writeCopy(local, {
      ...{ host, time, recipient, key: signs },
      databases: [{ database: 'one', owner, tables: { 'public.t': 1 }, dump }],
    })
    const before = (await sql('select md5(string_agg(name, chr(10) order by id)) from users')).stdout
    for (const way of ways) {
      const { code, stdout, stderr } = await run([
        'playbooks/restore.ts',
        '-i',
        inventory,
        '--identity',
        opens,
        '--yes',
        ...way,
      ])
      assert.is(code, 3, stdout + stderr)
    }
    assert.is((await inside('docker exec botgarden-postgres ls /tmp/ran')).status, 2)
    assert.is((await sql('select md5(string_agg(name, chr(10) order by id)) from users')).stdout, before)
    renameSync(join(copies, name), join(local, name))
  }
})

test('a drill keeps its data in memory, none on the disk', async () => {
  const key = scratchFile('key.txt', `${identity}\n`)
  const volumes = 'docker volume ls --quiet | wc -l; docker ps --all --quiet --filter name=botgarden-drill | wc -l'
  const before = (await inside(volumes)).stdout
  const drill = run(['playbooks/restore.ts', '-i', inventory, '--identity', key, '--drill'])
  const where = `docker exec botgarden-drill sh -c '[ -s $PGDATA/PG_VERSION ] && stat -f -c %T $PGDATA' 2>/dev/null`
  const looked = await inside(
    `for i in $(seq 600); do ${where} && docker volume ls --quiet | wc -l && break; sleep 0.1; done`,
  )
  const { code, stderr } = await drill
  assert.is(code, 0, stderr)
  assert.is(looked.stdout, `tmpfs\n${before.split('\n')[0]}`)
  assert.is((await inside(volumes)).stdout, before)
})

test('what a restore that was killed has left goes with the next run, which tells it', async () => {
  const incoming = '/var/lib/botgarden/incoming'
  await inside(`mkdir -p -m 0700 ${incoming}; echo plain >${incoming}/x.dump; echo plain >${incoming}/x.dump.counts`)
  await sql('create role "botgarden-reader" login', 'postgres')
  await sql('create database "botgarden-restoring" owner "botgarden-reader"', 'postgres')
  await sql('alter database "botgarden-restoring" is_template true', 'postgres')
  // What it has replaced is dropped, or is all there is and gets its name back.
  await sql('create database "botgarden-before" owner one', 'postgres')
  await sql('comment on database "botgarden-before" is $$one$$', 'postgres')
  const checked = await site(inventory, '--check')
  assert.ok(resultOf(checked, host).ids.includes('leftovers:restore'))
  assert.is((await inside(`cat ${incoming}/x.dump`)).stdout, 'plain', 'a check removes nothing')
  assert.ok(resultOf(await site(inventory), host).ids.includes('leftovers:restore'))
  const databases = async () => (await sql('select datname from pg_database order by 1', 'postgres')).stdout
  assert.is(await databases(), 'one\npostgres\ntemplate0\ntemplate1\ntwo')
  assert.is((await inside(`ls -A ${incoming}`)).stdout, '')
  assert.is((await sql(`select count(*) from pg_roles where rolname like 'botgarden%'`, 'postgres')).stdout, '0')
  await sql('create database "botgarden-before" owner one', 'postgres')
  await sql('comment on database "botgarden-before" is $$lost$$', 'postgres')
  await site(inventory)
  assert.is(await databases(), 'lost\none\npostgres\ntemplate0\ntemplate1\ntwo')
  await sql('drop database lost', 'postgres')
  assert.is(resultOf(await site(inventory, '--check'), host).changed, 0)
})

test('past 26 hours the status is 3, whichever side it is that is old', async () => {
  assert.is((await backup('--status')).code, 0)
  const [name = ''] = here().toReversed()
  const old = `${timestampOf(Date.now() - 27 * 3_600_000)}`
  for (const each of here().filter((other) => other !== name)) renameSync(join(copies, each), join(local, each))
  renameSync(join(copies, name), join(copies, old))
  const stale = await backup('--status')
  assert.is(stale.code, 3)
  assert.match(stale.stderr, /all: the last good backup here is 27 h old/)
  const none = await run(['playbooks/backup.ts', '-i', inventoryOf(host)])
  assert.is(none.code, 1)
  assert.match(none.stderr, /backups\.recipients: missing/)
})

test('a host of before signs from the next run on, and what it has unsigned stays', async () => {
  const elsewhere = join(local, 'elsewhere')
  const later = inventoryOf(host, { backups: { ...vars, local: elsewhere } })
  const bring = (...args: string[]) => run(['playbooks/backup.ts', '-i', later, ...args])
  await inside(`rm -rf ${store}/* ${key}; sed -i '/^  sign$/d' ${program}`)
  const unsigned = await bring()
  assert.is(unsigned.code, 3, unsigned.stderr)
  assert.match(
    unsigned.stderr,
    /^backups {2}suspicious: its backups are not signed yet: run site\.ts, which creates the signing key/m,
  )
  const [old = ''] = await there()
  assert.ok(existsSync(join(elsewhere, host, old)))
  assert.is((await inside(program)).status, 0)
  assert.equal(resultOf(await site(later), host).ids, [`secret:${key}`, `file:${program}`])
  assert.equal(await bring('--quiet'), { code: 0, stdout: '', stderr: '' })
  const names = readdirSync(join(elsewhere, host)).filter(parseBackupName).sort()
  assert.is(names.length, 3)
  assert.equal(
    names.map((name) => existsSync(join(elsewhere, host, name, 'SHA256SUMS.sig'))),
    [false, false, true],
  )
})

/** What a script prints that a shell runs, stderr included. */
async function runSh(file: string): Promise<string> {
  const { stdout, stderr } = await command({ nothrow: true })`sh ${file}`
  return `${stdout}${stderr}`
}

test.run()
