// Needs a bare VPS of its own: `status`, and the sandbox's Telegram. What goes wrong with a host and its bots, as status.ts sees it.
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Finding } from '../../../lib/health/finding.ts'
import { quote } from '../../../lib/shell/sh.ts'
import { removeVps } from '../../../sandbox/index.ts'
import { run, scratchFile } from '../../support/runner.ts'
import { onTerminal, screenAt, textOf } from '../../support/terminal.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'status'
const container = 'botgarden-hello-bot-blue'
const {
  telegram,
  called,
  tokens,
  inventory,
  site: brings,
  hello,
  inside,
  answer,
  begin,
  bots,
} = botHost(host, ['hello-bot'])
const site = async () => {
  const { code, stdout, stderr } = await brings(file)
  assert.is(code, 0, stdout + stderr)
}

test.before(begin)
test.after(() => removeVps(host))

const file = inventory()
const status = (...args: string[]) => run(['playbooks/status.ts', '-i', file, ...args])

interface Seen {
  readonly code: number | null
  /** `LEVEL ID`, with `bot` in between where it is about one. */
  readonly ids: readonly string[]
  readonly findings: readonly Finding[]
  readonly health: Record<string, unknown>
  readonly bot: Record<string, unknown>
  readonly roundTrips: number
}

async function seen(from = file): Promise<Seen> {
  const { code, stdout, stderr } = await run(['playbooks/status.ts', '-i', from, '--json'])
  if (stdout === '') throw new Error(stderr)
  const { health, bots: of, findings, roundTrips } = JSON.parse(stdout).hosts[host]
  const ids = (findings as Finding[])
    .filter(({ level }) => level !== 'note')
    .map(({ level, id, bot }) => [level, ...(bot === undefined ? [] : ['bot']), id].join(' '))
  return { code, ids, findings, health, bot: of[0], roundTrips }
}

/** Waits until these are among the findings; fails with what was seen instead. */
async function until(wanted: readonly string[], from = file): Promise<Seen> {
  for (let tries = 0; ; tries++) {
    const now = await seen(from)
    if (wanted.every((id) => now.ids.includes(id))) return now
    assert.ok(tries < 30, `not seen: ${wanted.join(', ')}: ${JSON.stringify(now.ids)}`)
    await pause(1000)
  }
}

/** Waits until nothing needs a person. */
async function good(): Promise<Seen> {
  for (let tries = 0; ; tries++) {
    const now = await seen()
    if (now.ids.length === 0) return now
    assert.ok(tries < 60, `still there: ${JSON.stringify(now.findings)}`)
    await pause(1000)
  }
}

test('a bot that was never released is named, with the command that releases it', async () => {
  const { code, ids, findings } = await seen()
  assert.equal([code, ids], [3, ['warning bot not-deployed']])
  assert.is(findings[0]?.next, `npx zx playbooks/bot.ts -i ${file} --name hello-bot`)
})

test('a host that is as it should be is read in one round trip, and nobody is needed', async () => {
  assert.is((await hello()).code, 0)
  assert.match(await answer('/start'), /^Hello/)
  const { code, roundTrips, health, bot } = await good()
  assert.equal([code, roundTrips], [0, 1])
  assert.equal([health.firewall, health.nginxInForce, health.engine], [true, true, true])
  const {
    container: state,
    traffic,
    webhook,
    release,
  } = bot as never as {
    container: { health: string; memoryMB: number; limitMB: number }
    traffic: { delivered: number; failed: number }
    webhook: object
    release: { at: number }
  }
  assert.ok(traffic.delivered >= 1 && traffic.failed === 0)
  assert.is(state.limitMB, 160)
  assert.ok(state.memoryMB > 5 && state.memoryMB < state.limitMB)
  assert.equal(webhook, { url: 'own', pending: 0 })
  assert.ok(Math.abs(Date.now() - release.at) < 600_000)
})

