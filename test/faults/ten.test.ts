// Needs a bare VPS of its own with 1 GB of memory: `ten`, the sandbox's certificate authority and its Telegram.
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, removeVps, telegramControlUrl } from '../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, resultOf, run } from '../support/runner.ts'
import { endedIn } from '../support/vps/inside.ts'

const host = 'ten'
const source = resolve(import.meta.dirname, '../../bots/hello-bot')
const names = Array.from({ length: 11 }, (_, i) => `bot-${i + 1}`)
const env: Record<string, string> = {}
let telegram: TelegramClient
// The sandbox's Telegram remembers earlier runs.
const prefix = `ten-${process.pid}`

const vars = {
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 2, drain: 5 },
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
}
const inventory = (count: number, more: object = {}, own: Record<string, object> = {}) =>
  inventoryOf(host, vars, {
    hosts: { [host]: { domain: `${host}.sandbox` } },
    bots: Object.fromEntries(names.slice(0, count).map((name) => [name, { host, source, ...more, ...own[name] }])),
  })
const everyBot = (file: string) => run(['playbooks/bot.ts', '-i', file, '--json', '--all'], env)
/** How many releases ran at a time at most, by the lines of a run's progress. */
function mostAtOnce({ stderr }: Run): number {
  let [going, most] = [0, 0]
  for (const [, mark] of stderr.matchAll(/^ten {2}([▸✓✗]) release:/gm)) {
    going += mark === '▸' ? 1 : -1
    most = Math.max(most, going)
  }
  return most
}
const released = (result: Run) => (resultOf(result, host).ids as string[]).filter((id) => id.startsWith('release:'))
const inside = async (command: string) => (await endedIn(host)(command)).stdout

test.before(async () => {
  await freshVps(host, { memory: '1g' })
  telegram = telegramAt(await telegramControlUrl())
  for (const name of names)
    env[`${name.toUpperCase().replace('-', '_')}_TOKEN`] = (await telegram.ensureBot(`${prefix}-${name}`)).token
  const { code, stdout, stderr } = await run(['playbooks/site.ts', '-i', inventory(10), '--json'])
  if (code !== 0) throw new Error(stdout + stderr)
})
test.after(() => removeVps(host))

test('ten bots live on a host of 1 GB, and each answers', async () => {
  const all = await everyBot(inventory(10))
  assert.is(all.code, 0, resultOf(all, host).error)
  for (const name of names.slice(0, 10))
    await telegram.act(`${prefix}-${name}`, { chat: 1, text: '/start', language: 'en' })
  await new Promise((resolve) => setTimeout(resolve, 5000))
  for (const name of names.slice(0, 10)) assert.is((await telegram.report(`${prefix}-${name}`)).sent.total, 1, name)
  const stats = await inside("docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'")
  process.stdout.write(
    `${stats}\n${await inside('free -m; cat /sys/fs/cgroup/memory/memory.usage_in_bytes 2>/dev/null')}\n`,
  )
})

test('ten changed bots are released side by side, and of twenty updates a second none is lost', async () => {
  const bots = names.slice(0, 10)
  const reports = () => Promise.all(bots.map((name) => telegram.report(`${prefix}-${name}`)))
  const before = await reports()
  let [sent, going] = [0, true]
  const load = (async () => {
    const start = performance.now()
    // Bounded to two minutes.
    while (going && sent < 2400) {
      const act = { chat: 1000 + sent, text: '/start', language: 'en' }
      await telegram.act(`${prefix}-${bots[sent % 10]}`, act)
      await pause(Math.max(0, start + ++sent * 50 - performance.now()))
    }
  })()
  await pause(2000)
  const began = Date.now()
  const all = await everyBot(inventory(10, { environment: { VERSION: 2 } }))
  const seconds = Math.round((Date.now() - began) / 1000)
  await pause(2000)
  going = false
  await load
  assert.is(all.code, 0, resultOf(all, host).error)
  assert.equal(released(all).length, 10)
  const most = mostAtOnce(all)
  process.stdout.write(`  ten changed bots: ${seconds} s, at most ${most} at once, beside ${sent} updates\n`)
  assert.ok(most > 1)

  const replies = async () =>
    (await reports()).reduce((sum, { sent: each }) => sum + Object.keys(each.byChat).length, 0)
  const had = before.reduce((sum, { sent: each }) => sum + Object.keys(each.byChat).length, 0)
  for (let tries = 0; tries < 240 && (await replies()) < had + sent; tries++) await pause(500)
  assert.is(await replies(), had + sent)
  for (const [i, { counts, pending }] of (await reports()).entries()) {
    const refused = Object.keys(counts).filter(
      (status) => !/^2/.test(status) && counts[status] !== before[i]?.counts[status],
    )
    assert.equal([refused, pending], [[], 0], bots[i])
  }
})

test('where the first bot fails no other begins; where another one fails those that have begun are finished', async () => {
  const broken = { migrate: ['false'] }
  const version = (environment: object, name: string) => inventory(10, { environment }, { [name]: broken })
  const first = await everyBot(version({ VERSION: 3 }, 'bot-1'))
  assert.is(first.code, 3)
  assert.match(resultOf(first, host).error, /^release:bot-1[\s\S]*the migration failed/)
  assert.equal(released(first), [])

  const fourth = await everyBot(version({ VERSION: 4 }, 'bot-4'))
  assert.is(fourth.code, 3)
  assert.match(resultOf(fourth, host).error, /^release:bot-4[\s\S]*the migration failed/)
  const begun = [...fourth.stderr.matchAll(/▸ (release:bot-\d+):/g)].map(([, id]) => id)
  assert.equal(released(fourth).toSorted(), begun.filter((id) => id !== 'release:bot-4').toSorted())
  assert.ok(begun.length < 10, begun.join())
  for (const name of names.slice(0, 10))
    await telegram.act(`${prefix}-${name}`, { chat: 2, text: '/start', language: 'en' })
  for (const name of names.slice(0, 10))
    for (let tries = 0; (await telegram.report(`${prefix}-${name}`)).sent.byChat[2] === undefined; tries++) {
      assert.ok(tries < 40, `${name} does not answer`)
      await pause(500)
    }
})

test('the eleventh restarts no other container, and opens no port', async () => {
  const running = "docker ps --format '{{.ID}} {{.Names}} {{.RunningFor}}' | grep -v bot-11 | cut -d ' ' -f 1,2 | sort"
  const ports = "ss -Htln | awk '{ print $4 }' | sort"
  const before = [await inside(running), await inside(ports)]
  const one = await run(['playbooks/bot.ts', '-i', inventory(11), '--json', '--name', 'bot-11'], env)
  assert.is(one.code, 0, resultOf(one, host).error)
  assert.equal([await inside(running), await inside(ports)], before)
})

test('there is room for the gapless release of a new version', async () => {
  const args = ['-i', inventory(11, { environment: { LOG_LEVEL: 'debug' } }), '--json', '--name', 'bot-3']
  const next = await run(['playbooks/bot.ts', ...args], env)
  assert.is(next.code, 0, resultOf(next, host).error)
  assert.ok(resultOf(next, host).ids.includes('release:bot-3'))
})

test.run()
