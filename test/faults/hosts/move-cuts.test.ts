// Needs two bare VPSs of its own: `cuts-one` and `cuts-two`, the sandbox's certificate authority and its Telegram. A bot is moved, and the
// runner is killed at each rename on both hosts and between any two steps, or a host boots; and bots of other kinds are moved.
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse, stringify } from 'yaml'
import { acmeRoots, restartVps } from '../../../sandbox/index.ts'
import { resultOf } from '../../support/runner.ts'
import {
  installKillPoints,
  killPointCalls,
  killPointReached,
  passKillPoint,
  setKillPoint,
} from '../../support/vps/kill-points.ts'
import { addressOf } from '../../support/vps/ssh.ts'
import { once } from '../../support/vps/steady.ts'
import { twoHosts } from '../../support/vps/two-hosts.ts'

const tests = new URL('../../bots/', import.meta.url).pathname
const source = new URL('../../../bots/hello-bot', import.meta.url).pathname
const www = 'www.cuts-one.sandbox'
const place = twoHosts('cuts', (host) => ({
  'hello-bot': { host, source, data: ['/data'], cache: { server: 'valkey', memory: '32m', persist: true } },
  landing: { host, source: `${tests}landing-page`, domains: [www] },
  team: {
    ...{ host, source, data: { paths: ['/data'], shared: true } },
    processes: { worker: { command: ['node', '-e', 'setInterval(() => {}, 1000)'], memory: '64m' } },
    // Seldom: what a job renames would be counted with the renames of a move.
    jobs: { tick: { schedule: '0 5 1 1 *', command: ['node', '-v'] } },
  },
}))
const { one, two, hosts, other, bot, begins, moved, on, running, neverTwice, servesOnly, unchanged, site } = place

test.before(async () => {
  await place.begin(['valkey'])
  for (const name of ['hello-bot', 'team'])
    await on(
      one,
      `cd /var/lib/botgarden/data/${name}/current/data && head -c 3000000 /dev/urandom >big && mkdir deep && echo old >deep/kept && ln -s big link && chown -R -h --reference=. .`,
    )
  // A dump of some size.
  await on(
    one,
    `docker exec botgarden-postgres psql -XqU postgres hello_bot -c 'create table filler as select gen_random_uuid() id from generate_series(1, 20000)' -c 'alter table filler owner to hello_bot'`,
  )
})
test.after(() => place.end())

/** The sums of all that no update changes. */
const lasting = (host: string, name = 'hello-bot') =>
  on(
    host,
    `cd /var/lib/botgarden/data/${name}/current && find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type l
     cat /etc/botgarden/secrets/bots/${name}/token /etc/botgarden/secrets/bots/${name}/webhook-secret | sha256sum`,
  )
/** How many updates have taken effect, as the bot itself has noted. */
const effects = async (host: string) =>
  Number(
    await on(
      host,
      `docker exec botgarden-postgres psql -XqAtU postgres hello_bot -c 'select count(*) from processed_update'`,
    ),
  )

/** What a run is cut at: a rename on a host, or a line that it has printed. */
type Cut =
  | { readonly host: 'old' | 'new'; readonly call: number; readonly what: string }
  | { readonly line: RegExp; readonly what: string }

