// Needs a bare VPS of its own: `database`. The server that all bots share, attacked from a container and by power cuts.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { freshVps, removeVps } from '../../sandbox/index.ts'
import { containerOf } from '../../sandbox/machine/paths.ts'
import { awaitReady } from '../../sandbox/vps/boot.ts'
import { inventoryOf, resultOf, run, scratchInventory } from '../support/runner.ts'
import { endedIn, sqlIn } from '../support/vps/inside.ts'

const host = 'database'
const site = (...args: string[]) => run(['playbooks/site.ts', '-i', inventoryOf(host), '--json', ...args])
const tenants = (...args: string[]) => run(['test/support/vps/tenant.ts', '-i', inventory, '--json', ...args])
const inventory = scratchInventory(host, { tenant: { names: ['one', 'two'] } })
const here = local({ quiet: true, nothrow: true })

const inside = endedIn(host)
/** Waits until both servers are well again, however they come to be that. */
const healthy = async () => {
  const health = (name: string) => `$(docker inspect -f '{{.State.Health.Status}}' botgarden-${name})`
  const well = `[ "${health('postgres')} ${health('nginx')}" = 'healthy healthy' ] && docker exec botgarden-postgres pg_isready -q`
  assert.is((await inside(`until ${well}; do sleep 0.2; done`)).status, 0)
}
const sql = (text: string, database = 'postgres') => sqlIn(host)(text, database)

/** psql in a container like a bot's: no network, the socket's folder read-only, a uid of its choice. */
const asTenant = (uid: number, ...args: string[]) =>
  inside(
    `docker run --rm -i --network none --user ${uid}:${uid} --entrypoint '' ` +
      '--mount type=bind,source=/run/botgarden/postgres,target=/run/postgresql,readonly ' +
      `postgres:18.6 ${args.join(' ')} </dev/null`,
  )

test.before(async () => {
  await freshVps(host)
  const { code, stderr } = await site()
  assert.is(code, 0, stderr)
  assert.is((await tenants()).code, 0)
})
test.after(() => removeVps(host))

test('role and database are made once, and a second run changes nothing in one round trip', async () => {
  const { changed, unknown, roundTrips } = resultOf(await tenants(), host)
  assert.equal({ changed, unknown, roundTrips }, { changed: 0, unknown: 0, roundTrips: 1 })
})

test('what proves a password is a mark, and no login; a password that the host has lost or changed is still seen', async () => {
  // Logins that try a password are for this database, which lets none in; the server logs that.
  const logins = async () => (await inside('docker logs botgarden-postgres 2>&1 | grep -c template1')).stdout
  const before = await logins()
  assert.equal(resultOf(await tenants('--check'), host).ids, [])
  assert.is(await logins(), before)
  await inside('cd /etc/botgarden/secrets/tenants && cp -p one kept && printf other >one')
  assert.equal(resultOf(await tenants('--check'), host).ids, ['postgres-role:one'])
  await inside('cd /etc/botgarden/secrets/tenants && mv kept one')
  assert.equal(resultOf(await tenants('--check'), host).ids, [])
  await sql('comment on role one is null')
  assert.equal(resultOf(await tenants(), host).ids, ['postgres-role:one'])
  assert.is.not(await logins(), before, 'without a mark it is tried')
})

for (const [drift, id] of [
  ['alter role one superuser', 'postgres-role:one'],
  ['alter role one nologin', 'postgres-role:one'],
  ['alter role one connection limit 99', 'postgres-role:one'],
  ["alter role one set lock_timeout = '1min'", 'postgres-role:one'],
  ['grant pg_read_all_data to one', 'postgres-role:one'],
  ["alter role one password 'another'", 'postgres-role:one'],
  ["comment on role one is 'botgarden:0'", 'postgres-role:one'],
  ['alter role one password null', 'postgres-role:one'],
  ['alter database one owner to two', 'postgres-database:one'],
  ['grant connect on database one to two', 'postgres-database:one'],
  ['grant connect on database one to public', 'postgres-database:one'],
  ['alter database one is_template true', 'postgres-database:one'],
  ['alter database one allow_connections false', 'postgres-database:one'],
] as const)
  test(`one drift is seen by a check, mended by a run, and nothing else changes: ${drift}`, async () => {
    const before = (
      await sql('select md5(string_agg(r::text, chr(10) order by oid)) from pg_authid r where rolname <> $$one$$')
    ).stdout
    assert.is((await sql(drift)).status, 0)
    assert.equal(resultOf(await tenants('--check'), host).ids, [id])
    assert.equal(resultOf(await tenants(), host).ids, [id])
    assert.is(resultOf(await tenants('--check'), host).changed, 0)
    assert.is(
      (await sql('select md5(string_agg(r::text, chr(10) order by oid)) from pg_authid r where rolname <> $$one$$'))
        .stdout,
      before,
    )
  })

