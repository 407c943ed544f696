// Needs two bare VPSs of its own: `move-one` and `move-two`, the sandbox's certificate authority and its Telegram. Ten bots are written
// to, and are moved from one to the other and back, and where the other host cannot start one.
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resultOf } from '../../support/runner.ts'
import { answeredOnce, crowd } from '../../support/vps/crowd.ts'
import { gapOf, twoHosts } from '../../support/vps/two-hosts.ts'

const source = new URL('../../../bots/hello-bot', import.meta.url).pathname
const others = Array.from({ length: 8 }, (_, i) => `other-${i + 1}`)
const loaded = ['hello-bot', 'poller', ...others]
const place = twoHosts('move', (host) => ({
  'hello-bot': { host, source, data: ['/data'], cache: { server: 'valkey', memory: '32m', persist: true } },
  poller: {
    ...{ host, source, mode: 'polling' },
    jobs: { tick: { schedule: '* * * * *', command: ['node', '-e', 'setTimeout(() => {}, 3000)'] } },
  },
  ...Object.fromEntries(others.map((name) => [name, { host, source }])),
}))
const { one, two, bot, moved, on, neverTwice, servesOnly, unchanged, file, called, telegram } = place

test.before(async () => {
  await place.begin(['valkey'])
  await on(
    one,
    `cd /var/lib/botgarden/data/hello-bot/current/data && head -c 3000000 /dev/urandom >big && mkdir deep && echo old >deep/gone && ln -s big link && chown -R -h --reference=. .`,
  )
})
test.after(() => place.end())

/** Sixty updates a second over ten bots while something is done: each is answered once, and in order. */
async function underLoad(act: () => Promise<void>): Promise<string> {
  const end = crowd(telegram(), loaded.map(called), 60)
  let said: Awaited<ReturnType<typeof end>>
  try {
    await pause(2000)
    await act()
    await pause(1000)
  } finally {
    said = await end()
  }
  for (const name of loaded) await answeredOnce(telegram(), called(name), said)
  return `${said.each * loaded.length} updates to ${loaded.length} bots, ${said.rate.toFixed(0)} a second, each answered once and in order`
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
  const gaps: number[] = []
  const told = await neverTwice('hello-bot', () =>
    underLoad(async () => {
      gaps.push(gapOf(await moved('hello-bot', two)))
      await on(
        two,
        `cd /var/lib/botgarden/data/hello-bot/current/data && rm deep/gone && echo new >deep/new && chown --reference=. deep/new`,
      )
      await pause(2000)
      gaps.push(gapOf(await moved('hello-bot', one)))
    }),
  )
  process.stdout.write(`  ${told}; the moved one answered nothing for ${gaps.join(' s, and on its way back for ')} s\n`)
  assert.match(readFileSync(file, 'utf8'), /hello-bot:\n\s+host: move-one/)
  assert.is(await on(one, 'ls /var/lib/botgarden/data/hello-bot/current/data/deep'), 'new')
  await servesOnly('hello-bot', one)
  await unchanged()
})

test('a bot that polls and has jobs never polls twice, and its jobs go with it', async () => {
  let gap = 0
  const told = await neverTwice('poller', () =>
    underLoad(async () => {
      gap = gapOf(await moved('poller', two))
    }),
  )
  process.stdout.write(`  ${told}; the one that polls answered nothing for ${gap} s\n`)
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
  const ran = await place.site()
  assert.match(
    JSON.stringify(resultOf(ran, one).outputs.movedBots ?? ''),
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

test('where the other host cannot start it, it serves where it was, by itself', async () => {
  const network = `docker network inspect --format '{{(index .IPAM.Config 0).Subnet}}' botgarden-hello-bot`
  const address = (await on(two, network)).replace(/0\/24$/, '2')
  await on(two, `docker run -d --name in-the-way --network botgarden-hello-bot --ip ${address} postgres:18.6 sleep 600`)
  const failed = await neverTwice('hello-bot', () => bot('hello-bot', '--move-to', two))
  await on(two, 'docker rm -f in-the-way')
  assert.is(failed.code, 3, failed.stderr)
  assert.match(failed.stderr, /did not start on move-two, and serves on move-one as before, after [\d.]+ s/)
  await servesOnly('hello-bot', one)
  await unchanged()
})

test.run()