test('the runner is killed at each step: the next run brings it to one end or the other, and never two serve', async () => {
  for (const host of hosts) await installKillPoints(host, ['mv'])
  const [before, had] = [await lasting(one), await effects(one)]
  // Once there and back, so that each further move is alike.
  await moved('hello-bot', two)
  for (const host of hosts) await setKillPoint(host, -1, 'runner')
  await moved('hello-bot', one)
  // But for the note of who holds the lock of a host, which each part of a move writes.
  const callsOf = async (host: string, which: 'old' | 'new'): Promise<Cut[]> =>
    (await killPointCalls(host)).flatMap((call) => {
      const [number, what = ''] = [Number(call.split(' ')[0]), call.trim().split(' ').at(-1)]
      return what === '/run/botgarden/holder' ? [] : [{ host: which, call: number, what }]
    })
  const lines = [
    'stopped on',
    'data: .* same',
    'cache: .* same',
    'database: .* same',
    'decided',
    'release:',
    'webhook:',
  ]
  const cuts: Cut[] = [
    ...(await callsOf(one, 'new')),
    ...(await callsOf(two, 'old')),
    ...lines.map((line) => ({ line: new RegExp(`▸ ${line}`), what: line })),
  ]
  process.stdout.write(`  ${cuts.length} kill points\n`)
  let at = one
  for (const [i, cut] of cuts.entries()) {
    const [from, to] = [at, other(at)]
    const goal = i % 2 === 0 ? to : from
    const label =
      'line' in cut ? `after "${cut.what}"` : `at the rename ${cut.call} on the ${cut.host} host (${cut.what})`
    const where = `killed ${label}`
    await neverTwice('hello-bot', async () => {
      const host = 'line' in cut ? undefined : cut.host === 'old' ? from : to
      if (host !== undefined && 'call' in cut) await setKillPoint(host, cut.call, 'runner')
      const killed = begins('hello-bot', '--move-to', to)
      const reached = 'line' in cut ? killed.seen(cut.line) : killPointReached(to === host ? to : from, 180)
      const isCut = await Promise.race([reached, killed.ended.then(() => false)])
      killed.kill()
      if (host !== undefined) await passKillPoint(host)
      const { stdout, stderr } = await killed.ended
      if (host !== undefined) await killPointCalls(host)
      assert.ok(isCut, `${where}: it was not reached\n${stdout}${stderr}`)
      const next = await bot('hello-bot', '--move-to', goal)
      assert.is(next.code, 0, `${where}\n${next.stdout}${next.stderr}`)
      await servesOnly('hello-bot', goal, where)
    })
    at = goal
    process.stdout.write(
      `  ${i + 1}/${cuts.length} killed ${label}, then moved to the ${goal === to ? 'new' : 'old'} host, which serves\n`,
    )
  }
  assert.is(await lasting(at), before, 'the data')
  assert.is(await effects(at), had + cuts.length, 'updates before, and one after each')
  await unchanged()
})

test('a run was killed while it was stopped: site.ts has it serve where it was, and the next run moves it', async () => {
  const from = (await running(one, 'hello-bot')) === '' ? two : one
  await neverTwice('hello-bot', async () => {
    const cut = begins('hello-bot', '--move-to', other(from))
    assert.ok(await cut.seen(/▸ data: .* same/))
    cut.kill()
    await cut.ended
    const healed = resultOf(await site(), from)
    assert.is(healed.error, undefined)
    await place.answers('hello-bot')
    assert.match(await running(from, 'hello-bot'), /-(blue|green)$/m)
    await moved('hello-bot', other(from))
  })
  await servesOnly('hello-bot', other(from))
  await unchanged()
})

for (const [which, line, goal] of [
  ['old', 'cache: .* same', 'new'],
  ['new', 'data: .* same', 'new'],
  ['old', 'decided', 'new'],
  ['new', 'decided', 'new'],
  ['new', 'database: .* same', 'old'],
] as const)
  test(`the ${which} host boots after "${line}", and the next run has the ${goal} one serve`, async () => {
    const from = (await running(one, 'hello-bot')) === '' ? two : one
    const to = other(from)
    const [before, had] = [await lasting(from), await effects(from)]
    await neverTwice('hello-bot', async () => {
      const cut = begins('hello-bot', '--move-to', to)
      const isSeen = await cut.seen(new RegExp(`▸ ${line}`))
      await restartVps(which === 'old' ? from : to)
      const { code, stderr } = await cut.ended
      assert.ok(isSeen, stderr)
      assert.ok([0, 3, 4].includes(code ?? 70), `exit code ${code}\n${stderr}`)
      const end = goal === 'new' ? to : from
      const next = await bot('hello-bot', '--move-to', end)
      assert.is(next.code, 0, `${stderr}\n${next.stdout}${next.stderr}`)
      await servesOnly('hello-bot', end, stderr)
      assert.is(await lasting(end), before)
      assert.is(await effects(end), had + 1)
      process.stdout.write(
        `  the ${which} host booted after "${line}": exit code ${code}, ${stderr.trim().split('\n').at(-1)}\n`,
      )
    })
    await unchanged()
  })

