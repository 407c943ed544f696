// What the program that watches a host makes of what it sees.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loaded, watchedHost } from './watched-host.ts'

test('a container that is back after a moment is no alert', async () => {
  const host = watchedHost()
  await host.sent()
  host.container('hello-blue', { status: 'restarting' })
  const well = host.noted('engine/botgarden-nginx').replaceAll('nginx', 'hello-blue')
  host.note('slept', `cat >"$STATE/engine/botgarden-hello-blue" <<'x'\n${well}\nx\n`)
  assert.is(await host.sent(), '')
})

test('a container that ends again and again is told, until it has run for 10 minutes', async () => {
  const host = watchedHost()
  for (const restarts of [5, 6, 7]) {
    host.container('hello-blue', { restarts })
    assert.is(await host.sent(), '')
  }
  host.container('hello-blue', { restarts: 8 })
  assert.match(await host.sent(), /botgarden-hello-blue has ended and was started again 3 times/)
  assert.is(await host.sent(5), '')
  assert.match(await host.sent(6), /resolved/)
})

test('lack of memory is told where only the engine noticed, and where the container says so', async () => {
  const host = watchedHost()
  await host.sent()
  host.note('events', '{"Type":"container","Action":"oom","Actor":{"Attributes":{"name":"botgarden-hello-blue"}}}\n')
  assert.match(await host.sent(), /hello: its container botgarden-hello-blue ran out of memory/)
  host.note('events', '')
  assert.is(await host.sent(5), '')
  assert.match(await host.sent(6), /resolved/)
  host.container('hello-blue', { memory: true, restarts: 1 })
  assert.match(await host.sent(), /ran out of memory/)
  assert.match(await host.sent(11), /resolved/)
})

test('processes and caches are watched as well, and a release that is under way is left alone', async () => {
  const host = watchedHost()
  host.bot('hello', { processes: { worker: {} }, cache: {} })
  host.note('inodes', '4711\n')
  assert.is(await host.sent(), '')
  host.note('inodes', '')
  assert.match(
    await host.sent(),
    /hello: its container botgarden-hello\.worker-blue does not exist[\s\S]*botgarden-hello-cache does not exist/,
  )
  host.note('inodes', '4711\n')
  host.container('hello.worker-blue')
  assert.is(await host.sent(), '', 'nothing is known meanwhile')
  assert.match(
    await host.sent(16),
    /applied to it for more than a quarter of an hour\n[\s\S]*resolved: hello: its container botgarden-hello\.worker-blue/,
  )
  host.note('inodes', '')
  host.container('hello-cache')
  assert.match(await host.sent(), /resolved: something has been applied/)
})

test('what comes back with a boot has 2 minutes for that, by the age of the first process, and is told once all was there', async () => {
  const host = watchedHost()
  const age = (seconds: number) =>
    host.write('/proc/1/stat', `1 (an (odd) name) S ${'0 '.repeat(18)}${100 * (1000 - seconds)} 0 0\n`)
  host.note('engine.down', '')
  host.note('rules4', '')
  host.note('served', '')
  age(20)
  assert.is(await host.sent(), '')
  await host.run('rm "$STATE/engine.down"')
  host.container('nginx', { status: 'restarting' })
  age(119)
  assert.is(await host.sent(), '')
  age(120)
  assert.match(await host.sent(), /nginx keeps ending[\s\S]*firewall is off[\s\S]*nothing serves a certificate/)

  const other = watchedHost()
  other.write('/proc/1/stat', `1 (init) S ${'0 '.repeat(18)}99000 0 0\n`)
  assert.is(await other.sent(), '')
  other.container('nginx', { status: 'exited' })
  assert.match(await other.sent(), /nginx is not running/)

  // One that shows its own uptime: no silence without an end.
  const third = watchedHost()
  third.write('/proc/1/stat', `1 (init) S ${'0 '.repeat(18)}9900000 0 0\n`)
  third.container('nginx', { status: 'exited' })
  assert.match(await third.sent(), /nginx is not running/)
})

test('a host without any bot is watched, and Telegram is not asked; a bot that is removed is forgotten', async () => {
  const host = watchedHost()
  host.hook({ ...host.own, url: '' })
  assert.match(await host.sent(), /hello: its webhook is gone/)
  await host.run('rm -r /var/lib/botgarden/bots/hello')
  assert.match(await host.sent(), /^--- chat\n✅ vps1: resolved: hello: its webhook is gone[^⚠]*$/)
  assert.not.ok(host.list('/run/botgarden/watch').includes('pending.hello'))
  host.note('asked', '')
  host.note('df', '/ 97% 12%\n')
  assert.match(await host.sent(), /97 %/)
  assert.not.match(host.noted('asked'), 'getWebhookInfo')
})

test('a webhook may have what the bot appends, and a polling bot has none', async () => {
  const host = watchedHost()
  host.bot('hello', { webhookPath: '/hook/*' })
  host.hook({ ...host.own, url: `${host.own.url}/abc` })
  assert.is(await host.sent(), '')
  host.bot('hello', { mode: 'polling' })
  assert.match(await host.sent(), /it polls, but somebody has set a webhook to b\.example\.org/)
  host.bot('hello', { mode: 'none' })
  assert.match(await host.sent(), /resolved/)
})

