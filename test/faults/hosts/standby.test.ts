// Needs three bare VPSs of its own: `standby-a`, whose database server `standby-b` follows, until they change places, both with
// /dev/net/tun; and `standby-c`, a stranger to both.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Answer, replicationState } from '../../../commands/standby/ask.ts'
import { degrade, promote } from '../../../commands/standby/promote.ts'
import { local } from '../../../lib/shell/local.ts'
import { quote } from '../../../lib/shell/sh.ts'
import { type Connection, connect } from '../../../lib/ssh/connection.ts'
import { freshVps, removeVps, restartVps, sshConfigFor } from '../../../sandbox/index.ts'
import { containerOf } from '../../../sandbox/machine/paths.ts'
import { freshStranger, openPorts } from '../../support/nmap.ts'
import { inventoryOf, type Run, resultOf, run } from '../../support/runner.ts'
import { endedIn, outputIn, sqlIn } from '../../support/vps/inside.ts'

const [a, b] = ['standby-a', 'standby-b'] as const
const names = [a, b]
const stranger = 'standby-c'
const at = (name: string) => (name === a ? '10.214.0.1' : '10.214.0.2')
const mesh = { network: '10.214.0.0/16' }
const image = 'postgres:18.6'
const inventory = (ofA: object, ofB: object = {}) =>
  inventoryOf(
    a,
    { mesh },
    { hosts: { [a]: { mesh: { address: at(a) }, ...ofA }, [b]: { mesh: { address: at(b) }, ...ofB } } },
  )
const alone = inventory({})
const paired = inventory({ postgres: { standby: b } })
const synchronous = inventory({ postgres: { standby: b, synchronous: true } })
const swapped = inventory({}, { postgres: { standby: a } })

// A guard's minute is long, but not on a machine that does ten other things.
const env = { BOTGARDEN_GUARD_SECONDS: '600' }
const site = (file: string, ...args: string[]) =>
  run(['playbooks/site.ts', '-i', file, '--tags', 'mesh,ufw,docker,postgres', '--json', ...args], env)
const done = (result: Run, code = 0) => assert.is(result.code, code, `${result.stdout}${result.stderr}`)
const changed = (result: Run, name: string) => resultOf(result, name).ids as string[]
const inside = (name: string) => outputIn(name)
const sql = async (name: string, text: string) => {
  const { status, all } = await sqlIn(name)(text, 'garden')
  assert.is(status, 0, all)
  return all.trim()
}
const count = (name: string) => sql(name, 'select count(*) from notes')
/** As a bot does: by the socket, as a role of its own, which may have to wait. */
const write = (name: string, text: string, seconds = 5) =>
  endedIn(name)(
    `timeout ${seconds} docker exec -e PGOPTIONS= botgarden-postgres psql -XqAt -U postgres -d garden -c ${quote(`insert into notes values (default, '${text}')`)}`,
  )

async function withHost<T>(name: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect({ name, ssh: name, sshConfig: sshConfigFor(name), acceptNew: true })
  return use(connection).finally(() => connection.close())
}

const state = (name: string): Promise<Answer> =>
  withHost(name, (connection) =>
    replicationState(connection, { name, vars: { postgres: { image, settings: {} } } } as never),
  )

async function until(what: string, isSo: () => Promise<boolean>, seconds = 60): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    if (await isSo().catch(() => false)) return
    await pause(1000)
  }
  throw new Error(`${what}: not within ${seconds} s`)
}
const streaming = (name: string) =>
  until('streaming', async () => (await state(name)).server?.standby?.state === 'streaming')
const caughtUp = async (from: string, to: string) => {
  const there = await count(from)
  await until('all rows', async () => (await count(to)) === there)
}

async function opens(name: string, target: string, by = ''): Promise<boolean> {
  const [host = '', port = ''] = target.split(':')
  const { status } = await endedIn(name)(`${by} timeout 3 bash -c '</dev/tcp/${host}/${port}' 2>/dev/null`)
  return status === 0
}
const serverAddress = async (name: string) =>
  (
    await inside(name)(
      "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' botgarden-postgres",
    )
  ).trim()
