// Needs a bare VPS of its own: `update`, the sandbox's certificate authority and its Telegram, and an image of PostgreSQL 17. Twenty
// updates a second to each of three bots (by the socket; by TCP; with a cache and a domain of its own), each from another person, while
// the database server becomes another one: bounded to 3000 updates an act.
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps } from '../../../sandbox/index.ts'
import { resultOf, run, start } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import {
  installKillPoints,
  killPointCalls,
  killPointReached,
  passKillPoint,
  setKillPoint,
  type Victim,
} from '../../support/vps/kill-points.ts'

const host = 'update'
const domain = `${host}.sandbox`
const names = ['hello-bot', 'queue', 'tcp'] as const
const there = botHost(host, names)
const { tokens, inside, telegram, called } = there
const bots = {
  queue: { host, source: resolve(import.meta.dirname, '../../bots/grammy-bullmq'), domains: [`app.${domain}`] },
  tcp: { host, source: resolve(import.meta.dirname, '../../../bots/hello-bot'), database: { tcp: true } },
}
const inventory = (entry: object) =>
  there.inventory(bots, { domain, ...entry }, { caFile: '/etc/ssl/certs/ca-certificates.crt' })
const before = inventory({ postgres: { image: 'postgres:17.6' } })
const after = inventory({})
// The sandbox's Telegram remembers what earlier runs were told.
const people = Math.floor(Date.now() / 1000) * 10_000
let sent = 0
/** How many commands change the host in a rotation. */
let rotation = 0

const update = (file: string, ...args: string[]) => run(['playbooks/update.ts', '-i', file, '--json', ...args], tokens)
const sql = (text: string, database = 'hello_bot') =>
  inside(`docker exec botgarden-postgres psql -XqAtU postgres ${database} -c "${text}"`)
const ledger = async () => {
  const sums = 'select count(*), md5(string_agg(t::text, chr(10) order by id)) from ledger t'
  return `${await sql(sums)} ${await sql(sums, 'tcp')}`
}
const version = () => sql('show server_version')
const handled = async (database?: string) => Number(await sql('select count(*) from processed_update', database))
const networks = () =>
  inside("docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' botgarden-postgres")
const folders = () => inside('ls /var/lib/botgarden/postgres')

test.before(async () => {
  await there.beginWith({ standIns: ['postgres17', 'valkey'], file: before })
  const deployed = await there.deploy(['--all'], before)
  assert.is(deployed.code, 0, deployed.stdout + deployed.stderr)
  for (const [role, rows] of [
    ['hello_bot', 100_000],
    ['tcp', 5_000],
  ] as const)
    await sql(
      `set role ${role}; create table ledger (id int primary key, words text, at timestamptz default now(), raw bytea); insert into ledger select n, md5(n::text), now() + n * interval '1 s', decode(md5(n::text), 'hex') from generate_series(1, ${rows}) n`,
      role,
    )
  await sql(
    "create role reader login; grant select on ledger to reader; create sequence own_by_super; select nextval('own_by_super')",
  )
  // What a restore by the superuser would run with its rights.
  await sql(
    "set role hello_bot; create function grab(int) returns bool language plpgsql as 'begin begin execute ''alter role hello_bot superuser''; exception when others then null; end; return true; end'; create table grabbing (n int check (public.grab(n))); insert into grabbing values (1)",
  )
})
test.after(() => removeVps(host))

/** Twenty updates a second to each bot, or so many, from two seconds before an act to two seconds after it; each is answered. */
async function underLoad<T>(act: () => Promise<T>, perSecond = 20): Promise<T> {
  const [was, began] = [sent, Date.now()]
  let going = true
  const load = (async () => {
    const start = performance.now()
    for (let i = 1; going && i <= 3000; i++) {
      sent++
      for (const name of names)
        await telegram().act(called(name), { chat: people + sent, text: '/start', language: 'en' })
      await pause(Math.max(0, start + (i * 1000) / perSecond - performance.now()))
    }
  })()
  await pause(2000)
  const result = await act().finally(() => {
    going = false
  })
  await load
  const ended = Date.now()
  const silences = await Promise.all(names.map((name) => drained(name, began)))
  process.stdout.write(
    `  ${sent - was} updates within ${((ended - began) / 1000).toFixed(1)} s to each of ${names.length} bots: ${silences.join(', ')}\n`,
  )
  return result
}

