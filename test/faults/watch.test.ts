// Needs a bare VPS of its own: `watched`, and the sandbox's Telegram. Faults of a host, each of which must be in the admin's chat within
// two minutes, and be told as resolved when it is mended.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps, restartVps } from '../../sandbox/index.ts'
import type { TelegramClient } from '../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, resultOf, run } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'

const host = 'watched'
const { bots, tokens, hello, inside, begin, telegram, called } = botHost(host, ['hello-bot', 'admin-bot'])
const admin = 4711
const domain = `${host}.sandbox`
const vars = {
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 3, drain: 5 },
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
}
const watch = { chat: admin, token: { env: 'ADMIN_BOT_TOKEN' }, thresholds: { clockSeconds: 5, disk: 100 } }
const file = (more: object = { watch }) =>
  inventoryOf(host, { ...vars, ...more }, { hosts: { [host]: { domain } }, bots })
const site = (more?: object, args: string[] = [], env: NodeJS.ProcessEnv = tokens) =>
  run(['playbooks/site.ts', '-i', file(more), '--json', ...args], env as Record<string, string>)
const done = (result: Run) => assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
const nothing = (result: Run) => {
  const { changed, unknown, roundTrips, error } = resultOf(result, host)
  assert.equal({ changed, unknown, roundTrips, error }, { changed: 0, unknown: 0, roundTrips: 1, error: undefined })
}
const chat = async (client: TelegramClient = telegram()) =>
  (await client.chat(called('admin-bot'), admin)).filter(({ from }) => from === 'bot').map(({ text }) => text)

/** Waits until the chat has a text that begins after so many, and says how many seconds that took. */
async function told(after: number, said: RegExp, seconds = 120): Promise<number> {
  for (let second = 0; second < seconds; second++) {
    if ((await chat()).slice(after).some((text) => said.test(text))) return second
    await pause(1000)
  }
  const heard = (await chat()).slice(after).join('\n')
  throw new Error(
    `not within ${seconds} s: ${said}\n${heard}\n${await inside('cat /run/botgarden/watch/found; journalctl -q -u botgarden-watch -n 20')}`,
  )
}

test.before(begin)
test.after(() => removeVps(host))

test('set-up sends a message, proves it by a mark, and is the same twice', async () => {
  // A bot cannot begin a chat.
  await telegram().act(called('admin-bot'), { chat: admin, text: '/start', language: 'en' })
  done(await hello())
  const check = resultOf(await site(undefined, ['--check']), host)
  const first = await site()
  done(first)
  assert.equal([...resultOf(first, host).ids].sort(), [...check.ids, ...check.unknownIds].sort())
  assert.equal((await chat()).filter((text) => /botgarden watches watched/.test(text)).length, 1)
  nothing(await site())
  nothing(await site(undefined, [], {}))
  assert.equal((await chat()).length, 1)
})

test('a chat that refuses ends the run, and is asked again by the next', async () => {
  const refused = await site({ watch: { ...watch, chat: 12345678 } })
  assert.is(refused.code, 2, refused.stdout + refused.stderr)
  assert.match(refused.stdout + refused.stderr, /Telegram refuses: /)
  done(await site())
})

test('what is changed by hand is seen: the timer, the program, the mark', async () => {
  await inside(
    'systemctl disable --now botgarden-watch.timer; echo >>/opt/botgarden/watch/table.awk; rm /var/lib/botgarden/watch/proved',
  )
  const { ids } = resultOf(await site(), host)
  assert.equal([...ids].sort(), ['file:/opt/botgarden/watch/table.awk', 'unit:botgarden-watch.timer', 'watch:message'])
  nothing(await site())
})

const container =
  'botgarden-hello-bot-$(sed -n \'s/.*"colour":"\\([a-z]*\\)".*/\\1/p\' /var/lib/botgarden/bots/hello-bot/current.json)'
const api = (method: string, form = '') =>
  `token=$(cat /etc/botgarden/secrets/bots/hello-bot/token); curl -s ${form} "http://telegram.sandbox:8081/bot$token/${method}"`
const job = (code: number) =>
  `mkdir -p /var/lib/botgarden/bots/hello-bot/jobs; printf '{"start":1,"image":"x","seconds":1,"how":"ended","code":${code}}\\n' >/var/lib/botgarden/bots/hello-bot/jobs/tick.json`
const backup = (age: string) =>
  `mkdir -p /opt/botgarden/backups; touch /opt/botgarden/backups/settings; printf '{"result":"ok","at":"x","reason":"","lastGood":"%s"}' "$(date -u -d '${age}' +%Y-%m-%dT%H%M%SZ)" >/opt/botgarden/backups/status.json`
const certificate = (name: string, days: number) =>
  `cd /etc/botgarden/tls/${domain}; [ -e kept ] || cp -a "$(readlink -f current)" kept
   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days ${days} -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout current/privkey.pem -out current/fullchain.pem 2>/dev/null
   docker kill --signal HUP botgarden-nginx`
const certificateBack = `cd /etc/botgarden/tls/${domain}; cp kept/*.pem current/; rm -rf kept; docker kill --signal HUP botgarden-nginx`

/** Restarts and lack of memory are told for 10 minutes. */
const forget = 'rm -f /run/botgarden/watch/containers'
const store = '/var/lib/botgarden/backups'
/** A disk of its own: a full one of the VPS would be one of this machine. */
const disk = (options: string) => `mkdir -p ${store}; mount -t tmpfs -o ${options} none ${store}`