// But for the gate, whose door is open to the other host of the pair alone.
const listening = (name: string) =>
  inside(name)("ss -Hltn | awk '{print $4}' | grep -v -e '^10\\.214\\.' -e '^\\*:51821$' | sort")

async function unchanged(file: string): Promise<void> {
  const result = await site(file)
  done(result)
  for (const name of names) {
    const { changed, unknown, roundTrips } = resultOf(result, name)
    assert.equal({ changed, unknown, roundTrips }, { changed: 0, unknown: 0, roundTrips: 1 }, name)
  }
}

test.before(async () => {
  for (const name of names) await freshVps(name, { tun: true, memory: '1500m' })
  await freshStranger(stranger)
  done(await site(alone))
  await inside(a)('docker exec botgarden-postgres psql -XqU postgres -c "create database garden"')
  await sql(a, 'create table notes (id serial primary key, text text)')
})
test.after(async () => {
  for (const name of [...names, stranger]) await removeVps(name)
})

const before = new Map<string, string>()

test('a host of a mesh that asks for no standby has no port, network, slot and role of it', async () => {
  for (const name of names) {
    assert.not.match(await inside(name)('ss -Hltn'), ':5432')
    assert.is((await inside(name)("docker inspect -f '{{.HostConfig.NetworkMode}}' botgarden-postgres")).trim(), 'none')
    assert.is(
      (await endedIn(name)('ls /etc/botgarden/primary.json /etc/sysctl.d/98-botgarden-postgres.conf')).status,
      2,
    )
    before.set(name, await listening(name))
  }
})

test('a check says what the run then does on both hosts, and a second run changes nothing', async () => {
  const checked = await site(paired, '--check')
  done(checked, 2)
  const applied = await site(paired)
  done(applied)
  for (const name of names) {
    const [said, did] = [resultOf(checked, name), resultOf(applied, name)]
    assert.equal([...said.ids, ...said.unknownIds].sort(), [...did.ids, ...did.unknownIds].sort(), name)
  }
  await unchanged(paired)
  const secrets = await inside(b)(
    'cat /etc/botgarden/secrets/postgres/superuser /etc/botgarden/secrets/postgres/standby/password',
  )
  assert.is(
    await inside(a)('cat /etc/botgarden/secrets/postgres/superuser /etc/botgarden/secrets/postgres/standby/password'),
    secrets,
  )
  for (const secret of secrets.match(/.{43}/g) ?? []) assert.not.match(applied.stdout + applied.stderr, secret)
  assert.is((await endedIn(b)('ls /var/lib/botgarden/incoming/standby')).status, 2)
})

test('what is written at the primary is there on the standby, over TLS 1.3, and nobody writes there', async () => {
  await write(a, 'first')
  await streaming(a)
  await caughtUp(a, b)
  const { status, all } = await write(b, 'no')
  assert.is(status, 1)
  assert.match(all, 'read-only transaction')
  assert.is(await sql(a, 'select version from pg_stat_ssl join pg_stat_replication using (pid)'), 'TLSv1.3')
  const [one, other] = [await state(a), await state(b)]
  assert.equal([one.server?.inRecovery, other.server?.inRecovery, other.server?.isReceiving], [false, true, true])
  assert.equal(one.record, { epoch: 1, primary: a, standby: b })
  assert.equal(other.record, one.record)
})

test('no bot, and nobody outside of the mesh, reaches either server; a server reaches the other one and nothing else', async () => {
  for (const name of names) {
    await inside(name)(
      'docker network create like-a-bot >/dev/null; docker run -d --name stolen --restart always --network like-a-bot --entrypoint sleep postgres:18.6 infinity >/dev/null',
    )
    const own = await serverAddress(name)
    for (const target of [`${at(a)}:5432`, `${at(b)}:5432`, `${own}:5432`])
      assert.not(await opens(name, target, 'docker exec stolen'), `${name}: a bot reaches ${target}`)
    const other = name === a ? b : a
    assert.ok(await opens(name, `${at(other)}:5432`), 'so this can fail: the host itself')
    assert.ok(await opens(name, `${at(other)}:5432`, 'docker exec botgarden-postgres'))
    const [outside = '', telegram = ''] = (
      await inside(name)(`getent ahostsv4 ${other} telegram.sandbox | awk '/STREAM/ { print $1 }'`)
    ).split('\n')
    for (const target of [`${at(other)}:22`, `${outside}:22`, `${at(name)}:22`, `${telegram}:8081`])
      assert.not(await opens(name, target, 'docker exec botgarden-postgres'), `the server of ${name} reaches ${target}`)
    assert.not(await opens(name, `${other}:5432`), 'outside of the mesh')
    assert.is(await listening(name), before.get(name))
  }
  const refused = await endedIn(b)(
    `docker run --rm --network host -e PGPASSWORD=$(cat /etc/botgarden/secrets/postgres/superuser) postgres:18.6 psql -h ${at(a)} -U postgres -c 'select 1'`,
  )
  assert.match(refused.all, 'no pg_hba.conf entry')
})

