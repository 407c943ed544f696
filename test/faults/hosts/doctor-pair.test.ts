// Needs three bare VPSs of its own, with /dev/net/tun: `doctor-one` and `doctor-two`, a pair, and `doctor-three`, which serves a bot with
// replicas; the sandbox's certificate authority and its Telegram. What is promised of a pair is broken by hand: doctor.ts names it, what it
// says to type puts it right, alerts tell it meanwhile; update.ts keeps the gate as it is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Verdict } from '../../../commands/doctor/verdict.ts'
import { local } from '../../../lib/shell/local.ts'
import { askStandIns, freshVps, removeVps, telegramControlUrl } from '../../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, resultOf, run } from '../../support/runner.ts'
import { endedIn } from '../../support/vps/inside.ts'

const [one, two, three] = ['doctor-one', 'doctor-two', 'doctor-three'] as const
const hosts = [one, two, three]
const root = resolve(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'doctor-pair-'))
const [key, recipient] = [join(folder, 'key.txt'), join(folder, 'recipient.txt')]
const admin = 4711
const env: Record<string, string> = { BOTGARDEN_GUARD_SECONDS: '600' }
const served = { 'hello-bot': one, poller: one, hot: three }
let telegram: TelegramClient
// The sandbox's Telegram remembers earlier runs.
const nameOf = (bot: string) => `doctor-pair-${process.pid}-${bot}`

const file = inventoryOf(
  one,
  {
    bot: { telegram: 'http://telegram.sandbox:8081', settle: 1, drain: 1 },
    nginx: { telegram: ['10.212.0.0/16'] },
    certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
    mesh: { network: '10.214.0.0/16' },
    backups: { recipients: [recipient], local: folder },
    watch: { chat: admin, token: { env: 'ADMIN_TOKEN' } },
  },
  {
    hosts: Object.fromEntries(
      hosts.map((host) => [host, { domain: `${host}.sandbox`, ...(host === one && { postgres: { standby: two } }) }]),
    ),
    bots: Object.fromEntries(
      Object.entries(served).map(([bot, host]) => [
        bot,
        {
          ...{ host, source: join(root, 'bots/hello-bot'), memory: '96m' },
          ...(bot === 'poller' && { mode: 'polling' }),
          // One of them runs on the standby, which serves nothing of its primary.
          ...(bot === 'hot' && { replicas: 2, hosts: [three, two] }),
        },
      ]),
    ),
  },
)
const playbook = (name: string, ...args: string[]) => run([`playbooks/${name}.ts`, '-i', file, ...args], env)
const good = (result: Run): Run => {
  assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
  return result
}
const on = async (host: string, command: string) => (await endedIn(host)(command)).stdout

test.before(async () => {
  const identity = await generateIdentity()
  writeFileSync(key, `${identity}\n`)
  writeFileSync(recipient, `${await identityToRecipient(identity)}\n`)
  await askStandIns([])
  await Promise.all(hosts.map((host) => freshVps(host, { tun: true })))
  telegram = telegramAt(await telegramControlUrl())
  for (const name of [...Object.keys(served), 'admin'])
    env[`${name.toUpperCase().replace('-', '_')}_TOKEN`] = (await telegram.ensureBot(nameOf(name))).token
  // A bot cannot begin a chat.
  await telegram.act(nameOf('admin'), { chat: admin, text: '/start', language: 'en' })
  await playbook('site', '--wait').then(good)
  await playbook('bot', '--all').then(good)
  await playbook('site', '--json').then(good)
  await playbook('backup').then(good)
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  for (const host of hosts) await removeVps(host)
})

/** What gives way: by host, `ID` or `ID BOT`; and the commands that mend, each once. */
async function examined() {
  const { stdout, stderr } = await playbook('doctor', '--json')
  const told = JSON.parse(stdout || `"${stderr}"`).hosts as Record<string, { promises: Verdict[]; roundTrips: number }>
  const of = (host: string) => told[host]?.promises ?? []
  const broken = (host: string) => of(host).flatMap((each) => (each.result === 'broken' ? [each] : []))
  const idOf = ({ id, bot }: Verdict) => (bot === undefined ? id : `${id} ${bot}`)
  return {
    broken: Object.fromEntries(hosts.map((host) => [host, broken(host).map(idOf)])),
    mends: [...new Set(hosts.flatMap((host) => broken(host).flatMap(({ faults }) => faults.map(({ mend }) => mend))))],
    ids: (host: string) => of(host).map(idOf),
    trips: hosts.map((host) => told[host]?.roundTrips ?? 0),
    text: hosts.flatMap((host) => broken(host).map((each) => `${host}: ${JSON.stringify(each)}`)).join('\n'),
  }
}
const nothing = Object.fromEntries(hosts.map((host) => [host, []]))

