// Needs two bare VPSs of its own: `move-one` and `move-two`, the sandbox's certificate authority and its Telegram. Bots are moved from
// one to the other and back: under load, with the runner killed at each step, and where the other host cannot start them.
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { askStandIns, freshVps, removeVps, telegramControlUrl } from '../../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, resultOf, run, start } from '../../support/runner.ts'
import { outputIn } from '../../support/vps/inside.ts'
import {
  installKillPoints,
  killPointCalls,
  killPointReached,
  passKillPoint,
  setKillPoint,
} from '../../support/vps/kill-points.ts'

const [one, two] = ['move-one', 'move-two']
const hosts = [one, two]
const other = (host: string) => (host === one ? two : one)
// The sandbox's Telegram remembers earlier runs.
const nameOf = (bot: string) => `move-${process.pid}-${bot}`
const env: Record<string, string> = {}
const source = new URL('../../../bots/hello-bot', import.meta.url).pathname
let telegram: TelegramClient
const people = 60

const file = inventoryOf(
  one,
  {
    bot: { telegram: 'http://telegram.sandbox:8081', settle: 2, drain: 2 },
    nginx: { telegram: ['10.212.0.0/16'] },
    certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
  },
  {
    hosts: Object.fromEntries(hosts.map((host) => [host, { domain: `${host}.sandbox` }])),
    bots: {
      'hello-bot': { host: one, source, data: ['/data'], cache: { server: 'valkey', memory: '32m', persist: true } },
      poller: {
        ...{ host: one, source, mode: 'polling' },
        jobs: { tick: { schedule: '* * * * *', command: ['node', '-e', 'setTimeout(() => {}, 3000)'] } },
      },
    },
  },
)
const inside = Object.fromEntries(hosts.map((host) => [host, outputIn(host)])) as Record<
  string,
  (command: string) => Promise<string>
>
const on = async (host: string, command: string) => (await (inside[host] ?? (async () => ''))(command)).trim()
const command = (bot: string, ...args: string[]) => ['playbooks/bot.ts', '-i', file, '--name', bot, '--wait', ...args]
const bot = (name: string, ...args: string[]) => run(command(name, ...args), env)
const moved = async (name: string, to: string): Promise<Run> => {
  const result = await bot(name, '--move-to', to)
  assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
  return result
}

test.before(async () => {
  await askStandIns(['valkey'])
  for (const host of hosts) await freshVps(host)
  telegram = telegramAt(await telegramControlUrl())
  for (const name of ['hello-bot', 'poller'])
    env[`${name.toUpperCase().replace('-', '_')}_TOKEN`] = (await telegram.ensureBot(nameOf(name))).token
  for (const args of [['playbooks/site.ts', '-i', file], command('hello-bot'), command('poller')]) {
    const { code, stdout, stderr } = await run(args, env)
    if (code !== 0) {
      process.stdout.write(`${stdout}${stderr}`)
      throw new Error(stdout + stderr)
    }
  }
  await on(
    one,
    `cd /var/lib/botgarden/data/hello-bot/current/data && head -c 3000000 /dev/urandom >big && mkdir deep && echo old >deep/gone && ln -s big link && chown -R -h --reference=. .`,
  )
})
test.after(async () => {
  for (const host of hosts) await removeVps(host)
})

/** The containers of a bot that run on a host, its cache too. */
const running = (host: string, name: string) =>
  on(host, `docker ps --format '{{.Names}}' | grep -E '^botgarden-${name}[-.]' || :`)

/** Looks at both hosts all the time, until it is ended: whether both ran the bot at the same time. */
function watch(name: string) {
  let going = true
  const both: string[] = []
  const ended = (async () => {
    while (going) {
      const [first = '', second = ''] = await Promise.all(hosts.map((host) => running(host, name)))
      const serves = (text: string) => /-(blue|green)$|\.job$/m.test(text)
      if (serves(first) && serves(second)) both.push(`${first} and ${second}`)
      await pause(150)
    }
  })()
  return async () => {
    going = false
    await ended
    assert.equal(both, [], 'both hosts have run it at the same time')
  }
}

