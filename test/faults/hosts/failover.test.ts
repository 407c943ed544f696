// Needs two bare VPSs of its own, with /dev/net/tun: `failover-one` and `failover-two`, the sandbox's certificate authority and its
// Telegram. Ten bots and their database serve on one of them and follow on the other, which takes over: under load, after a kill, with
// networks cut, with the runner killed at each step.
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import { local } from '../../../lib/shell/local.ts'
import { askStandIns, freshVps, removeVps, telegramControlUrl } from '../../../sandbox/index.ts'
import { containerOf } from '../../../sandbox/machine/paths.ts'
import { type TelegramClient, telegramAt } from '../../../sandbox/telegram/client.ts'
import { awaitReady } from '../../../sandbox/vps/boot.ts'
import { inventoryOf, type Run, resultOf, run, scratchFile, start } from '../../support/runner.ts'
import { endedIn } from '../../support/vps/inside.ts'

const [one, two] = ['failover-one', 'failover-two']
const hosts = [one, two]
const other = (host: string) => (host === one ? two : one)
const count = Number(process.env.FAILOVER_BOTS ?? 10)
const names = Array.from({ length: count }, (_, i) => (i === 0 ? 'hello-bot' : `bot-${i}`))
// One of them polls, and has a job: no webhook tells where it serves.
const poller = 'bot-1'
const env: Record<string, string> = { BOTGARDEN_GUARD_SECONDS: '600' }
const source = new URL('../../../bots/hello-bot', import.meta.url).pathname
let telegram: TelegramClient
// The sandbox's Telegram remembers earlier runs.
const nameOf = (bot: string) => `failover-${process.pid}-${bot}`

const job = { tick: { schedule: '* * * * *', command: ['node', '-e', 'setTimeout(() => {}, 2000)'] } }
const settings = (bot: string) => ({
  ...{ source, memory: '96m' },
  ...(bot === 'hello-bot' && { data: ['/data'] }),
  ...(bot === poller && { mode: 'polling', jobs: job }),
})
/** The inventory by which this host serves, and the other one follows. */
const serving = (primary: string, postgres: object = {}) =>
  inventoryOf(
    primary,
    {
      bot: { telegram: 'http://telegram.sandbox:8081', settle: 1, drain: 1 },
      nginx: { telegram: ['10.212.0.0/16'] },
      certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
      mesh: { network: '10.214.0.0/16' },
    },
    {
      hosts: Object.fromEntries(
        hosts.map((host) => [
          host,
          {
            domain: `${host}.sandbox`,
            ...(host === primary && { postgres: { standby: other(primary), ...postgres } }),
          },
        ]),
      ),
      bots: Object.fromEntries(names.map((bot) => [bot, { host: primary, ...settings(bot) }])),
    },
  )
const inventories = Object.fromEntries(
  hosts.flatMap((host) => [
    [host, serving(host)],
    [`${host} synchronous`, serving(host, { synchronous: true })],
  ]),
)
const fileOf = (primary: string, synchronous = false) =>
  inventories[`${primary}${synchronous ? ' synchronous' : ''}`] ?? ''

const on = async (host: string, command: string) => (await endedIn(host)(command)).stdout
const docker = (...args: string[]) => local({ nothrow: true })`docker ${args}`
const failing = (from: string, ...args: string[]) => [
  ...['playbooks/failover.ts', '-i', fileOf(from), '--from', from, '--to', other(from), '--wait', ...args],
]
const good = (result: Run): Run => {
  assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
  return result
}
const failover = async (from: string, ...args: string[]) => good(await run(failing(from, ...args), env))
const site = async (primary: string, synchronous = false) =>
  good(await run(['playbooks/site.ts', '-i', fileOf(primary, synchronous), '--json', '--wait'], env))

/** As a machine that loses power; and as it comes back. */
const killHost = (host: string) => docker('kill', containerOf(host))
async function powerOn(host: string) {
  await docker('start', containerOf(host))
  await awaitReady(host)
}