test('of many bots 8 are asked in a run, in turn, and the others stay as they were', async () => {
  const host = watchedHost()
  for (let i = 0; i < 11; i++) {
    const name = `b${String(i).padStart(2, '0')}`
    host.bot(name)
    host.container(`${name}-blue`)
    host.hook({ url: '' }, `7002:the-token-of-${name}`)
  }
  const bots = (text: string) => [...text.matchAll(/(b\d\d): its webhook is gone/g)].map(([, name]) => name)
  const first = bots(await host.sent())
  const second = bots(await host.sent())
  assert.is(first.length, 8)
  assert.equal(
    [...first, ...second].sort(),
    Array.from({ length: 11 }, (_, i) => `b${String(i).padStart(2, '0')}`),
  )
  assert.equal(bots(await host.sent()), [])
})

test('a port that a rule opens is no alert, whichever way the rule says it', async () => {
  for (const [rule, told] of [
    ['allow tcp 3000', false],
    ['allow any 3000', false],
    ['route:allow tcp 2990:3010', false],
    ['allow tcp 22,3000', false],
    ['allow tcp any', false],
    ['deny tcp 3000', true],
    ['allow udp 3000', true],
    ['allow tcp 300', true],
  ] as const) {
    const host = watchedHost()
    host.write('/etc/ufw/user.rules', `### tuple ### ${rule} 0.0.0.0/0 any 0.0.0.0/0 in\n`)
    host.beside('grafana 3000')
    assert.is((await host.sent()).includes('publishes port 3000/tcp'), told, rule)
  }
})

test('a container of a bot whose record is torn is no unknown one, and a firewall that comes back at once no alert', async () => {
  const host = watchedHost()
  host.bot('torn')
  host.write('/var/lib/botgarden/bots/torn/current.json', '{')
  host.beside('botgarden-torn-blue')
  assert.not.match(await host.sent(), /unknown bot/)
  host.note('rules4', '')
  host.note('slept', `cat >"$STATE/rules4" <<'x'\n${loaded}x\n`)
  assert.is(await host.sent(), '')
})

test('updates that nobody has looked for are told after 3 days', async () => {
  const host = watchedHost()
  host.write('/proc/uptime', '100000.00 1.00\n')
  host.write('/etc/apt/apt.conf.d/52botgarden', '')
  host.write('/var/lib/apt/periodic/upgrade-stamp', '')
  assert.is(await host.sent(), '')
  await host.run('touch -d "4 days ago" /var/lib/apt/periodic/upgrade-stamp /etc/apt/apt.conf.d/52botgarden')
  assert.match(await host.sent(), /no security updates have been looked for in 3 days/)
  await host.run('touch /var/lib/apt/periodic/upgrade-stamp')
  assert.match(await host.sent(), /resolved/)
})

test('a backup that failed, is late or is missing is told', async () => {
  const host = watchedHost()
  host.write('/opt/botgarden/backups/settings', 'x\n')
  const status = (more: object) =>
    host.write(
      '/opt/botgarden/backups/status.json',
      JSON.stringify({ result: 'ok', at: 'then', reason: '', lastGood: nameOf(host.now() - 3600), ...more }, null, 2),
    )
  status({})
  assert.is(await host.sent(), '')
  status({ result: 'failed', reason: 'no\nroom' })
  assert.match(await host.sent(), /the backup of then failed: no room\nsince .*\nnext: npx zx playbooks\/backup.ts/)
  host.write('/proc/77/stat', `77 (backup) ${'0 '.repeat(19)}4711 0\n`)
  status({ result: 'running', process: '77 4711' })
  assert.is(await host.sent(), '')
  status({ lastGood: nameOf(host.now() - 27 * 3600) })
  assert.match(await host.sent(), /the last good backup is 27 hours old[\s\S]*resolved: the backup of then failed/)
  host.write('/opt/botgarden/backups/status.json', '{')
  assert.match(await host.sent(), /the status of the last backup cannot be read/)
})

test('a backup that was killed is told', async () => {
  const host = watchedHost()
  host.write('/opt/botgarden/backups/settings', 'x\n')
  host.write('/proc/77/stat', `77 (another) ${'0 '.repeat(19)}4712 0\n`)
  const status = { result: 'running', process: '77 4711', at: 'then', lastGood: nameOf(host.now()) }
  host.write('/opt/botgarden/backups/status.json', JSON.stringify(status, null, 2))
  assert.match(await host.sent(), /the backup that began at then was killed before it ended/)
})

test('a backup of which something is gone is told', async () => {
  const host = watchedHost()
  const name = nameOf(host.now() - 3600)
  host.write('/opt/botgarden/backups/settings', 'x\n')
  host.write(`/var/lib/botgarden/backups/${name}/part`, 'x'.repeat(50))
  const bytes = Number((await host.run(`du --bytes --summarize /var/lib/botgarden/backups/${name} | cut -f 1`)).stdout)
  const status = { result: 'ok', at: 'then', reason: '', lastGood: name, bytes }
  host.write('/opt/botgarden/backups/status.json', JSON.stringify(status, null, 2))
  assert.is(await host.sent(), '')
  host.write(`/var/lib/botgarden/backups/${name}/part`, 'x'.repeat(49))
  assert.match(
    await host.sent(),
    new RegExp(`the backup ${name} cannot be used: ${bytes - 1} of its ${bytes} bytes are there`),
  )
  await host.run(`rm -r /var/lib/botgarden/backups/${name}`)
  assert.is(await host.sent(), '', 'the text of what is told already changes')
  host.write('/opt/botgarden/backups/status.json', JSON.stringify({ ...status, lastGood: null, bytes: null }))
  assert.match(await host.sent(), /no good backup yet[\s\S]*resolved: the backup .* 0 of its/)
})

const nameOf = (seconds: number) =>
  new Date(seconds * 1000)
    .toISOString()
    .replace(/[:]/g, '')
    .replace(/\.\d+Z/, 'Z')

test.run()