/** A fault, what is said of it, and what mends it. */
const faults: readonly (readonly [what: string, breaks: string, said: RegExp, mends: string])[] = [
  [
    'a container is killed',
    `docker kill ${container}`,
    /hello-bot: its container botgarden-hello-bot-\w+ is not running/,
    `docker start ${container}`,
  ],
  [
    'PostgreSQL is down',
    'docker stop botgarden-postgres',
    /botgarden-postgres is not running/,
    'docker start botgarden-postgres',
  ],
  [
    'a crash loop',
    `for i in 1 2 3 4; do kill -9 "$(docker inspect -f '{{.State.Pid}}' ${container})"; sleep 5; done`,
    /hello-bot-\w+ (has ended and was started again \d+ times|keeps ending)/,
    forget,
  ],
  [
    'out of memory',
    `docker exec ${container} node -e 'const a = []; for (;;) a.push(Buffer.alloc(1e7, 1))' >/dev/null 2>&1`,
    /hello-bot-\w+ ran out of memory/,
    forget,
  ],
  [
    'a disk is full',
    `${disk('size=1m')}; head -c 1M /dev/zero >${store}/filler`,
    /the disk at \S+backups is 100 % full/,
    `umount ${store}`,
  ],
  [
    'no inodes',
    `${disk('nr_inodes=4')}; touch ${store}/1 ${store}/2 ${store}/3`,
    /100 % of the inodes of the disk at \S+backups are used/,
    `umount ${store}`,
  ],
  [
    'the clock is off',
    `printf '%s\n' '#!/bin/sh' 'case $1 in -d) exec /usr/bin/date "$@" ;; *) exec /usr/bin/date -d "10 seconds" "$@" ;; esac' >/usr/local/bin/date; chmod 755 /usr/local/bin/date`,
    /the clock is off by (9|1\d) seconds/,
    'rm /usr/local/bin/date',
  ],
  [
    'the webhook is stolen by a poller',
    api('deleteWebhook'),
    /hello-bot: its webhook is gone/,
    api(
      'setWebhook',
      `-d url=https://${domain}/tg/hello-bot -d "secret_token=$(cat /etc/botgarden/secrets/bots/hello-bot/webhook-secret)"`,
    ),
  ],
  [
    'the webhook is changed by hand',
    api('setWebhook', '-d url=https://elsewhere.sandbox/x'),
    /hello-bot: its webhook leads elsewhere: to elsewhere\.sandbox/,
    api(
      'setWebhook',
      `-d url=https://${domain}/tg/hello-bot -d "secret_token=$(cat /etc/botgarden/secrets/bots/hello-bot/webhook-secret)"`,
    ),
  ],
  ['a certificate ends soon', certificate(domain, 3), /the certificate of watched.sandbox ends/, certificateBack],
  [
    'a certificate is of another name',
    certificate('other.sandbox', 90),
    /served for watched.sandbox is that of another name/,
    certificateBack,
  ],
  ['a job failed', job(3), /hello-bot: its job tick failed: exit code 3/, job(0)],
  ['a backup is late', backup('30 hours ago'), /the last good backup is 30 hours old/, backup('1 hour ago')],
  [
    'nginx is down',
    'docker stop botgarden-nginx',
    /botgarden-nginx is not running[\s\S]*nothing serves a certificate|nothing serves a certificate[\s\S]*botgarden-nginx is not running/,
    'docker start botgarden-nginx',
  ],
  [
    'the engine is away',
    'systemctl stop docker.socket docker.service',
    /Docker does not answer/,
    'systemctl start docker.service',
  ],
]

for (const [what, breaks, said, mends] of faults)
  test(`within two minutes: ${what}`, async () => {
    const before = (await chat()).length
    await inside(breaks)
    const seconds = await told(before, said)
    const since = (await chat()).length
    await inside(mends)
    await told(since, /resolved: /)
    process.stdout.write(`${what}: told after ${seconds} s\n`)
  })

test('Telegram away for some minutes: one message for all of it, and no secret in the journal', async () => {
  const before = (await chat()).length
  await inside('echo "127.0.0.2 telegram.sandbox" >>/etc/hosts')
  await inside(job(4))
  await pause(130_000)
  assert.equal((await chat()).slice(before), [])
  await inside("sed '/127.0.0.2 telegram/d' /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts")
  await told(before, /its job tick failed: exit code 4/)
  assert.equal((await chat()).slice(before).length, 1)
  await inside(job(0))
  await told(before, /resolved/)
  const journal = await inside('journalctl -q --no-pager')
  for (const token of Object.values(tokens)) assert.not.ok(journal.includes(token))
})

test('it runs in little memory and time, and leaves no line a minute', async () => {
  await inside('systemctl start botgarden-watch.service')
  const peak = await inside('systemctl show -P MemoryPeak botgarden-watch.service')
  process.stdout.write(
    `memory at most: ${peak}, ${await inside('systemctl show -P CPUUsageNSec botgarden-watch.service')} ns of CPU\n`,
  )
  assert.is(
    await inside('journalctl -q -o cat -u botgarden-watch --since -3min | grep -c -e Starting -e Finished || :'),
    '0',
  )
})

test('after a boot nothing is told again, and without its key nothing is left of it', async () => {
  const before = (await chat()).length
  await restartVps(host)
  await pause(70_000)
  const said = (await chat()).slice(before)
  assert.equal(
    said.filter((text) => !/resolved|was and is over|hello-bot|the host/.test(text)),
    [],
  )
  done(await site({}))
  assert.is(
    await inside(
      'ls -d /opt/botgarden/watch /var/lib/botgarden/watch /run/botgarden/watch /etc/botgarden/secrets/watch-token /etc/systemd/system/botgarden-watch.* 2>/dev/null || :',
    ),
    '',
  )
  nothing(await site({}))
})

test.run()