/** Types a command as the operator would. */
async function typed(command: string): Promise<string> {
  const path = `${root}/node_modules/.bin:${process.env.PATH}`
  const shell = local({ nothrow: true, cwd: root, env: { ...process.env, ...env, NO_COLOR: '1', PATH: path } })
  const { stdout, stderr, exitCode } = await shell`sh -c ${command}`
  return `${stdout}${stderr}exit code ${exitCode}`
}

async function until(what: string, isSo: () => Promise<boolean>, seconds = 240) {
  for (const end = performance.now() + seconds * 1000; !(await isSo()); await pause(2000))
    if (performance.now() > end) assert.unreachable(`${what}: not within ${seconds} s`)
}
const alerts = () => telegram.chat(nameOf('admin'), admin)
const isTold = (said: RegExp, after: number) =>
  until(`${said}`, async () => (await alerts()).slice(after).some(({ text }) => said.test(text)))
const verdict = (host: string) => on(host, 'tail -n 1 /run/botgarden/gate/verdict')

/** Types what is said, until nothing is broken: what starts again takes a moment. */
async function mended(mends: readonly string[]) {
  const said: string[] = []
  const commands = new Set(mends.map((each) => each.replace(/ or, where that changes nothing, .*/, '')))
  for (const each of commands) said.push(await typed(each))
  let last: Awaited<ReturnType<typeof examined>> | undefined
  for (let tries = 0; tries < 6; tries++) {
    last = await examined()
    if (Object.values(last.broken).every((ids) => ids.length === 0)) return
    await pause(5000)
  }
  assert.unreachable(`${mends.join('\n')}\n${said.join('\n')}\n${last?.text}`)
}

test('a pair and a host with replicas keep all their promises, by two requests, and others have none of a pair', async () => {
  const { broken, ids, trips, text } = await examined()
  assert.equal(broken, nothing, text)
  // One of them is the alert, and nothing is tried from bots where none serves.
  assert.equal(trips, [3, 2, 3])
  const ofPair = (host: string) => ids(host).filter((id) => /^(gate|standby)/.test(id))
  assert.equal(ofPair(one), ['gate', 'gate-record', 'gate-open', 'gate-mounts', 'standby'])
  assert.equal(ofPair(two), ['gate', 'gate-record', 'standby-idle', 'gate-mounts', 'standby'])
  assert.equal(ofPair(three), [])
  assert.ok(ids(two).includes('bot-confined hot'))
  // A replica on the standby is none of the pair: its gate, which judges every 15 seconds, leaves it alone.
  const replica = () => on(two, `docker ps --quiet --filter name=hot_bot`)
  const running = await replica()
  assert.match(running, /^\w+$/)
  await pause(20_000)
  assert.is(await replica(), running)
})

const stray = `docker run -d --name botgarden-poller-green --label botgarden.bot=poller --label botgarden.config=x --restart always --network none --entrypoint sleep postgres:18.6 3000`
const elsewhere = (what: string) =>
  `sed -i 's#source: /run/botgarden/gate/${what}#source: /opt/botgarden#' FILE && docker compose -f FILE up -d 2>&1`