for (const uid of [0, 999, 1000, 20_001])
  test(`uid ${uid} in a container enters as nobody without the password, and cannot touch the socket`, async () => {
    for (const user of ['postgres', 'one'])
      assert.match((await asTenant(uid, 'psql', '-w', '-U', user, '-c', "'select 1'")).all, /no password supplied/)
    assert.match(
      (await asTenant(uid, 'psql', '-w', '-U', 'postgres', `'replication=1 dbname=postgres'`, '-c', 'IDENTIFY_SYSTEM'))
        .all,
      /rejects replication|no password|exceeds "max_wal_senders" .currently 0/,
    )
    for (const attack of [
      'rm -f /run/postgresql/.s.PGSQL.5432',
      'touch /run/postgresql/x',
      'mv /run/postgresql/.s.PGSQL.5432 /tmp/',
    ])
      assert.match((await asTenant(uid, 'sh', '-c', `'${attack}'`)).all, /Read-only file system/)
    assert.is((await sql('select 1')).stdout, '1')
  })

test('a role enters its own database with its password, and no other', async () => {
  const enter = (user: string, database: string) =>
    inside(
      `cat /etc/botgarden/secrets/tenants/${user} - </dev/null | docker exec -i -e PGPASSFILE=/none botgarden-postgres psql -XAt -W -U ${user} -d ${database} -c 'select current_user'`,
    )
  assert.match((await enter('one', 'one')).all, /^one$/m)
  for (const database of ['two', 'postgres', 'template1'])
    assert.match((await enter('one', database)).all, /permission denied for database/)
})

test('the server has no network, neither its own nor anybody else’s', async () => {
  const { stdout } = await inside('docker exec botgarden-postgres cat /proc/net/dev')
  assert.equal(
    [...stdout.matchAll(/^ *(\w+):/gm)].map(([, name]) => name),
    ['lo'],
  )
  const address = (await inside("ip -4 route get 192.0.2.1 | sed -n 's/.* src \\([0-9.]*\\).*/\\1/p'")).stdout
  assert.match(address, /^[\d.]+$/)
  for (const [to, port] of [
    [address, 22],
    [address, 80],
    ['10.211.0.1', 22],
    ['192.0.2.1', 443],
  ])
    assert.match(
      (await inside(`docker exec botgarden-postgres timeout 5 bash -c ': </dev/tcp/${to}/${port}'`)).all,
      /Network is unreachable/,
    )
})

/** As the superuser, with his password: by the pass file that his container alone has. */
const replicate = async () =>
  (await inside(`docker exec botgarden-postgres psql -w 'user=postgres replication=true' -c IDENTIFY_SYSTEM`)).all

test('nobody replicates, not even with the password of the superuser', async () => {
  assert.match((await inside("docker exec botgarden-postgres psql -w -U postgres -Atc 'select 42'")).all, /^42$/m)
  assert.match(await replicate(), /exceeds "?max_wal_senders"? .currently 0/)
})

test('no password stands in inspect, in any process, in any log', async () => {
  const passwords = (
    await inside(
      'cd /etc/botgarden/secrets && for f in postgres/superuser tenants/one tenants/two; do head -n 1 $f; echo; done',
    )
  ).stdout.split(/\s+/)
  assert.is(passwords.length, 3)
  for (const password of passwords) {
    assert.is(password.length, 43)
    const { stdout } = await inside(
      `p=${password}; { docker inspect botgarden-postgres botgarden-nginx; docker logs botgarden-postgres; docker logs botgarden-nginx; journalctl --no-pager; ` +
        `cat /var/log/*.log /var/log/*/*.log; for e in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr '\\0' ' ' <$e; done; docker exec botgarden-postgres psql -U postgres -c 'select query from pg_stat_statements'; } 2>&1 | ` +
        `grep -v 'grep -c' | grep -v "p=$p" | grep -c -- "$p"`,
    )
    assert.is(stdout, '0')
  }
})