/** Waits until everybody has a reply, and tells the longest time without one. */
async function drained(name: string, since: number): Promise<string> {
  for (let tries = 0; tries < 480; tries++) {
    const { pending, sent: replies, deliveries } = await telegram().report(called(name))
    const counts = Array.from({ length: sent }, (_, i) => replies.byChat[people + i + 1] ?? 0)
    if (pending === 0 && counts.every((count) => count > 0)) {
      const more = counts.filter((count) => count > 1).length
      const answered = deliveries.filter(({ status, at }) => status === 200 && at >= since).map(({ at, ms }) => at + ms)
      const gaps = answered.sort((one, other) => one - other).map((at, i) => at - (answered[i - 1] ?? since))
      return `${name} ${(Math.max(...gaps) / 1000).toFixed(1)} s silent at the longest, ${more} with a second reply`
    }
    await pause(500)
  }
  throw new Error(`updates of ${name} still wait at Telegram, or for their reply, after four minutes`)
}

test('site.ts refuses a server that cannot read the data, and names the command that moves it', async () => {
  const { code, stdout, stderr } = await there.site(after)
  assert.is(code, 3)
  assert.match(stdout + stderr, 'the data on this host is of PostgreSQL 17, which postgres:18.6 cannot read')
  assert.match(stdout + stderr, 'update.ts --postgres')
  assert.match(await version(), /^17/)
})

test('a check lists the move, and changes nothing', async () => {
  const result = await update(after, '--postgres', '--check')
  assert.is(result.code, 2, result.stdout + result.stderr)
  assert.ok(resultOf(result, host).ids.includes('postgres:version'))
  assert.is(await folders(), '17')
  assert.match(await version(), /^17/)
})

test('17 becomes 18 under twenty updates a second: nothing is lost, and every row is the same', async () => {
  const rows = await ledger()
  const result = await underLoad(() => update(after, '--postgres'))
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.match(await version(), /^18/)
  assert.is(await ledger(), rows)
  assert.is(await handled(), sent)
  assert.is(await handled('tcp'), sent)
  assert.match(await networks(), 'botgarden-tcp.db')
  assert.is(await folders(), '17.old\n18')
  assert.match(JSON.stringify(resultOf(result, host).outputs), '17.old')
  assert.is(await sql("select has_table_privilege('reader', 'ledger', 'select')"), 't')
  assert.is(await sql("select pg_get_userbyid(relowner) from pg_class where relname = 'own_by_super'"), 'postgres')
  assert.is(await sql("select rolsuper from pg_roles where rolname = 'hello_bot'"), 'f')
  assert.is(await sql('select count(*) from grabbing'), '1')
  const check = await run(['playbooks/site.ts', '-i', after, '--json', '--check'])
  assert.is(check.code, 0, check.stdout + check.stderr)
})

test('a second run has nothing to do', async () => {
  const result = await update(after, '--postgres')
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.equal(resultOf(result, host).ids, [])
})

test('the way back: 17 serves again as it was, and the bot answers', async () => {
  const refused = await update(before, '--postgres', '--back')
  assert.is(refused.code, 1, 'there is no terminal to ask on')
  const result = await update(before, '--postgres', '--back', '--yes')
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.match(await version(), /^17/)
  assert.is(await folders(), '17\n18.back')
  for (const name of ['hello-bot', 'tcp']) assert.match(await there.answer('/start', name), 'Hello')
})

