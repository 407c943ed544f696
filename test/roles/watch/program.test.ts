// The program that watches a host, run in a real sh with real jq and awk, and with stand-ins for what it asks.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { botToken, certificateFor, token, watchedHost } from './watched-host.ts'

type Watched = ReturnType<typeof watchedHost>

test('a host that is well says nothing, and what it keeps is bounded', async () => {
  const host = watchedHost()
  const { code, output, sent } = await host.tick()
  assert.equal({ code, output, sent }, { code: 0, output: '', sent: '' })
  const before = host.list('/run/botgarden/watch')
  for (let i = 0; i < 3; i++) assert.is(await host.sent(), '')
  assert.equal(host.list('/run/botgarden/watch'), before)
})

/** What goes wrong, what is said of it, and what mends it. */
const faults: readonly (readonly [
  what: string,
  breaks: (host: Watched) => void,
  said: RegExp,
  mends: (host: Watched) => void,
])[] = [
  [
    'a container that has ended',
    (host) => host.container('hello-blue', { status: 'exited', exit: 137 }),
    /hello: its container botgarden-hello-blue is not running \(exited, exit code 137\)\nsince .*\nnext: npx zx playbooks\/bot.ts --name hello --logs/,
    (host) => host.container('hello-blue'),
  ],
  [
    'a container that is gone',
    (host) => host.note('engine/botgarden-postgres', '{"message":"No such container"}'),
    /the host: its container botgarden-postgres does not exist\nsince .*\nnext: npx zx playbooks\/site.ts/,
    (host) => host.container('postgres'),
  ],
  [
    'a container that is unhealthy',
    (host) => host.container('postgres', { health: 'unhealthy' }),
    /botgarden-postgres is unhealthy/,
    (host) => host.container('postgres', { health: 'healthy' }),
  ],
  [
    'a container that restarts now',
    (host) => host.container('nginx', { status: 'restarting', exit: 1 }),
    /nginx keeps ending, exit code 1/,
    (host) => host.container('nginx'),
  ],
  [
    'an engine that is away',
    (host) => host.note('engine.down', ''),
    /vps1: Docker does not answer/,
    (host) => host.program('docker', ''),
  ],
  [
    'a full disk',
    (host) => host.note('df', '/ 97% 12%\n'),
    /the disk at \/ is 97 % full/,
    (host) => host.note('df', '/ 41% 12%\n'),
  ],
  [
    'no inodes',
    (host) => host.note('df', '/ 40% 100%\n'),
    /100 % of the inodes of the disk at \/ are used/,
    (host) => host.note('df', '/ 41% 12%\n'),
  ],
  [
    'a certificate that ends',
    (host) => host.certified(certificateFor('b.example.org', 5)),
    /the certificate of b.example.org ends [A-Z][a-z]{2} [\d ]\d /,
    good,
  ],
  [
    'a certificate of another name',
    (host) => host.certified(certificateFor('c.example.org', 90)),
    /served for b.example.org is that of another name/,
    good,
  ],
  [
    'no certificate',
    (host) => host.note('served', ''),
    /nothing serves a certificate for b.example.org at port 443/,
    good,
  ],
  [
    'a webhook that is gone',
    (host) => host.hook({ ...host.own, url: '' }),
    /hello: its webhook is gone: somebody polls/,
    (host) => host.hook(host.own),
  ],
  [
    'a webhook that leads elsewhere',
    (host) => host.hook({ ...host.own, url: 'https://x.example/7000:a' }),
    /hello: its webhook leads elsewhere: to x\.example\n/,
    (host) => host.hook(host.own),
  ],
  [
    'updates that wait',
    (host) => host.hook({ ...host.own, pending_update_count: 25 }),
    /hello: 25 updates wait at Telegram/,
    (host) => host.hook(host.own),
  ],
  [
    'a delivery that fails',
    (host) =>
      host.hook({
        ...host.own,
        pending_update_count: 1,
        last_error_date: host.now(),
        last_error_message: 'Wrong\u001b[31m response: 502',
      }),
    /hello: Telegram cannot deliver: Wrong \[31m response: 502\n/,
    (host) => host.hook(host.own),
  ],
  [
    'a token that is revoked',
    (host) => host.note(`hooks/${botToken}`, '{"ok":false,"error_code":401,"description":"Unauthorized"}'),
    /hello: Telegram rejects its token/,
    (host) => host.hook(host.own),
  ],
  [
    'a job that failed',
    (host) => host.write('/var/lib/botgarden/bots/hello/jobs/tick.json', '{"start":1,"how":"ended","code":3}\n'),
    /hello: its job tick failed: exit code 3\nsince .*\nnext: npx zx playbooks\/bot.ts --name hello --jobs/,
    (host) => host.write('/var/lib/botgarden/bots/hello/jobs/tick.json', '{"start":1,"how":"ended","code":0}\n'),
  ],
  [
    'a record that is torn',
    (host) => host.write('/var/lib/botgarden/bots/hello/current.json', '{"id":"1'),
    /hello: the record of its release cannot be read/,
    (host) => host.bot(),
  ],
  [
    'a record that is empty',
    (host) => host.write('/var/lib/botgarden/bots/hello/current.json', ''),
    /hello: the record of its release is empty/,
    (host) => host.bot(),
  ],
  [
    'a clock that is off',
    (host) => host.note('heard', 'Wed, 26 Nov 2031 08:00:00 GMT'),
    /the clock is off by \d+ seconds, as Telegram tells the time/,
    (host) => host.note('heard', new Date((host.now() + 60) * 1000).toUTCString()),
  ],
]

function good(host: Watched): void {
  host.certified()
}

for (const [what, breaks, said, mends] of faults)
  test(`${what} is told once, and once it is over`, async () => {
    const host = watchedHost()
    assert.is(await host.sent(), '')
    breaks(host)
    const message = await host.sent()
    assert.match(message, said)
    assert.match(message, /^--- chat\n⚠️ vps1: /)
    assert.is(message.split('\n').length, 4, message)
    assert.is(await host.sent(0.5), '')
    mends(host)
    if (what.includes('engine')) return
    assert.match(await host.sent(), /^--- chat\n✅ vps1: resolved: .*\nsince 2025-11-24 1\d:\d\d UTC, for \d min$/)
    assert.is(await host.sent(), '')
  })

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
  assert.match(await host.sent(16), /resolved: hello: its container botgarden-hello\.worker-blue/)
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

test('5xx are told by bot, and names that a client has made up are not', async () => {
  const host = watchedHost()
  const line = (bot: string, status: number) =>
    `{"time":"x","host":"evil\\"bot","uri":"/tg/${bot}","bot":"${bot}","status":${status},"bytes":1}\n`
  host.note(
    'log',
    line('hello', 502).repeat(6) + line('hello', 200).repeat(20) + line('made-up', 404).repeat(50) + 'no json\n',
  )
  assert.match(await host.sent(), /hello: 6 of 26 updates were answered with 5xx/)
  host.note('log', line('hello', 200))
  assert.is(await host.sent(), '')
  assert.match(await host.sent(6), /resolved/)
  host.note('log', line('made-up', 500).repeat(9))
  const said = await host.sent()
  assert.match(said, /9 of 9 requests of pages/)
  assert.not.match(said, 'made-up')
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
  status({ result: 'running' })
  assert.is(await host.sent(), '')
  status({ lastGood: nameOf(host.now() - 27 * 3600) })
  assert.match(await host.sent(), /the last good backup is 27 hours old[\s\S]*resolved: the backup of then failed/)
  host.write('/opt/botgarden/backups/status.json', '{')
  assert.match(await host.sent(), /the status of the last backup cannot be read/)
})

const nameOf = (seconds: number) =>
  new Date(seconds * 1000)
    .toISOString()
    .replace(/[:]/g, '')
    .replace(/\.\d+Z/, 'Z')

test('what stays wrong is told again after a day, and no more often', async () => {
  const host = watchedHost()
  host.note('df', '/ 97% 12%\n')
  assert.match(await host.sent(), /97 %/)
  assert.is(await host.sent(23 * 60), '')
  assert.match(await host.sent(70), /^--- chat\n⚠️ vps1: still: the disk at \/ is 97 % full/)
  assert.is(await host.sent(), '')
})

for (const [what, answer] of [
  ['does not answer', ''],
  ['asks to wait', '{"ok":false,"error_code":429,"parameters":{"retry_after":30}}'],
  ['has trouble', '{"ok":false,"error_code":502}'],
] as const)
  test(`Telegram ${what}: all is kept, and told as one message later`, async () => {
    const host = watchedHost({ deadman: 'https://deadman.example/x' })
    host.note('answer', answer)
    host.note('df', '/ 97% 12%\n')
    assert.is(await host.sent(), '', 'nothing is delivered, and the deadman is not pinged')
    host.note('df', '/ 41% 12%\n')
    host.hook({ ...host.own, url: '' })
    for (let i = 0; i < 4; i++) assert.is(await host.sent(), '')
    assert.is((host.noted('asked').match(/sendMessage/g) ?? []).length, 5)
    host.note('answer', '{"ok":true}')
    const said = await host.sent()
    assert.match(
      said,
      /^--- chat\n⚠️ vps1: hello: its webhook is gone[\s\S]*✅ vps1: was and is over: the disk at \/ is 97 % full\nfrom .* for 1 min\n--- deadman$/,
    )
    assert.is(await host.sent(), '--- deadman')
  })

test('a chat that refuses is not asked each minute, and says why in the journal', async () => {
  const host = watchedHost()
  host.note('answer', '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}')
  host.note('df', '/ 97% 12%\n')
  assert.match(
    (await host.tick()).output,
    /alerts cannot be sent to the chat: Telegram refuses: Forbidden: bot was kicked/,
  )
  for (let i = 0; i < 4; i++) await host.tick()
  assert.is((host.noted('asked').match(/sendMessage/g) ?? []).length, 1)
})

test('each sink has what it was told: one that is away does not repeat the other', async () => {
  const host = watchedHost({ url: 'https://alerts.example/x' })
  host.note('posted', '500')
  host.note('df', '/ 97% 12%\n')
  assert.match(await host.sent(), /^--- chat\n.*97/)
  assert.is(await host.sent(), '')
  host.note('posted', '204')
  assert.match(await host.sent(), /^--- url\n.*97/)
})

test('what was told outlives a boot, and a full disk keeps nobody from being told', async () => {
  const host = watchedHost()
  host.note('df', '/ 97% 12%\n')
  assert.match(await host.sent(), /97/)
  await host.run('rm -rf /run/botgarden/watch')
  assert.is(await host.sent(), '')
  host.program('cp', 'exit 1')
  host.hook({ ...host.own, url: '' })
  assert.match(await host.sent(), /webhook is gone/)
  assert.is(await host.sent(), '')
})

test('a table that is torn is begun anew', async () => {
  const host = watchedHost()
  host.write('/var/lib/botgarden/watch/chat.table', 'disk:/\tyesterday\n\t\t\t\nx')
  assert.is(await host.sent(), '')
})

test('the summary comes once a day, after its time', async () => {
  const host = watchedHost({ digest: '17:00' })
  assert.is(await host.sent(), '', '16:01')
  const said = await host.sent(60)
  assert.match(
    said,
    /^--- chat\n📋 vps1: all is well\nmemory: 500 of 1000 MiB in use, load 0.10\nbots: 1\ndisk \/: 41%, inodes 12%\ncertificate of b.example.org: until /,
  )
  assert.is(await host.sent(60), '')
  assert.match(await host.sent(24 * 60), /📋/)
})

test('no secret is in an argument, and a token that is none goes nowhere', async () => {
  const host = watchedHost({ url: 'https://alerts.example/secret-path', deadman: 'https://deadman.example/secret-id' })
  host.note('df', '/ 97% 12%\n')
  const { calls } = await host.tick()
  const all = calls.join('\n')
  assert.match(all, /^curl /m)
  for (const secret of [token, botToken, 'secret-path', 'secret-id']) assert.not.ok(all.includes(secret), secret)
  host.write('/etc/botgarden/secrets/bots/hello/token', 'x" \noutput = "/etc/passwd')
  host.note('asked', '')
  await host.tick()
  assert.not.match(host.noted('asked'), 'passwd')
})

test('one request asks the engine of all containers, and a run has few processes', async () => {
  const host = watchedHost()
  const { calls } = await host.tick()
  const count = (name: string) => calls.filter((each) => each.startsWith(`${name} `)).length
  assert.equal([count('curl'), count('openssl'), count('df'), count('docker')], [2, 3, 1, 0])
})

test('the set-up message must be taken by each sink', async () => {
  const host = watchedHost({ url: 'https://alerts.example/x' })
  const { code, sent } = await host.tick(0, ['--prove'])
  assert.equal([code, sent.match(/^---.*/gm)], [0, ['--- chat', '--- url']])
  host.note('answer', '{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}')
  const refused = await host.tick(0, ['--prove'])
  assert.is(refused.code, 1)
  assert.match(refused.output, /Telegram refuses: Bad Request: chat not found/)
})

test.run()