test('nmap finds the port of ssh from outside, and no other, though the gate of each answers the other one', async () => {
  assert.equal(await openPorts(stranger, names), { [a]: [22], [b]: [22] })
  assert.ok(await opens(a, `${at(b)}:51821`), 'the peer, in the mesh')
  assert.ok(await opens(a, `${b}:51821`), 'the peer, where the mesh is split')
  assert.not(await opens(stranger, `${b}.sandbox:51821`))
  await inside(b)('ufw allow 51821/tcp')
  assert.equal(await openPorts(stranger, [b]), { [b]: [22, 51_821] }, 'so this can fail')
  await inside(b)('ufw delete allow 51821/tcp')
})

test('a mesh that is late at boot takes the socket from nobody, and the standby follows once it is there', async () => {
  for (const name of names) {
    await inside(name)('systemctl disable --quiet wg-quick@mesh0')
    await restartVps(name)
    await until('the socket', async () => (await count(name)) !== '')
    assert.is((await endedIn(name)('ip link show mesh0')).status, 1)
  }
  assert.is((await write(a, 'without a mesh')).status, 0)
  assert.not(await opens(a, `${await serverAddress(a)}:5432`, 'docker exec stolen'))
  for (const name of names) await inside(name)('systemctl start wg-quick@mesh0')
  await streaming(a)
  await caughtUp(a, b)
  const result = await site(paired)
  done(result)
  for (const name of names) assert.equal(changed(result, name), ['mesh:interface'])
})

test('a standby that is lost holds nobody up, and catches up when it is back', async () => {
  await local({ quiet: true })`docker stop -t 2 ${containerOf(b)}`
  await until('noticed', async () => (await state(a)).server?.standby === null)
  assert.is((await write(a, 'alone')).status, 0)
  assert.equal((await state(a)).server?.slot, { status: 'reserved', active: false })
  const result = await site(paired, '--limit', a)
  assert.equal([result.code, changed(result, a)], [0, []], result.stdout)
  await restartVps(b)
  await streaming(a)
  await caughtUp(a, b)
})

test('what is kept for it is bounded: one that has missed more is copied again', async () => {
  await inside(b)('docker stop botgarden-postgres')
  await sql(a, "alter system set max_slot_wal_keep_size = '32MB'")
  await sql(a, 'select pg_reload_conf()')
  await until('the slot is lost', async () => {
    await sql(
      a,
      "select count(pg_logical_emit_message(false, 'x', repeat(md5(n::text), 31250))) from generate_series(1, 60) n",
    )
    await sql(a, 'select pg_switch_wal()')
    await sql(a, 'checkpoint')
    return (await state(a)).server?.slot?.status === 'lost'
  })
  assert.is((await write(a, 'on it goes')).status, 0)
  await sql(a, 'alter system reset max_slot_wal_keep_size')
  const result = await site(paired)
  done(result)
  assert.ok(changed(result, b).includes('standby:data'), result.stdout)
  await streaming(a)
  await caughtUp(a, b)
  await unchanged(paired)
})