/** Kills the move at some of the commands by which it changes the host: on the host, and beside the operator. */
test('a move that is cut between any two commands is completed by the next run, and nothing is lost', async () => {
  const rows = await ledger()
  await installKillPoints(host)
  await setKillPoint(host, 0, 'host')
  const whole = await update(after, '--postgres')
  assert.is(whole.code, 0, whole.stdout + whole.stderr)
  const calls = await killPointCalls(host)
  // The decision is a rename; what is near it is cut twice.
  const decision = calls.findIndex((call) => / mv -T .*\/18\.new .*\/18$/.test(call.trim())) + 1
  assert.ok(decision > 0, calls.join('\n'))
  const points: readonly (readonly [number, Victim])[] = [
    [Math.ceil(decision / 3), 'host'],
    [Math.ceil(decision / 2), 'runner'],
    [Math.ceil((2 * decision) / 3), 'runner'],
    [decision, 'host'],
    [decision + 1, 'runner'],
    [decision + 3, 'host'],
  ]
  await underLoad(async () => {
    for (const [at, victim] of points) {
      const back = await update(before, '--postgres', '--back', '--yes')
      assert.is(back.code, 0, back.stdout + back.stderr)
      const last = await cut(at, victim, '--postgres')
      const next = await update(after, '--postgres', '--wait')
      assert.is(next.code, 0, `cut at ${last}: ${next.stdout}${next.stderr}`)
      assert.match(await version(), /^18/)
      assert.is(await ledger(), rows)
      for (const name of ['hello-bot', 'tcp']) assert.match(await there.answer('/start', name), 'Hello')
      assert.match(await folders(), /^17\.old\n18(\n18\.back)?$/)
      assert.is(
        await inside('ls /opt/botgarden/postgres; ls /run/botgarden | grep postgres-move || :'),
        'compose.yaml\nconf',
      )
      process.stdout.write(`  cut at ${last} (${victim}): healed\n`)
    }
  }, 2)
  await killPointCalls(host)
})

/** Cuts an update at that command of the host's, and returns the command. */
async function cut(at: number, victim: Victim, flag: string): Promise<string> {
  await setKillPoint(host, at, victim)
  const { child, ended } = start(['playbooks/update.ts', '-i', after, '--json', flag])
  assert.ok(await killPointReached(host, 300), `no command ${at}`)
  const last = await inside('tail -n 1 /run/kill-points/calls')
  if (victim === 'runner') {
    child.kill('SIGKILL')
    await passKillPoint(host)
  }
  await ended
  return last
}

test('what is kept goes when it is told to', async () => {
  const result = await update(after, '--postgres', '--forget-old', '--yes')
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.is(await folders(), '18')
})

const secret = {
  superuser: '/etc/botgarden/secrets/postgres/superuser',
  tls: '/etc/botgarden/secrets/postgres/server.pem',
  database: '/etc/botgarden/secrets/bots/hello-bot/database-password',
  tcpDatabase: '/etc/botgarden/secrets/bots/tcp/database-password',
  webhook: '/etc/botgarden/secrets/bots/hello-bot/webhook-secret',
  queueWebhook: '/etc/botgarden/secrets/bots/queue/webhook-secret',
  tcpWebhook: '/etc/botgarden/secrets/bots/tcp/webhook-secret',
  cache: '/etc/botgarden/secrets/bots/queue/cache-password',
}
const secrets = async () =>
  Object.fromEntries(
    await Promise.all(Object.entries(secret).map(async ([name, path]) => [name, await inside(`cat ${path}`)])),
  ) as Record<keyof typeof secret, string>
const login = (role: string, password: string) =>
  inside(
    `docker exec -e PGPASSWORD=${password} botgarden-postgres psql -XAtU ${role} -d template1 -c 'select 1' 2>&1; docker exec -e PGPASSWORD=${password} botgarden-postgres psql -XAtU ${role} -d postgres -c 'select 1' 2>&1`,
  )
const delivered = (bot: string, value: string) =>
  inside(
    `curl --silent --output /dev/null --write-out '%{http_code}' --insecure --resolve ${domain}:443:127.0.0.1 -H 'content-type: application/json' -H 'X-Telegram-Bot-Api-Secret-Token: ${value}' --data '{"update_id":1}' https://${domain}/tg/${bot}`,
  )
/** The certificate by which the server is seen by the bot that reaches it by TCP. */
const servedKey = () =>
  inside(
    `pid=$(docker inspect -f '{{.State.Pid}}' $(docker ps -q --filter label=botgarden.bot=tcp | head -n 1)); address=$(docker inspect -f '{{(index .NetworkSettings.Networks "botgarden-tcp.db").IPAddress}}' botgarden-postgres); nsenter -t $pid -n openssl s_client -starttls postgres -connect $address:5432 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256`,
  )
const pinged = (password: string) =>
  inside(`docker exec botgarden-queue-cache valkey-cli --no-auth-warning -a ${password} ping 2>&1`)