test.before(async () => {
  await askStandIns([])
  for (const host of hosts) await freshVps(host, { tun: true })
  telegram = telegramAt(await telegramControlUrl())
  for (const name of names)
    env[`${name.toUpperCase().replace('-', '_')}_TOKEN`] = (await telegram.ensureBot(nameOf(name))).token
  try {
    await site(one)
    await run(['playbooks/bot.ts', '-i', fileOf(one), '--all'], env).then(good)
  } catch (error) {
    process.stdout.write(String(error))
    throw error
  }
  await on(one, `cd /var/lib/botgarden/data/hello-bot/current/data && echo kept >file && chown --reference=. file`)
  await site(one)
  for (const host of hosts) await on(host, `mkdir -p ${dirname(dropIn)}`)
})
test.after(async () => {
  for (const host of hosts) await removeVps(host)
})

/** The containers of bots that run on a host. */
const botsOn = async (host: string) =>
  (await on(host, `docker ps --format '{{.Names}}' --filter label=botgarden.bot | grep -E -- '-(blue|green)$' || :`))
    .split('\n')
    .filter(Boolean)
const takesWrites = async (host: string) =>
  (await on(
    host,
    `docker exec botgarden-postgres psql -XqAtU postgres -c 'select not pg_is_in_recovery()' 2>/dev/null || :`,
  )) === 't'
const verdict = (host: string) => on(host, 'tail -n 1 /run/botgarden/gate/verdict')

async function until(what: string, isSo: () => Promise<boolean>, seconds = 120) {
  const end = performance.now() + seconds * 1000
  while (!(await isSo())) {
    if (performance.now() > end) assert.unreachable(`${what}: not within ${seconds} s`)
    await pause(500)
  }
}

/** What people write to all bots, each in turn, until it is ended. */
function load(perSecond: number, people: number) {
  let going = true
  let sent = 0
  const first = Math.floor(Date.now() / 1000) * 1000
  const ended = (async () => {
    const began = performance.now()
    const underWay = new Set<Promise<unknown>>()
    for (; going && sent < 30_000; sent++) {
      const bot = names[sent % names.length] ?? ''
      const chat = first + (Math.floor(sent / names.length) % people)
      const act = telegram
        .act(nameOf(bot), { chat, text: '/start', language: 'en' })
        .finally(() => underWay.delete(act))
      underWay.add(act)
      // One person's updates must not overtake each other on their way to Telegram.
      if (underWay.size >= names.length) await Promise.all(underWay)
      await pause(Math.max(0, began + ((sent + 1) * 1000) / perSecond - performance.now()))
    }
    await Promise.all(underWay)
  })()
  return async () => {
    going = false
    await ended
    return { first, sent, people }
  }
}

/** What each person was told by each bot: how often it says that it has met them. */
async function told({ first, sent, people }: { first: number; sent: number; people: number }) {
  const of = (bot: string) => Math.floor((sent - names.indexOf(bot) - 1) / names.length) + 1
  for (const bot of names)
    await until(`all updates of ${bot} are delivered and answered`, async () => {
      const { pending, sent: replies } = await telegram.report(nameOf(bot))
      const mine = Object.entries(replies.byChat).filter(
        ([chat]) => Number(chat) >= first && Number(chat) < first + people,
      )
      return pending === 0 && mine.reduce((sum, [, n]) => sum + n, 0) >= of(bot)
    })
  const lines: { bot: string; person: number; wrote: number; met: number[] }[] = []
  for (const bot of names)
    for (let person = 0; person < people; person++) {
      const said = (await telegram.chat(nameOf(bot), first + person)).filter(({ from }) => from === 'bot')
      const met = said.map(({ text }) => Number(/We have met (\d+)/.exec(text)?.[1] ?? 1))
      lines.push({ bot, person, wrote: Math.floor((of(bot) - person - 1) / people) + 1, met })
    }
  return lines
}

/** A reply may come twice from a bot that was killed before it had noted that it was sent; what it says is counted once. */
function effectOnce(said: Awaited<ReturnType<typeof told>>, where: string) {
  for (const { bot, person, wrote, met } of said)
    assert.equal(
      [...new Set(met)],
      Array.from({ length: wrote }, (_, i) => i + 1),
      `${where}: ${bot}: what person ${person} was told`,
    )
  const twice = said.reduce((sum, { met }) => sum + met.length - new Set(met).size, 0)
  if (twice > 0) process.stdout.write(`  ${where}: ${twice} replies came twice\n`)
}