test('watched, it is drawn on a screen of its own, and Ctrl-C gives the terminal back', async () => {
  const recording = await onTerminal(['node_modules/zx/build/cli.js', 'playbooks/status.ts', '-i', file, '--watch'], {
    ...{ columns: 60, rows: 40 },
    types: { after: /UTC[\s\S]*nothing needs you[\s\S]*hello-bot[\s\S]*pending/, text: '\x03' },
  })
  assert.is(recording.code, 130)
  const text = recording.events.map(([, each]) => each).join('')
  assert.match(text, /\[\?1049h[\s\S]*\[\?1049l/)
  assert.not.match((await screenAt(recording)).map(textOf).join('\n'), 'hello-bot')
})

test('a check and a read write nothing on the host', async () => {
  // What the database server keeps moves by itself.
  const server = '/var/lib/botgarden/postgres'
  const files = `find /etc /opt /var/lib/botgarden -path ${server} -prune -o -cnewer /run/mark -type f -print | sort`
  await inside('touch /run/mark')
  await status()
  assert.is((await run(['playbooks/site.ts', '-i', file, '--check'])).code, 0)
  assert.is(await inside(files), '')
})

const faults: readonly (readonly [
  about: string,
  how: () => Promise<unknown>,
  ids: string[],
  back: () => Promise<unknown>,
])[] = [
  [
    'a bot that is killed',
    () => inside(`docker kill ${container}`),
    ['error bot container'],
    () => inside(`docker start ${container}`),
  ],
  [
    'a database server that is stopped',
    () => inside('docker stop botgarden-postgres'),
    ['error container'],
    () => inside('docker start botgarden-postgres'),
  ],
  [
    'an nginx that runs something else',
    () => inside('echo "# by hand" >>/opt/botgarden/nginx/conf/bots/hello-bot.conf'),
    ['error nginx'],
    site,
  ],
  ['a firewall that is off', () => inside('ufw disable'), ['error firewall'], site],
  [
    'a unit that has failed',
    () => inside('systemd-run --wait --quiet --unit=broken false || :'),
    ['warning unit'],
    () => inside('systemctl reset-failed broken'),
  ],
  [
    'a reboot that is due',
    () => inside('echo linux-image >/run/reboot-required.pkgs; touch /run/reboot-required'),
    ['warning reboot'],
    () => inside('rm /run/reboot-required*'),
  ],
  [
    'a webhook that somebody has changed',
    () => toTelegram(`setWebhook?url=https://${host}.sandbox/elsewhere`),
    ['error bot webhook-url'],
    hello,
  ],
  ['a webhook that somebody has deleted', () => toTelegram('deleteWebhook'), ['error bot webhook-url'], hello],
  [
    'drift, once a check has seen it',
    async () => {
      await inside('chmod 600 /etc/docker/daemon.json')
      assert.is((await run(['playbooks/site.ts', '-i', file, '--check'])).code, 2)
    },
    ['warning drift'],
    site,
  ],
  [
    'a certificate of another name',
    () =>
      inside(`cd /etc/botgarden/tls/${host}.sandbox/current &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 90 -subj /CN=other.example \
          -addext subjectAltName=DNS:other.example -keyout privkey.pem -out fullchain.pem 2>/dev/null &&
        docker exec botgarden-nginx nginx -c /etc/nginx/running/nginx.conf -s reload`),
    ['error certificate'],
    site,
  ],
  [
    'an engine that is stopped',
    () => inside('systemctl stop docker.socket docker'),
    ['error engine'],
    () => inside('systemctl start docker'),
  ],
]

/** As somebody does who has the token. */
function toTelegram(method: string) {
  return inside(
    `curl -s "http://telegram.sandbox:8081/bot$(cat /etc/botgarden/secrets/bots/hello-bot/token)/${method}"`,
  )
}

for (const [about, inject, ids, mend] of faults)
  test(`${about} is named with a command, and gone when that has been put right`, async () => {
    await inject()
    const { code, findings } = await until(ids)
    assert.is(code, 3)
    for (const { next } of findings) assert.match(next, /^(npx zx playbooks\/|ssh )/)
    assert.not.match(JSON.stringify(findings), /elsewhere/)
    await mend()
    assert.is((await good()).code, 0)
  })

test('a bot that ends again and again is a loop, and one that has met its limit is told so', async () => {
  for (let i = 0; i < 3; i++) {
    const pid = await inside(`docker inspect -f '{{.State.Pid}}' ${container}`)
    const isBack = `pid=$(docker inspect -f '{{.State.Pid}}' ${container}) && [ "$pid" != 0 ] && [ "$pid" != ${pid} ]`
    await inside(`kill -9 ${pid}; timeout 60 sh -c ${quote(`until ${isBack}; do sleep .2; done`)}`)
  }
  await until(['error bot restart-loop'])
  await inside(`docker exec ${container} node -e 'const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))' || :`)
  await until(['error bot out-of-memory'])
  await inside(`docker rm -f ${container}`)
  await site()
  assert.is((await good()).code, 0)
})

test('a bot that the inventory has no longer is named, with the command that removes it', async () => {
  const { 'hello-bot': entry } = bots
  delete bots['hello-bot']
  const without = inventory()
  bots['hello-bot'] = entry ?? {}
  const { ids, findings } = await seen(without)
  assert.equal(ids, ['warning unknown-bot'])
  const next = findings.find(({ id }) => id === 'unknown-bot')?.next ?? ''
  const removal = await run([...next.replace('npx zx ', '').split(' '), '--check'])
  assert.is(removal.code, 2, removal.stderr)
  assert.match(removal.stdout, 'would change  bot:hello-bot: remove')
})

test('the page has the same, and loads nothing; a host that is not there is told with exit code 4', async () => {
  const page = scratchFile('status.html', '')
  assert.is((await status('--html', page)).code, 0)
  const text = readFileSync(page, 'utf8')
  assert.match(text, /hello-bot/)
  assert.not.match(text, /https?:\/\/|<script/)
  await inside('systemctl stop ssh')
  const lost = await run(['playbooks/status.ts', '-i', file], { BOTGARDEN_CONTROL_PERSIST: '0' })
  await inside('systemctl start ssh')
  assert.is(lost.code, 4)
  assert.match(lost.stdout, new RegExp(`^${host} {2}error: `, 'm'))
})

test('a token that was revoked is named', async () => {
  const { token } = await telegram().revoke(called('hello-bot'))
  await until(['error bot token'])
  tokens.HELLO_BOT_TOKEN = token
  assert.is((await hello()).code, 0)
  assert.is((await good()).code, 0)
})

test.run()