test('a check of a rotation lists what becomes another, and changes nothing', async () => {
  const old = await secrets()
  const result = await update(after, '--rotate', '--check')
  assert.is(result.code, 2, result.stdout + result.stderr)
  const { ids } = resultOf(result, host)
  for (const name of ['postgres', ...names]) assert.ok(ids.includes(`renewed-secrets:${name}`), name)
  assert.equal(await secrets(), old)
})

test('every secret that the host has made becomes another under twenty updates a second: nothing is lost, the old ones are refused', async () => {
  const old = await secrets()
  const [done, doneByTcp, key] = [await handled(), await handled('tcp'), await servedKey()]
  const was = sent
  const result = await underLoad(() => update(after, '--rotate'))
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.is((await handled()) - done, sent - was)
  assert.is((await handled('tcp')) - doneByTcp, sent - was)
  const fresh = await secrets()
  for (const name of Object.keys(secret) as (keyof typeof secret)[]) assert.is.not(fresh[name], old[name], name)
  assert.match(await login('postgres', old.superuser), /password authentication failed/)
  assert.match(await login('postgres', fresh.superuser), /^1$/m)
  for (const [role, name] of [
    ['hello_bot', 'database'],
    ['tcp', 'tcpDatabase'],
  ] as const) {
    assert.match(await login(role, old[name]), /password authentication failed/)
    assert.not.match(await login(role, fresh[name]), /password authentication failed/)
  }
  assert.match(key, /^SHA256 Fingerprint/i)
  assert.is.not(await servedKey(), key)
  for (const [bot, name] of [
    ['hello-bot', 'webhook'],
    ['queue', 'queueWebhook'],
    ['tcp', 'tcpWebhook'],
  ] as const) {
    assert.match(await delivered(bot, old[name]), /^40[13]$/)
    assert.not.match(await delivered(bot, fresh[name]), /^40[13]$/)
  }
  assert.match(await pinged(old.cache), /WRONGPASS|AUTH failed/)
  assert.match(await pinged(fresh.cache), /PONG/)
  const check = await run(['playbooks/site.ts', '-i', after, '--json', '--check'])
  assert.is(check.code, 0, check.stdout + check.stderr)
})

test('a rotation that is cut between any two commands is completed by site.ts', async () => {
  await setKillPoint(host, 0, 'host')
  const whole = await update(after, '--rotate')
  assert.is(whole.code, 0, whole.stdout + whole.stderr)
  const calls = await killPointCalls(host)
  // The server has the new password of its superuser, and the host has not.
  const superuser = calls.findIndex((call) => /superuser\.new .*superuser$/.test(call.trim())) + 1
  assert.ok(superuser > 0, calls.join('\n'))
  rotation = calls.length
  const points = [superuser, ...[1, 2, 3, 4].map((i) => superuser + Math.ceil(((rotation - superuser) * i) / 5))]
  for (const at of points) {
    const last = await cut(at, 'host', '--rotate')
    const healed = await run(['playbooks/site.ts', '-i', after, '--json', '--wait'])
    assert.is(healed.code, 0, `cut at ${last}: ${healed.stdout}${healed.stderr}`)
    await answersAndKeeps(last)
    process.stdout.write(`  cut at ${last}: healed\n`)
  }
})

test('a rotation whose runner is killed is brought to its end by the next one, and nothing is lost', async () => {
  await underLoad(async () => {
    for (const at of [1, 2, 3].map((i) => Math.ceil((rotation * i) / 4))) {
      const old = await secrets()
      const last = await cut(at, 'runner', '--rotate')
      const next = await update(after, '--rotate', '--wait')
      assert.is(next.code, 0, `cut at ${last}: ${next.stdout}${next.stderr}`)
      const fresh = await secrets()
      for (const name of Object.keys(secret) as (keyof typeof secret)[]) assert.is.not(fresh[name], old[name], name)
      await answersAndKeeps(last)
      process.stdout.write(`  cut at ${last} (runner): brought to its end\n`)
    }
  }, 2)
})

/** Every bot answers, and nothing is left to change. */
async function answersAndKeeps(last: string): Promise<void> {
  for (const name of ['hello-bot', 'tcp']) assert.match(await there.answer('/start', name), 'Hello', last)
  assert.match(await there.answer('a word', 'queue'), 'worker: a word', last)
  const check = await run(['playbooks/site.ts', '-i', after, '--json', '--check'])
  assert.is(check.code, 0, `cut at ${last}: ${check.stdout}${check.stderr}`)
}

test.run()