async function answersAll() {
  await Promise.all(
    names.map(async (name) => {
      const chat = Math.floor(Math.random() * 1e9) + 1e9
      await telegram.act(nameOf(name), { chat, text: '/start', language: 'en' })
      await until(
        `${name} answers`,
        async () => (await telegram.chat(nameOf(name), chat, { wait: 1 })).some(({ from }) => from === 'bot'),
        180,
      )
    }),
  )
}

/** All of it serves here, and nothing of it there. */
async function servesOnly(host: string, where: string) {
  await answersAll()
  assert.is((await botsOn(host)).length, names.length, `${where}: bots on ${host}`)
  assert.ok(await takesWrites(host), `${where}: the server of ${host}`)
  if ((await docker('ps', '--quiet', '--filter', `name=^${containerOf(other(host))}$`)).stdout.trim() === '') return
  assert.equal(await botsOn(other(host)), [], `${where}: bots on ${other(host)}`)
  assert.not.ok(await takesWrites(other(host)), `${where}: the server of ${other(host)}`)
}

/** Looks at both hosts all the time, until it is ended: whether both ran bots at the same time. */
function watch() {
  let going = true
  const both: string[] = []
  const ended = (async () => {
    while (going) {
      const [first = [], second = []] = await Promise.all(hosts.map((host) => botsOn(host).catch(() => [])))
      if (first.length > 0 && second.length > 0) both.push(`${first} and ${second}`)
      await pause(300)
    }
  })()
  return async () => {
    going = false
    await ended
    return both
  }
}

let at = one

test('both hosts know which is the primary, the standby follows and runs no bot, and a second run changes nothing', async () => {
  for (const host of hosts)
    assert.equal(JSON.parse(await on(host, 'cat /etc/botgarden/primary.json')), {
      epoch: 1,
      primary: one,
      standby: two,
    })
  await servesOnly(one, 'at first')
  const again = await site(one)
  for (const host of hosts) {
    const { changed, unknown, ids } = resultOf(again, host)
    assert.equal([changed, unknown], [0, 0], `${host}: ${ids}`)
  }
  assert.is(await on(two, 'cat /var/lib/botgarden/data/hello-bot/current/data/file'), 'kept')
})