test('a password of the superuser that is lost is made anew by one run, and opens; the one before opens no more', async () => {
  const entered = "docker exec -i -e PGPASSFILE=/none botgarden-postgres psql -XAt -W -U postgres -c 'select 1'"
  await sql('create table kept as select 42 as n', 'one')
  const before = (await inside('cat /etc/botgarden/secrets/postgres/superuser')).stdout
  await inside('rm -rf /etc/botgarden/secrets/postgres')
  assert.match(
    resultOf(await tenants(), host).error,
    'refuses the password that this host keeps for its superuser: run',
  )
  const mended = resultOf(await site(), host)
  assert.ok(mended.ids.includes('postgres:superuser'), mended.error)
  const { ids, roundTrips } = resultOf(await site(), host)
  assert.equal({ ids, roundTrips }, { ids: [], roundTrips: 1 })
  assert.is((await sql('select n from kept', 'one')).stdout, '42')
  assert.match((await inside(`echo ${before} | ${entered}`)).all, 'password authentication failed')
  assert.match((await asTenant(999, 'psql', '-w', '-U', 'postgres', '-c', "'select 1'")).all, 'no password supplied')
  assert.is((await inside('docker ps -a --format {{.Names}} | grep -c postgres')).stdout, '1')
})

test('a setting that needs a restart is in force after the run, and one that is wrong never is', async () => {
  const replicating = { wal_level: 'replica', max_wal_senders: 2 }
  const wide = inventoryOf(host, { postgres: { settings: { max_connections: 77, work_mem: '6MB', ...replicating } } })
  const args = ['playbooks/site.ts', '-i', wide, '--tags', 'postgres', '--json']
  const ids = ['file:/opt/botgarden/postgres/conf/postgresql.conf', 'postgres:config']
  assert.equal(resultOf(await run(args), host).ids, ids)
  assert.is((await sql('show max_connections')).stdout, '77')
  assert.match(await replicate(), /pg_hba.conf rejects replication connection/)
  const wrong = inventoryOf(host, { postgres: { settings: { work_mem: 'plenty' } } })
  const refused = await run(['playbooks/site.ts', '-i', wrong, '--tags', 'postgres', '--json', '--check'])
  assert.is(refused.code, 3)
  assert.match(resultOf(refused, host).error, /invalid value for parameter "work_mem": "plenty"/)
  assert.equal(resultOf(await site('--tags', 'postgres'), host).ids, ids)
})

test('a power cut under load loses nothing that was committed, and everything comes back by itself', async () => {
  // A server that was reloaded comes back no less than one that never was.
  const wider = inventoryOf(host, { nginx: { telegram: ['192.0.2.0/24'] } })
  const reloaded = resultOf(await run(['playbooks/site.ts', '-i', wider, '--tags', 'nginx', '--json']), host)
  assert.equal(reloaded.ids, ['file:/opt/botgarden/nginx/conf/nginx.conf', 'nginx:config'])
  assert.is(resultOf(await site(), host).changed, 2)
  await sql('create table if not exists ledger (n int primary key)', 'one')
  const writer = inside(
    `for n in $(seq 1 2000); do echo "insert into ledger values ($n) returning n;"; done | docker exec -i botgarden-postgres psql -XqAt -U postgres one >/var/lib/botgarden/written; true`,
  )
  await inside('until [ -s /var/lib/botgarden/written ]; do sleep 0.1; done')
  // Even what somebody has stopped by hand is to be there after a boot.
  await inside('docker stop --time 1 botgarden-nginx')
  await here`docker kill ${containerOf(host)}`
  await writer
  await here`docker start ${containerOf(host)}`
  await awaitReady(host)
  await healthy()
  const written = Number((await inside('grep -c . /var/lib/botgarden/written')).stdout)
  const kept = Number((await sql('select count(*) from ledger', 'one')).stdout)
  assert.ok(kept >= written && kept > 0, `${kept} kept of ${written}`)
  const { ids, error } = resultOf(await site(), host)
  assert.equal(ids, [], error)
})

test('an engine that is torn down with all its shims comes back with its containers, firewall and certificate', async () => {
  const certificate = 'sha256sum /etc/botgarden/tls/*/current/fullchain.pem'
  const before = await inside(certificate)
  await inside(
    'systemctl stop docker.socket docker containerd; pkill -9 containerd-shim; sleep 1; systemctl start containerd docker',
  )
  await healthy()
  assert.is((await inside(certificate)).stdout, before.stdout)
  assert.match((await inside('ufw status')).stdout, 'Status: active')
  assert.ok(Number((await sql('select count(*) from ledger', 'one')).stdout) > 0)
  const { ids, error } = resultOf(await site(), host)
  assert.equal(ids, [], error)
})

test.run()
