// Needs a bare VPS of its own with 1 GB of memory: `ten`, the sandbox's certificate authority and its Telegram.
import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, removeVps, telegramControlUrl } from '../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../sandbox/telegram/client.ts'
import { inventoryOf, resultOf, run } from '../support/runner.ts'
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
const inventory = (count: number, more: object = {}) =>
  inventoryOf(host, vars, {
    hosts: { [host]: { domain: `${host}.sandbox` } },
    bots: Object.fromEntries(names.slice(0, count).map((name) => [name, { host, source, ...more }])),
  })
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
  const all = await run(['playbooks/bot.ts', '-i', inventory(10), '--json', '--all'], env)
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