const server = '/opt/botgarden/postgres/compose.yaml'
const groups: { about: string; how: [string, string][]; broken: Record<string, string[]>; alert?: RegExp }[] = [
  {
    about: 'a gate that was shut as for a failover, and on the standby one that does not judge while a bot runs',
    how: [
      [one, '/opt/botgarden/gate/gate fence 2'],
      [
        two,
        `systemctl stop botgarden-gate.timer; sed -i "1s/.*/$(($(date +%s) - 290))/" /run/botgarden/gate/verdict; ${stray}`,
      ],
    ],
    broken: { [one]: ['gate-open', 'standby'], [two]: ['gate', 'standby-idle', 'gate-mounts'] },
    alert: /its gate is shut, so no bot runs: it was stopped for a failover/,
  },
  {
    about: 'a record that is gone, and a standby that does not follow',
    how: [
      [one, 'systemctl stop botgarden-gate.timer; rm /etc/botgarden/primary.json'],
      [two, 'docker stop botgarden-postgres'],
    ],
    broken: { [one]: ['gate', 'gate-record', 'standby'], [two]: ['standby'] },
  },
  {
    about: 'a bot and a server that a boot would start, and one that listens for everybody',
    how: [
      [one, elsewhere('bots').replaceAll('FILE', '/opt/botgarden/bots/hello-bot/blue.yaml')],
      [two, elsewhere('postgres').replaceAll('FILE', server)],
      [two, `sed -i 's#- 10.214.*:5432:5432#- 5432:5432#' ${server} && docker compose -f ${server} up -d 2>&1`],
    ],
    broken: { [one]: ['gate-mounts'], [two]: ['gate-mounts', 'published'] },
  },
]

for (const { about, how, broken, alert } of groups)
  test(`${about}: named, with the commands that mend it`, async () => {
    const before = (await alerts()).length
    for (const [host, command] of how) await endedIn(host)(command)
    const found = await examined()
    process.stdout.write(`${found.text}\n`)
    for (const [host, ids] of Object.entries(broken))
      for (const id of ids) assert.ok(found.broken[host]?.includes(id), `${host} ${id}: ${found.text}`)
    if (alert !== undefined) {
      await isTold(alert, before)
      await isTold(/its gate has not judged for \d minutes/, before)
    }
    await mended(found.mends)
    if (alert !== undefined) await isTold(/resolved: its gate is shut/, before)
    assert.match(await verdict(one), /^open primary of epoch 1/)
  })

test('fewer replicas than wanted are an alert, until all run', async () => {
  const before = (await alerts()).length
  await on(three, 'docker service scale --detach botgarden-hot_bot=1')
  await isTold(/hot: 1 of its 2 replicas run[\s\S]*docker service ps botgarden-hot_bot/, before)
  await on(three, 'docker service scale --detach botgarden-hot_bot=2')
  await isTold(/resolved: hot: 1 of its 2/, before)
})

test('update.ts takes the standby first, keeps the gate as it is, and nothing is left for site.ts', async () => {
  await on(one, 'systemctl disable --now botgarden-gate.timer')
  const checked = await playbook('update', '--check', '--limit', `${one},${two}`)
  assert.ok(checked.code === 0 || checked.code === 2, checked.stderr)
  assert.match(await verdict(one), /^open/)
  for (const flags of [[], ['--rotate']]) {
    const { stderr } = await playbook('update', '--limit', `${one},${two}`, ...flags).then(good)
    const [first] = flags.length === 0 ? [two] : [one]
    assert.match(stderr, new RegExp(`^${first} +connected`), flags.join())
    assert.match(await verdict(one), /^open/)
    assert.is(await on(one, 'systemctl is-active botgarden-gate.timer'), 'active')
    for (const bot of ['hello-bot', 'poller']) await answers(bot)
  }
  const site = await playbook('site', '--json').then(good)
  for (const host of hosts) assert.equal([resultOf(site, host).changed, resultOf(site, host).ids], [0, []], host)
})

async function answers(bot: string) {
  const chat = Math.floor(Math.random() * 1e9) + 1e9
  await telegram.act(nameOf(bot), { chat, text: '/start', language: 'en' })
  await until(`${bot} answers`, async () =>
    (await telegram.chat(nameOf(bot), chat, { wait: 1 })).some(({ from }) => from === 'bot'),
  )
}

test('a host of a pair is not rebuilt from a backup', async () => {
  for (const [host, said] of [
    [one, /its standby doctor-two has newer data than a backup: .*failover\.ts --from doctor-one --to doctor-two/],
    [two, /it is the standby of doctor-one/],
  ] as const) {
    const { code, stderr } = await playbook('restore', '--host', host, '--identity', key, '--yes')
    assert.is(code, 3)
    assert.match(stderr, said)
  }
})

test.run()