test('synchronous: without the standby a commit waits, an operator does not, and --degrade lets it go on', async () => {
  done(await site(synchronous))
  await unchanged(synchronous)
  assert.is((await state(a)).server?.standby?.sync, 'sync')
  assert.is((await write(a, 'on both')).status, 0)
  assert.is(await count(b), await count(a))
  await inside(b)('docker stop botgarden-postgres')
  assert.is((await write(a, 'waits', 4)).status, 124)
  assert.is((await sqlIn(a)("insert into notes values (default, 'an operator')", 'garden')).status, 0)
  const waiting = write(a, 'goes on', 60)
  await until(
    'it waits',
    async () => (await sql(a, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'")) !== '0',
  )
  await withHost(a, (connection) => degrade(connection, a))
  assert.is((await waiting).status, 0)
  const lost = await site(synchronous, '--limit', a)
  assert.equal([lost.code, changed(lost, a)], [0, []])
  assert.not((await state(a)).server?.synchronous)
  const back = await site(synchronous)
  done(back)
  await streaming(a)
  done(await site(synchronous))
  await until('sync', async () => (await state(a)).server?.standby?.sync === 'sync')
  await unchanged(synchronous)
})

test('a primary that is gone: its standby takes its place with all that was acknowledged, and no run brings the old one back', async () => {
  for (let i = 0; i < 20; i++) assert.is((await write(a, `row ${i}`)).status, 0)
  const acknowledged = await count(a)
  await local({ quiet: true })`docker kill ${containerOf(a)}`
  const began = Date.now()
  // By hand, which no record tells: its gate would stop it again.
  await inside(b)('systemctl stop botgarden-gate.timer botgarden-gate.service')
  await withHost(b, (connection) => promote(connection, b))
  process.stdout.write(`  promoted after ${Date.now() - began} ms\n`)
  assert.is((await write(b, 'promoted')).status, 0)
  assert.is(await sql(b, "select count(*) from notes where text <> 'promoted'"), acknowledged)
  await withHost(b, (connection) => promote(connection, b))
  assert.equal((await state(b)).server?.synchronous, false)
  await restartVps(a)
  const both = await site(synchronous)
  assert.is(both.code, 3, both.stdout)
  assert.match(both.stdout + both.stderr, 'both primaries of one cluster, and no failover was recorded')
  await until('its gate is open', async () => (await count(a)) === acknowledged)
  await inside(b)(`echo '{"epoch":2,"primary":"${b}","standby":"${a}"}' >/etc/botgarden/primary.json`)
  const refused = await site(synchronous)
  assert.is(refused.code, 3, refused.stdout)
  assert.match(
    refused.stdout + refused.stderr,
    'move the line "postgres: { standby: standby-b }" from hosts.standby-a to hosts.standby-b',
  )
})

test('with the inventory changed the old one is made the standby', async () => {
  const result = await site(swapped)
  done(result)
  assert.ok(changed(result, a).includes('standby:data'))
  assert.equal((await state(a)).record, { epoch: 2, primary: b, standby: a })
  await streaming(b)
  await write(b, 'after')
  await caughtUp(b, a)
  await unchanged(swapped)
})

test('without the key all of it goes, and what the standby has is not thrown away without a word', async () => {
  const result = await site(alone)
  assert.is(result.code, 3, result.stdout)
  assert.match(result.stdout + result.stderr, `${a} is not the primary: ${b} is`)
  assert.ok(changed(result, b).includes('standby:absent'))
  assert.is((await write(b, 'alone')).status, 0)
  assert.is(await sql(b, 'select count(*) from pg_replication_slots'), '0')
  assert.is(await sql(b, "select count(*) from pg_roles where rolname = 'botgarden-standby'"), '0')
  assert.is(await sql(b, 'show wal_level'), 'minimal')
  // What each message says, with the gate's timer under way.
  await inside(a)('rm /etc/botgarden/primary.json')
  const refused = await site(alone)
  assert.match(refused.stdout + refused.stderr, 'the server of this host is a standby')
  await inside(a)('docker rm -f botgarden-postgres; mv /var/lib/botgarden/postgres /var/lib/botgarden/postgres.standby')
  done(await site(alone))
  await unchanged(alone)
  for (const name of names) {
    assert.not.match(await inside(name)('ss -Hltn'), ':5432')
    assert.is(
      (await endedIn(name)('ls -d /etc/botgarden/secrets/postgres/standby /sys/class/net/br-db-mesh')).status,
      2,
    )
  }
})

test.run()