/** What people write, each in turn, until it is ended; how often each has written. */
function load(name: string, perSecond: number) {
  let going = true
  let sent = 0
  const first = Math.floor(Date.now() / 1000) * 1000
  const ended = (async () => {
    const began = performance.now()
    for (; going && sent < 6000; sent++) {
      await telegram.act(nameOf(name), { chat: first + (sent % people), text: '/start', language: 'en' })
      await pause(Math.max(0, began + ((sent + 1) * 1000) / perSecond - performance.now()))
    }
  })()
  return async () => {
    going = false
    await ended
    return { first, sent }
  }
}

/** Every update has been answered once, and those of each person in their order: the bot counts how often it has met them. */
async function answeredOnce(name: string, { first, sent }: { first: number; sent: number }) {
  for (let tries = 0; tries < 240; tries++) {
    const { pending, sent: replies } = await telegram.report(nameOf(name))
    const mine = Object.entries(replies.byChat).filter(
      ([chat]) => Number(chat) >= first && Number(chat) < first + people,
    )
    if (pending === 0 && mine.reduce((sum, [, n]) => sum + n, 0) >= sent) break
    await pause(500)
  }
  for (let person = 0; person < Math.min(people, sent); person++) {
    const wrote = Math.floor((sent - person - 1) / people) + 1
    const said = (await telegram.chat(nameOf(name), first + person)).filter(({ from }) => from === 'bot')
    const met = said.map(({ text }) => Number(/We have met (\d+)/.exec(text)?.[1] ?? 1))
    assert.equal(
      met,
      Array.from({ length: wrote }, (_, i) => i + 1),
      `what person ${person} was told`,
    )
  }
}

const gapOf = ({ stderr }: Run) => /it answered nothing for ([\d.]+) s/.exec(stderr)?.[1] ?? 'an unknown time'

/** The sums of all that no update changes. */
const lasting = (host: string) =>
  on(
    host,
    `cd /var/lib/botgarden/data/hello-bot/current && find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type l
     cat /etc/botgarden/secrets/bots/hello-bot/token /etc/botgarden/secrets/bots/hello-bot/webhook-secret | sha256sum`,
  )
/** How many updates have taken effect, as the bot itself has noted. */
const effects = async (host: string) =>
  Number(
    await on(
      host,
      `docker exec botgarden-postgres psql -XqAtU postgres hello_bot -c 'select count(*) from processed_update'`,
    ),
  )

async function answers(name: string) {
  const chat = Math.floor(Math.random() * 1e9) + 1e9
  await telegram.act(nameOf(name), { chat, text: '/start', language: 'en' })
  for (let tries = 0; tries < 60; tries++) {
    if ((await telegram.chat(nameOf(name), chat, { wait: 1 })).some(({ from }) => from === 'bot')) return
  }
  assert.unreachable(`${name} does not answer`)
}

/** It runs on this host, and nothing of it on the other one; nothing is left of a move. */
async function servesOnly(name: string, host: string, where = '') {
  assert.match(await running(host, name), /-(blue|green)$/m, `${where}: it runs on ${host}`)
  assert.is(await running(other(host), name), '', `${where}: nothing of it runs on ${other(host)}`)
  await answers(name)
  for (const each of hosts)
    assert.is(
      await on(
        each,
        `ls -d /var/lib/botgarden/moves /run/botgarden/relay.* /var/lib/botgarden/bots/*/*.new 2>/dev/null || :`,
      ),
      '',
      `${where}: what is left on ${each}`,
    )
}

async function unchanged() {
  const site = await run(['playbooks/site.ts', '-i', file, '--json'], env)
  for (const host of hosts) {
    const result = resultOf(site, host)
    assert.equal([result.error, result.changed, result.unknown], [undefined, 0, 0], `${host}: ${result.ids}`)
  }
}

