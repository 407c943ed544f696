// Needs a bare VPS of its own: `update`, the sandbox's certificate authority and its Telegram, and an image of PostgreSQL 17. Twenty
// updates a second, each from another person, while the database server becomes another one: bounded to 3000 updates a story.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps } from '../../sandbox/index.ts'
import { type Run, resultOf, run } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'

const host = 'update'
const domain = `${host}.sandbox`
const there = botHost(host, ['hello-bot'])
const { tokens, inside, telegram, called } = there
const before = there.inventory({}, { domain, postgres: { image: 'postgres:17.6' } })
const after = there.inventory()
let sent = 0

const update = (file: string, ...args: string[]) => run(['playbooks/update.ts', '-i', file, '--json', ...args], tokens)
const sql = (text: string, database = 'hello_bot') =>
  inside(`docker exec botgarden-postgres psql -XqAtU postgres ${database} -c "${text}"`)
const ledger = () => sql('select count(*), md5(string_agg(t::text, chr(10) order by id)) from ledger t')
const version = () => sql('show server_version')
const handled = async () => Number(await sql('select count(*) from processed_update'))
const folders = () => inside('ls /var/lib/botgarden/postgres')

test.before(async () => {
  await there.beginWith({ standIns: ['postgres17'], file: before })
  const deployed = await there.hello(before)
  assert.is(deployed.code, 0, deployed.stdout + deployed.stderr)
  await sql(
    "set role hello_bot; create table ledger (id int primary key, words text, at timestamptz default now(), raw bytea); insert into ledger select n, md5(n::text), now() + n * interval '1 s', decode(md5(n::text), 'hex') from generate_series(1, 100000) n",
  )
  await sql(
    "create role reader login; grant select on ledger to reader; create sequence own_by_super; select nextval('own_by_super')",
  )
})
test.after(() => removeVps(host))

/** Twenty updates a second from two seconds before an act to two seconds after it, never more than 3000; all are answered afterwards. */
async function underLoad(act: () => Promise<Run>): Promise<Run> {
  const statuses = await counts()
  let going = true
  const load = (async () => {
    const start = performance.now()
    for (let i = 0; going && i < 3000; i++) {
      await telegram().act(called('hello-bot'), { chat: 100_000 + ++sent, text: '/start', language: 'en' })
      await pause(Math.max(0, start + (i + 1) * 50 - performance.now()))
    }
  })()
  const was = sent
  await pause(2000)
  const result = await act()
  await pause(2000)
  going = false
  await load
  await drained()
  const now = await counts()
  const fresh = Object.entries(now).map(([status, n]) => [status, n - (statuses[status] ?? 0)] as const)
  process.stdout.write(`  ${sent - was} updates, answers ${JSON.stringify(Object.fromEntries(fresh))}\n`)
  return result
}

async function counts(): Promise<Record<string, number>> {
  return (await telegram().report(called('hello-bot'))).counts
}

async function drained(): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const { pending, sent: replies } = await telegram().report(called('hello-bot'))
    if (pending === 0 && Object.keys(replies.byChat).length >= sent) return
    await pause(500)
  }
  throw new Error('updates still wait at Telegram, or for their reply, after two minutes')
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

test.run()