test('what cannot be is refused before anything is touched, and a check says what would happen', async () => {
  const cases: [string[], RegExp][] = [
    [['--from', one], /--to HOST is missing/],
    [['--from', one, '--to', one], /both failover-one/],
    [['--from', 'failover-on', '--to', two], /unknown host "failover-on" \(did you mean "failover-one"/],
    [['--from', one, '--to', two, '--limit', one], /--limit/],
  ]
  for (const [args, said] of cases) {
    const { code, stderr } = await run(['playbooks/failover.ts', '-i', fileOf(one), ...args], env)
    assert.is(code, 1, stderr)
    assert.match(stderr, said)
  }
  const checked = await run(failing(one, '--check'), env)
  assert.is(checked.code, 2, checked.stderr)
  assert.match(checked.stderr, /would stop failover-one/)
  assert.match(checked.stderr, /would serve hello-bot/)
  await servesOnly(one, 'after a check')
})

test('the primary reboots, with its standby there: it serves again by itself', async () => {
  await killHost(one)
  await powerOn(one)
  await until('it serves again', async () => (await botsOn(one)).length === names.length)
  assert.match(await verdict(one), /^open primary of epoch 1/)
  await servesOnly(one, 'after a reboot')
})

test('killed without warning, asynchronous: every bot answers from the standby within 2 minutes, and the loss is told', async () => {
  const ending = load(60, 20)
  await pause(15_000)
  await killHost(at)
  const since = performance.now()
  const refused = await run(failing(at), env)
  assert.is(refused.code, 3)
  assert.match(refused.stderr, /does not answer[\s\S]*--old-host-is-gone/)
  const result = await failover(at, '--old-host-is-gone')
  at = other(at)
  const command = (performance.now() - since) / 1000
  await answersAll()
  const seconds = (performance.now() - since) / 1000
  const said = await told(await ending())
  // Who is told a number again was met by the old host, and the new one does not know it.
  const lost = said.reduce((sum, { met }) => sum + met.length - new Set(met).size, 0)
  const text = /the last change that .*/.exec(result.stderr)?.[0] ?? ''
  process.stdout.write(
    `  every bot answered after ${seconds.toFixed(1)} s, the command took ${command.toFixed(1)} s; ${lost} updates of 60 a second forgotten; ${text}\n`,
  )
  assert.ok(lost < 5 * 60, `${lost} lost`)
  assert.match(text, /is of 20\d\d-.*is lost/)
  await servesOnly(at, 'after the kill')
})

test('the old host comes back, with both networks up: it starts nothing, and runs with the old inventory are refused', async () => {
  const end = watch()
  await powerOn(other(at))
  await until('it knows', async () => (await verdict(other(at))).startsWith(`shut ${at} is the primary since epoch 2`))
  await pause(20_000)
  assert.equal(await end(), [])
  await servesOnly(at, 'with the old host back')
  for (const args of [['playbooks/site.ts'], ['playbooks/bot.ts', '--name', 'hello-bot']]) {
    const { code, stderr } = await run([...args, '-i', fileOf(other(at))], env)
    assert.is(code, 3, stderr)
    assert.match(stderr, /failover-two.*primary[\s\S]*standby: failover-one/)
  }
  await on(other(at), 'systemctl restart docker')
  await servesOnly(at, 'after a restart of the engine')
})

test('with a changed inventory site.ts makes the old host the standby; then commits wait for it', async () => {
  await site(at)
  await site(at, true)
  const again = await site(at, true)
  for (const host of hosts) assert.equal([resultOf(again, host).changed, resultOf(again, host).ids], [0, []], host)
  await servesOnly(at, 'with a new standby')
})

test('killed without warning, synchronous: every acknowledged effect is there, and every update is answered once', async () => {
  const ending = load(60, 20)
  await pause(15_000)
  await killHost(at)
  const since = performance.now()
  const result = await run(
    ['playbooks/failover.ts', '-i', fileOf(at, true), '--from', at, '--to', other(at), '--wait', '--old-host-is-gone'],
    env,
  ).then(good)
  at = other(at)
  await answersAll()
  const seconds = (performance.now() - since) / 1000
  const said = await told(await ending())
  process.stdout.write(`  synchronous: every bot answered after ${seconds.toFixed(1)} s\n`)
  assert.match(result.stderr, /nothing that failover-\w+ has acknowledged is lost/)
  effectOnce(said, 'synchronous')
  await servesOnly(at, 'after the second kill')
})

/** Has a host lose this traffic from its next boot on: before its gate asks anybody. */
async function cutAtBoot(host: string, ...rules: string[]) {
  const cut = (rule: string) =>
    `ExecStartPre=/bin/sh -c "iptables -t mangle -C ${rule} || iptables -t mangle -A ${rule}"\n`
  const file = scratchFile('cut.conf', `[Service]\n${rules.map(cut).join('')}`)
  await docker('cp', file, `${containerOf(host)}:${dropIn}`)
}
const dropIn = '/etc/systemd/system/botgarden-gate.service.d/cut.conf'
const mend = (host: string) => on(host, `rm -f ${dropIn}; systemctl daemon-reload; iptables -t mangle -F OUTPUT`)
const addressOf = async (part: string) => (await on(at, `getent ahostsv4 ${part} | awk '{ print $1; exit }'`)).trim()

test('the old host comes back with a split mesh, with no way to its peer, and with none to Telegram either: it starts nothing', async () => {
  const [peer, bots] = [await addressOf(`${at}.sandbox`), await addressOf('telegram.sandbox')]
  const mesh = 'OUTPUT -p udp --dport 51820 -j DROP'
  const all = `OUTPUT -d ${peer} -j DROP`
  const cases: [string[], RegExp][] = [
    [[mesh, all, `OUTPUT -d ${bots} -j DROP`], /^shut .* does not answer, and no webhook tells/],
    [[mesh, all], /^shut .* Telegram delivers to/],
    [[mesh], new RegExp(`^shut ${at} is the primary since epoch`)],
  ]
  for (const [rules, said] of cases) {
    const end = watch()
    await cutAtBoot(other(at), ...rules)
    await powerOn(other(at))
    await until(`${said}`, async () => said.test(await verdict(other(at))), 120)
    if (`${said}`.includes('delivers')) await refusesOlder()
    await pause(20_000)
    assert.equal(await end(), [], `${said}`)
    await servesOnly(at, `${said}`)
    if (said !== cases.at(-1)?.[1]) await killHost(other(at))
  }
  await mend(other(at))
  await site(at)
  await servesOnly(at, 'with a standby again')
})

/** The host whose place another one has taken is not brought to serve by a run to which that other one is silent. */
async function refusesOlder() {
  const former = other(at)
  const blind = parse(readFileSync(fileOf(former, true), 'utf8'))
  blind.hosts[at].ssh = 'root@127.0.0.1:9'
  const file = scratchFile('blind.yaml', stringify(blind))
  const { code, stderr } = await run(
    ['playbooks/failover.ts', '-i', file, '--from', at, '--to', former, '--old-host-is-gone'],
    env,
  )
  assert.is(code, 3, stderr)
  assert.match(stderr, `Telegram delivers to ${at}, which has taken over from ${former}`)
  assert.match(await verdict(former), /^shut .* Telegram delivers to/)
}

const noSsh = 'INPUT -p tcp --dport 22 -j DROP'

test('cut off while it serves, it stops by itself within a minute of the failover', async () => {
  const from = at
  // Neither ssh nor the mesh: the operator cannot know that it serves on.
  await on(from, `iptables -t mangle -A OUTPUT -p udp --dport 51820 -j DROP; iptables -t mangle -I ${noSsh}`)
  await failover(from, '--old-host-is-gone')
  const decided = performance.now()
  at = other(from)
  await until('its bots are stopped', async () => (await botsOn(from)).length === 0 && !(await takesWrites(from)), 60)
  process.stdout.write(
    `  it stopped ${((performance.now() - decided) / 1000).toFixed(1)} s after the failover had ended\n`,
  )
  await servesOnly(at, 'after the split')
  await mend(from)
  await on(from, `iptables -t mangle -D ${noSsh}`)
  await site(at)
})

test('the runner is killed at each step: the next run ends what it began, and nothing is lost', async () => {
  const steps = [/is stopped/, /epoch \d+: failover/, /takes changes/, /✓ release:/, /▸ webhook:/]
  for (const step of steps) {
    const from = at
    const end = watch()
    const ending = load(20, 10)
    const killed = start(failing(from), env)
    const was = await killed.seen(step)
    killed.kill()
    await killed.ended
    await failover(from)
    at = other(from)
    const both = await end()
    assert.equal(both, [], `killed at ${step}`)
    effectOnce(await told(await ending()), `${step}`)
    await servesOnly(at, `killed at ${step}`)
    process.stdout.write(`  killed at ${step}${was ? '' : ' (it had ended)'}, then repeated: serves on ${at}\n`)
    await site(at)
  }
})

test('a bot that is removed leaves nothing on the standby, and would not come back by a failover', async () => {
  const [gone = ''] = names.splice(-1)
  await run(['playbooks/bot.ts', '-i', fileOf(at), '--name', gone, '--remove', '--purge', '--yes'], env).then(good)
  for (const host of hosts)
    assert.is(
      await on(host, `ls -d /var/lib/botgarden/bots/${gone} /etc/botgarden/secrets/bots/${gone} 2>/dev/null || :`),
      '',
      host,
    )
  const checked = await run(failing(at, '--check'), env)
  assert.not.match(checked.stderr, gone)
  await failover(at, '--drill')
  await servesOnly(at, 'without it')
})

test('without the key in the inventory the primary is a host of its own, which a boot starts', async () => {
  const text = parse(readFileSync(fileOf(at), 'utf8'))
  for (const host of hosts) delete text.hosts[host].postgres
  const file = scratchFile('alone.yaml', stringify(text))
  const alone = () => run(['playbooks/site.ts', '-i', file, '--limit', at, '--json', '--wait'], env).then(good)
  await alone()
  assert.is(resultOf(await alone(), at).changed, 0)
  for (const host of hosts) await killHost(host)
  await powerOn(at)
  await answersAll()
  assert.is(await on(at, 'ls /opt/botgarden/gate /run/botgarden/gate /etc/botgarden/primary.json 2>/dev/null || :'), '')
})

test.run()