test('a check says what would happen, and what cannot be is refused before anything is touched', async () => {
  const checked = await bot('hello-bot', '--move-to', two, '--check')
  assert.is(checked.code, 2, checked.stderr)
  assert.match(checked.stderr, /would be moved from move-one to move-two/)
  assert.match(checked.stderr, /3 MiB of data/)
  assert.is(await on(two, 'ls /var/lib/botgarden/bots /etc/botgarden/secrets/bots 2>/dev/null | grep hello || :'), '')
  assert.is((await bot('hello-bot', '--move-to', one, '--check')).code, 0)
  for (const [args, said] of [
    [['--move-to', 'move-three'], /unknown host "move-three"/],
    [['--move-to', two, '--all'], /cannot be combined/],
    [['--forget', two], /move-two has nothing of hello-bot/],
    [['--forget', one], /serves on move-one/],
  ] as const) {
    const { code, stderr } = await bot('hello-bot', ...args)
    assert.ok(code === 1 || code === 3, stderr)
    assert.match(stderr, said)
  }
  await on(two, 'docker stop botgarden-nginx')
  const bare = await bot('hello-bot', '--move-to', two)
  await on(two, 'docker start botgarden-nginx')
  assert.is(bare.code, 3)
  assert.match(bare.stderr, /site\.ts --limit move-two first/)
  // Somebody changes the host by hand.
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/(hello-bot:\n\s+host: )move-one/, `$1${two}`))
  const byHand = await bot('hello-bot')
  writeFileSync(file, text)
  assert.is(byHand.code, 3)
  assert.match(byHand.stdout + byHand.stderr, /serves on move-one, and would begin with nothing on move-two/)
})

test('moved there and back under load: nothing is lost, nothing comes twice, and people are answered in their order', async () => {
  const [end, loaded] = [watch('hello-bot'), load('hello-bot', 25)]
  await pause(2000)
  const there = await moved('hello-bot', two)
  await on(
    two,
    `cd /var/lib/botgarden/data/hello-bot/current/data && rm deep/gone && echo new >deep/new && chown --reference=. deep/new`,
  )
  await pause(2000)
  const back = await moved('hello-bot', one)
  await pause(1000)
  const said = await loaded()
  await end()
  await answeredOnce('hello-bot', said)
  process.stdout.write(
    `  ${said.sent} updates; it answered nothing for ${gapOf(there)} s, and ${gapOf(back)} s on the way back\n`,
  )
  assert.match(readFileSync(file, 'utf8'), /hello-bot:\n\s+host: move-one/)
  assert.is(await on(one, 'ls /var/lib/botgarden/data/hello-bot/current/data/deep'), 'new')
  await servesOnly('hello-bot', one)
  await unchanged()
})

test('where the other host cannot start it, it serves where it was, by itself', async () => {
  const address = await on(
    two,
    `docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' botgarden-hello-bot`,
  )
  await on(
    two,
    `docker run -d --name in-the-way --network botgarden-hello-bot --ip ${address.replace(/0\/24$/, '2')} postgres:18.6 sleep 600`,
  )
  const end = watch('hello-bot')
  const failed = await bot('hello-bot', '--move-to', two)
  await on(two, 'docker rm -f in-the-way')
  await end()
  assert.is(failed.code, 3, failed.stderr)
  assert.match(failed.stderr, /did not start on move-two, and serves on move-one as before, after [\d.]+ s/)
  await servesOnly('hello-bot', one)
  await unchanged()
})