for (const [what, folder, size, wasStopped] of [
  ['its files', '/var/lib/botgarden/data/hello-bot', '1m', false],
  // Both histories of its releases, and less than its dump.
  [
    'its dump',
    '/var/lib/botgarden/bots/hello-bot',
    '$((2 * $(stat -c %s /var/lib/botgarden/bots/hello-bot/releases) + 50000))',
    true,
  ],
] as const)
  test(`the disk of the new host is full of ${what}: it serves where it was, and nothing of that is left behind`, async () => {
    const from = (await running(one, 'hello-bot')) === '' ? two : one
    const to = other(from)
    await on(to, `mount -t tmpfs -o size=${size} none ${folder}`)
    const failed = await neverTwice('hello-bot', () => bot('hello-bot', '--move-to', to))
    const left = await on(to, `ls ${folder}/move.dump 2>/dev/null`)
    await on(to, `umount ${folder}`)
    assert.is(failed.code, 3, failed.stderr)
    assert.match(failed.stderr, /No space left on device/)
    assert.is(/ as before; it answered nothing for [\d.]+ s/.test(failed.stderr), wasStopped, failed.stderr)
    assert.is(left, '')
    await servesOnly('hello-bot', from)
    await unchanged()
  })

test('a site with a domain that is no bot: the other host has its certificate, and is asked nothing of Telegram', async () => {
  const ca = await acmeRoots()
  const get = async (host: string) => once({ address: await addressOf(host), name: www, path: '/', ca })
  assert.is(await get(one), '200')
  const before = await on(one, `sha256sum </etc/letsencrypt/live/${www}/fullchain.pem`)
  const there = await neverTwice('landing', () => moved('landing', two))
  assert.match(there.stderr, /point the DNS of www\.cuts-one\.sandbox to cuts-two/)
  assert.is(await get(two), '200')
  assert.is(await on(two, `sha256sum </etc/letsencrypt/live/${www}/fullchain.pem`), before)
  // Its files are static: who comes to the old host still gets them, up to the next run of site.ts.
  assert.is(await get(one), '200')
  const ran = await site()
  assert.equal([resultOf(ran, one).error, resultOf(ran, two).error], [undefined, undefined])
  assert.is.not(await get(one), '200')
  assert.is(await get(two), '200')
  await moved('landing', one)
  assert.is(await get(one), '200')
  await servesOnly('landing', one, '', false)
  // It takes the domain off the host that the site has left once more.
  assert.is(resultOf(await site(), two).error, undefined)
  await unchanged()
})

test('a bot with processes and jobs: all of it runs on one host at a time', async () => {
  const before = await lasting(one, 'team')
  await neverTwice('team', () => moved('team', two))
  await servesOnly('team', two)
  assert.match(await running(two, 'team'), /^botgarden-team\.worker-/m)
  assert.is(await lasting(two, 'team'), before)
  await neverTwice('team', () => moved('team', one))
  await servesOnly('team', one)
  assert.match(await running(one, 'team'), /^botgarden-team\.worker-/m)
  assert.is(await on(one, 'systemctl is-active botgarden-job-team.tick.timer'), 'active')
  await unchanged()
})

test('an image that a digest names is pulled there, since no archive has such a name', async () => {
  const digest = `docker image inspect --format '{{index .RepoDigests 0}}' $(docker image ls -q valkey/valkey | head -n 1)`
  const text = readFileSync(place.file, 'utf8')
  const entry = {
    host: one,
    image: await on(one, digest),
    mode: 'none',
    database: false,
    scratch: ['/data'],
    init: true,
  }
  const pinned = { ...entry, command: ['sleep', 'infinity'] }
  writeFileSync(place.file, stringify({ ...parse(text), bots: { ...parse(text).bots, pinned } }))
  const released = await bot('pinned')
  assert.is(released.code, 0, released.stdout + released.stderr)
  await on(two, 'docker image rm $(docker image ls -q valkey/valkey)')
  await neverTwice('pinned', () => moved('pinned', two))
  await servesOnly('pinned', two, '', false)
  for (const args of [
    ['--forget', one],
    ['--remove', '--purge'],
  ])
    assert.is((await bot('pinned', ...args, '--yes')).code, 0)
  writeFileSync(place.file, text)
})

test.run()
