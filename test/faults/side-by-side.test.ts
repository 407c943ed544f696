// Needs a bare VPS of its own with 2 GB of memory: `side`, the sandbox's certificate authority and its Telegram.
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, removeVps, telegramControlUrl } from '../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, resultOf, run } from '../support/runner.ts'

const host = 'side'
const source = resolve(import.meta.dirname, '../../bots/hello-bot')
const names = Array.from({ length: 10 }, (_, i) => `bot-${i + 1}`)
const env: Record<string, string> = {}
let telegram: TelegramClient
// The sandbox's Telegram remembers earlier runs.
const prefix = `side-${process.pid}`

const vars = {
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 2, drain: 5 },
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
}
const inventory = (more: object = {}, own: Record<string, object> = {}) =>
  inventoryOf(host, vars, {
    hosts: { [host]: { domain: `${host}.sandbox` } },
    bots: Object.fromEntries(names.map((name) => [name, { host, source, ...more, ...own[name] }])),
  })
/** bot.ts for all bots; what it took is printed. */
async function everyBot(what: string, file: string): Promise<Run> {
  const began = Date.now()
  const result = await run(['playbooks/bot.ts', '-i', file, '--json', '--all'], env)
  const seconds = Math.round((Date.now() - began) / 1000)
  process.stdout.write(`  ${what}: ${seconds} s, at most ${mostAtOnce(result)} releases at once\n`)
  return result
}
/** How many releases ran at a time at most, by the lines of a run's progress. */
function mostAtOnce({ stderr }: Run): number {
  let [going, most] = [0, 0]
  for (const [, mark] of stderr.matchAll(/^side {2}([▸✓✗]) release:/gm)) {
    going += mark === '▸' ? 1 : -1
    most = Math.max(most, going)
  }
  return most
}
const released = (result: Run) => (resultOf(result, host).ids as string[]).filter((id) => id.startsWith('release:'))

test.before(async () => {
  await freshVps(host, { memory: '2g' })
  telegram = telegramAt(await telegramControlUrl())
  for (const name of names)
    env[`${name.toUpperCase().replace('-', '_')}_TOKEN`] = (await telegram.ensureBot(`${prefix}-${name}`)).token
  const { code, stdout, stderr } = await run(['playbooks/site.ts', '-i', inventory(), '--json'])
  if (code !== 0) throw new Error(stdout + stderr)
})
test.after(() => removeVps(host))

test('ten new bots are released side by side', async () => {
  const all = await everyBot('ten new bots', inventory())
  assert.is(all.code, 0, resultOf(all, host).error)
})

test('ten changed bots are released side by side, and of twenty updates a second none is lost', async () => {
  const reports = () => Promise.all(names.map((name) => telegram.report(`${prefix}-${name}`)))
  const before = await reports()
  let [sent, going] = [0, true]
  const load = (async () => {
    const start = performance.now()
    // Bounded to two minutes.
    while (going && sent < 2400) {
      const act = { chat: 1000 + sent, text: '/start', language: 'en' }
      await telegram.act(`${prefix}-${names[sent % 10]}`, act)
      await pause(Math.max(0, start + ++sent * 50 - performance.now()))
    }
  })()
  await pause(2000)
  const all = await everyBot('ten changed bots', inventory({ environment: { VERSION: 2 } }))
  await pause(2000)
  going = false
  await load
  assert.is(all.code, 0, resultOf(all, host).error)
  assert.equal(released(all).length, 10)
  assert.ok(mostAtOnce(all) > 1)

  const replies = async () =>
    (await reports()).reduce((sum, { sent: each }) => sum + Object.keys(each.byChat).length, 0)
  const had = before.reduce((sum, { sent: each }) => sum + Object.keys(each.byChat).length, 0)
  for (let tries = 0; tries < 240 && (await replies()) < had + sent; tries++) await pause(500)
  assert.is(await replies(), had + sent)
  for (const [i, { counts, pending, webhook }] of (await reports()).entries()) {
    const fresh = Object.entries(counts).filter(([status, count]) => count !== (before[i]?.counts[status] ?? 0))
    // An error is a connection that ended: nginx closes idle ones when it reloads, and Telegram sends the update again.
    if (fresh.some(([status]) => status === 'error'))
      process.stdout.write(`  ${names[i]}: ${JSON.stringify(Object.fromEntries(fresh))}, ${JSON.stringify(webhook)}\n`)
    const refused = fresh.filter(([status]) => !/^(2\d\d|error)$/.test(status))
    assert.equal([refused, pending], [[], 0], names[i])
  }
})

test('where the first bot fails no other begins; where another one fails those that have begun are finished', async () => {
  const broken = { migrate: ['false'] }
  // With so much for each there is room for a few at a time.
  const version = (environment: object, name: string) => inventory({ environment, memory: '400m' }, { [name]: broken })
  const first = await everyBot('the first fails', version({ VERSION: 3 }, 'bot-1'))
  assert.is(first.code, 3)
  assert.match(resultOf(first, host).error, /^release:bot-1[\s\S]*the migration failed/)
  assert.equal(released(first), [])

  const fourth = await everyBot('the fourth fails', version({ VERSION: 4 }, 'bot-4'))
  assert.is(fourth.code, 3)
  assert.match(resultOf(fourth, host).error, /^release:bot-4[\s\S]*the migration failed/)
  const begun = [...fourth.stderr.matchAll(/▸ (release:bot-\d+):/g)].map(([, id]) => id)
  assert.equal(released(fourth).toSorted(), begun.filter((id) => id !== 'release:bot-4').toSorted())
  assert.ok(begun.length < 10, begun.join())
  for (const name of names) await telegram.act(`${prefix}-${name}`, { chat: 2, text: '/start', language: 'en' })
  for (const name of names)
    for (let tries = 0; (await telegram.report(`${prefix}-${name}`)).sent.byChat[2] === undefined; tries++) {
      assert.ok(tries < 40, `${name} does not answer`)
      await pause(500)
    }
})

test.run()