test('the runner is killed at each step: the next run brings it to one end or the other, and never two serve', async () => {
  let at = one
  const [before, had] = [await lasting(at), await effects(at)]
  const whole = await moved('hello-bot', two)
  at = two
  // Of what is prepared there, which is many small steps, one is enough.
  const said = whole.stderr.split('\n').filter((line) => line.includes('▸ '))
  const isStep = (line: string, i: number) => i === 3 || /^hello-bot {2}▸|▸ (release|webhook):/.test(line)
  const steps = said.flatMap((line, i) => (isStep(line, i) ? [i + 1] : []))
  assert.ok(steps.length >= 8, `${steps}\n${whole.stderr}`)
  for (const [i, step] of steps.entries()) {
    const [from, to] = [at, other(at)]
    const end = watch('hello-bot')
    const killed = start(command('hello-bot', '--move-to', to), env)
    const was = await killed.seen(new RegExp(`(?:▸ [^]*?){${step}}`))
    killed.kill()
    const { stderr } = await killed.ended
    const line = stderr.trim().split('\n').at(-1) ?? ''
    at = i % 2 === 0 ? to : from
    const next = await bot('hello-bot', '--move-to', at)
    assert.is(next.code, 0, `killed at ${line}\n${next.stdout}${next.stderr}`)
    await end()
    await servesOnly('hello-bot', at, `killed at ${line}`)
    process.stdout.write(
      `  killed at step ${i + 1} of ${steps.length}${was ? '' : ' (it had ended)'}, then moved to ${at}: ${line}\n`,
    )
  }
  assert.is(await lasting(at), before, 'the data')
  assert.is(await effects(at), had + steps.length, 'updates before, and one after each step')
  await unchanged()
})

test('the runner is killed at each rename on the host that it leaves: the same', async () => {
  await installKillPoints(one)
  if ((await running(one, 'hello-bot')) === '') await moved('hello-bot', one)
  await setKillPoint(one, -1, 'runner')
  await moved('hello-bot', two)
  const calls = (await killPointCalls(one)).filter((call) => / mv /.test(call))
  await moved('hello-bot', one)
  assert.ok(calls.length >= 3, calls.join('\n'))
  for (const call of calls) {
    const end = watch('hello-bot')
    await setKillPoint(one, Number(call.split(' ')[0]), 'runner')
    const killed = start(command('hello-bot', '--move-to', two), env)
    assert.ok(await killPointReached(one, 120), `${call} was not reached`)
    killed.kill()
    await passKillPoint(one)
    await killed.ended
    await killPointCalls(one)
    const next = await bot('hello-bot', '--move-to', two)
    assert.is(next.code, 0, `${call}\n${next.stdout}${next.stderr}`)
    await end()
    await servesOnly('hello-bot', two, call)
    await moved('hello-bot', one)
  }
  await unchanged()
})

test('a bot that polls and has jobs never polls twice, and its jobs go with it', async () => {
  const [end, loaded] = [watch('poller'), load('poller', 10)]
  await pause(1500)
  const there = await moved('poller', two)
  await pause(1500)
  await answeredOnce('poller', await loaded())
  await end()
  process.stdout.write(`  the one that polls answered nothing for ${gapOf(there)} s\n`)
  assert.is(
    await on(
      one,
      `systemctl list-timers --all --no-legend 'botgarden-job-poller.*' | wc -l; ls /etc/systemd/system/botgarden-job-* 2>/dev/null || :`,
    ),
    '0',
  )
  assert.is(await on(two, `systemctl is-active botgarden-job-poller.tick.timer`), 'active')
  await on(one, 'systemctl restart docker')
  await servesOnly('poller', two, 'after a restart of the engine that it left')
})

test('what is left on the old host is told, and goes when the operator says so; the webhook stays', async () => {
  const text = await run(['playbooks/site.ts', '-i', file, '--json'], env)
  assert.match(
    JSON.stringify(resultOf(text, one).outputs.movedBots ?? ''),
    /poller, which was moved to move-two .*--forget move-one/,
  )
  const forgotten = await bot('poller', '--forget', one, '--yes')
  assert.is(forgotten.code, 0, forgotten.stdout + forgotten.stderr)
  assert.is(
    await on(
      one,
      `docker ps -a --format '{{.Names}}' | grep poller || :; ls -d /var/lib/botgarden/*/poller /etc/botgarden/secrets/bots/poller 2>/dev/null || :`,
    ),
    '',
  )
  await servesOnly('poller', two)
  await unchanged()
})

test.run()
