// Needs a bare VPS of its own: `update`, the sandbox's certificate authority and its Telegram, and an image of PostgreSQL 17. Twenty
// updates a second, each from another person, while the database server becomes another one: bounded to 3000 updates a story.
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, run, start } from '../../support/runner.ts'
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
const names = ['hello-bot', 'queue'] as const
const there = botHost(host, names)
const { tokens, inside, telegram, called } = there
const queue = { host, source: resolve(import.meta.dirname, '../../bots/grammy-bullmq') }
const inventory = (entry: object) =>
  there.inventory({ queue }, { domain, ...entry }, { caFile: '/etc/ssl/certs/ca-certificates.crt' })
const before = inventory({ postgres: { image: 'postgres:17.6' } })
const after = inventory({})
let sent = 0

const update = (file: string, ...args: string[]) => run(['playbooks/update.ts', '-i', file, '--json', ...args], tokens)
const sql = (text: string, database = 'hello_bot') =>
  inside(`docker exec botgarden-postgres psql -XqAtU postgres ${database} -c "${text}"`)
const ledger = () => sql('select count(*), md5(string_agg(t::text, chr(10) order by id)) from ledger t')
const version = () => sql('show server_version')
const handled = async () => Number(await sql('select count(*) from processed_update'))
const folders = () => inside('ls /var/lib/botgarden/postgres')

test.before(async () => {
  await there.beginWith({ standIns: ['postgres17', 'valkey'], file: before })
  const deployed = await there.deploy(['--all'], before)
  assert.is(deployed.code, 0, deployed.stdout + deployed.stderr)
  await sql(
    "set role hello_bot; create table ledger (id int primary key, words text, at timestamptz default now(), raw bytea); insert into ledger select n, md5(n::text), now() + n * interval '1 s', decode(md5(n::text), 'hex') from generate_series(1, 100000) n",
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

/** Twenty updates a second to each bot, from two seconds before an act to two seconds after it; all are answered afterwards. */
async function underLoad(act: () => Promise<Run>): Promise<Run> {
  const was = sent
  let going = true
  const load = (async () => {
    const start = performance.now()
    for (let i = 0; going && i < 3000; i++) {
      sent++
      for (const name of names)
        await telegram().act(called(name), { chat: 100_000 + sent, text: '/start', language: 'en' })
      await pause(Math.max(0, start + (i + 1) * 50 - performance.now()))
    }
  })()
  await pause(2000)
  const result = await act()
  await pause(2000)
  going = false
  await load
  for (const name of names) await drained(name)
  process.stdout.write(`  ${sent - was} updates to each of two bots\n`)
  return result
}

async function drained(name: string): Promise<void> {
  for (let tries = 0; tries < 480; tries++) {
    const { pending, sent: replies } = await telegram().report(called(name))
    if (pending === 0 && Object.keys(replies.byChat).length >= sent) return
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
  assert.match(await there.answer('/start'), 'Hello')
})

/** Kills the move at some of the commands by which it changes the host: on the host, and beside the operator. */
test('a move that is cut between any two commands is completed by the next run', async () => {
  const rows = await ledger()
  await installKillPoints(host)
  await setKillPoint(host, 0, 'host')
  const whole = await update(after, '--postgres')
  assert.is(whole.code, 0, whole.stdout + whole.stderr)
  const calls = await killPointCalls(host)
  // The decision is a rename; what is near it is cut twice.
  const decision = calls.findIndex((call) => / mv -T .*\/18\.new .*\/18$/.test(call.trim())) + 1
  assert.ok(decision > 0, calls.join('\n'))
  const points = [Math.ceil(decision / 3), Math.ceil((2 * decision) / 3), decision, decision + 1, decision + 3]
  for (const [i, at] of points.entries()) {
    const back = await update(before, '--postgres', '--back', '--yes')
    assert.is(back.code, 0, back.stdout + back.stderr)
    const victim: Victim = i % 2 === 0 ? 'host' : 'runner'
    await setKillPoint(host, at, victim)
    const { child, ended } = start(['playbooks/update.ts', '-i', after, '--json', '--postgres'])
    assert.ok(await killPointReached(host, 300), `${at} of ${calls.length}`)
    const last = await inside('tail -n 1 /run/kill-points/calls')
    if (victim === 'runner') child.kill('SIGKILL')
    if (victim === 'runner') await passKillPoint(host)
    await ended
    const next = await update(after, '--postgres', '--wait')
    assert.is(next.code, 0, `cut at ${last}: ${next.stdout}${next.stderr}`)
    assert.match(await version(), /^18/)
    assert.is(await ledger(), rows)
    assert.match(await there.answer('/start'), 'Hello')
    assert.match(await folders(), /^17\.old\n18(\n18\.back)?$/)
    assert.is(
      await inside('ls /opt/botgarden/postgres; ls /run/botgarden | grep postgres-move || :'),
      'compose.yaml\nconf',
    )
    process.stdout.write(`  cut at ${last} (${victim}): healed\n`)
  }
  await killPointCalls(host)
})

test('what is kept goes when it is told to', async () => {
  const result = await update(after, '--postgres', '--forget-old', '--yes')
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.is(await folders(), '18')
})

const secret = {
  superuser: '/etc/botgarden/secrets/postgres/superuser',
  tls: '/etc/botgarden/secrets/postgres/server.pem',
  database: '/etc/botgarden/secrets/bots/hello-bot/database-password',
  webhook: '/etc/botgarden/secrets/bots/hello-bot/webhook-secret',
  queueWebhook: '/etc/botgarden/secrets/bots/queue/webhook-secret',
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
  const done = await handled()
  const was = sent
  const result = await underLoad(() => update(after, '--rotate'))
  assert.is(result.code, 0, result.stdout + result.stderr)
  assert.is((await handled()) - done, sent - was)
  const fresh = await secrets()
  for (const name of Object.keys(secret) as (keyof typeof secret)[]) assert.is.not(fresh[name], old[name], name)
  assert.match(await login('postgres', old.superuser), /password authentication failed/)
  assert.match(await login('postgres', fresh.superuser), /^1$/m)
  assert.match(await login('hello_bot', old.database), /password authentication failed/)
  assert.not.match(await login('hello_bot', fresh.database), /password authentication failed/)
  for (const [bot, name] of [
    ['hello-bot', 'webhook'],
    ['queue', 'queueWebhook'],
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
  const points = [superuser, ...[1, 2, 3, 4].map((i) => superuser + Math.ceil(((calls.length - superuser) * i) / 5))]
  for (const at of points) {
    await setKillPoint(host, at, 'host')
    const cut = start(['playbooks/update.ts', '-i', after, '--json', '--rotate'])
    assert.ok(await killPointReached(host, 300), `${at} of ${calls.length}`)
    const last = await inside('tail -n 1 /run/kill-points/calls')
    await cut.ended
    const healed = await run(['playbooks/site.ts', '-i', after, '--json', '--wait'])
    assert.is(healed.code, 0, `cut at ${last}: ${healed.stdout}${healed.stderr}`)
    assert.match(await there.answer('/start'), 'Hello', last)
    assert.match(await there.answer('a word', 'queue'), 'worker: a word', last)
    const check = await run(['playbooks/site.ts', '-i', after, '--json', '--check'])
    assert.is(check.code, 0, `cut at ${last}: ${check.stdout}${check.stderr}`)
    process.stdout.write(`  cut at ${last}: healed\n`)
  }
})

test.run()
