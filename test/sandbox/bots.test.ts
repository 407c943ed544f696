// Needs a bare VPS of its own: `bots`, the sandbox's certificate authority and its Telegram. A bot from its first release on.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { quote } from '../../lib/shell/sh.ts'
import { removeVps } from '../../sandbox/index.ts'
import { resultOf, run } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'
import { addressOf } from '../support/vps/ssh.ts'

const host = 'bots'
const domain = 'bots.sandbox'
const model = resolve(import.meta.dirname, '../../bots/hello-bot')
const folder = mkdtempSync(join(tmpdir(), 'bots-test-'))
const { telegram, called, bots, tokens, inventory, site, deploy, hello, changed, inside, answer, begin } = botHost(
  host,
  ['hello-bot', 'other-bot', 'python-bot'],
)

/** The model with one file changed, as a source of its own. */
function variant(name: string, file: string, content: string): object {
  const source = join(folder, name)
  cpSync(model, source, { recursive: true, filter: (path) => !path.includes('node_modules') })
  writeFileSync(join(source, file), content)
  return { 'hello-bot': { host, source } }
}

test.before(begin)
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

test('a check lists what the first release then does, and the second changes nothing in one round trip', async () => {
  const check = await deploy(['--name', 'hello-bot', '--check'])
  assert.is(check.code, 2)
  const first = await hello()
  assert.is(first.code, 0, resultOf(first, host).error)
  const checked = resultOf(check, host)
  assert.equal(changed(first).sort(), [...checked.ids, ...checked.unknownIds].sort())
  const { changed: none, roundTrips, unknown } = resultOf(await hello(), host)
  assert.equal({ none, roundTrips, unknown }, { none: 0, roundTrips: 1, unknown: 0 })
  assert.is(resultOf(await site(), host).changed, 0)
})

test('with backups here, and with another bot whose secrets come from commands, it is still one round trip', async () => {
  const [copies, marks] = [join(folder, 'copies'), join(folder, 'marks')]
  mkdirSync(join(copies, host, '2026-11-20T031700Z'), { recursive: true })
  const command = `echo asked >>${marks}; exit 1`
  const other = { host, source: model, token: { command }, secrets: { KEY: { command } } }
  const recipients = ['age1elr9jpvchh66m9wfnu5apnzzuy4s3jy32n4mje7p7et6w358deys4cnt4l']
  const file = inventory({ 'other-bot': other }, { domain, backups: { recipients, local: copies } })
  const { changed: none, roundTrips, error } = resultOf(await hello(file), host)
  assert.equal({ none, roundTrips, error }, { none: 0, roundTrips: 1, error: undefined })
  assert.not.ok(existsSync(marks))
})

test('it greets through Telegram, TLS, nginx and its database', async () => {
  assert.match(await answer('/start'), /^Hello/)
  const users =
    'docker exec botgarden-postgres psql -XAtU postgres hello_bot -c "select count(*) from processed_update"'
  assert.ok(Number(await inside(users)) >= 1)
})

/** Runs a command in the container of a bot that serves. */
const inBot = (command: string, name = 'hello-bot') =>
  inside(`docker exec $(docker ps -q --filter label=botgarden.bot=${name}) ${command} 2>&1`)
/** What the kernel says of a process that runs in the container of each bot, by the words of /proc/PID/status. */
const kernelSays = (word: string) =>
  inside(
    `for c in $(docker ps -q --filter label=botgarden.bot); do sed -n 's/^${word}:[[:space:]]*//p' /proc/$(docker inspect -f '{{.State.Pid}}' $c)/status; done | sort -u`,
  )

for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
  test(`a bot that runs has no capability, and none that it could get: ${set}`, async () => {
    assert.is(await kernelSays(set), '0000000000000000')
  })

test('nothing that a bot starts gets a right that it does not have itself', async () => {
  assert.is(await kernelSays('NoNewPrivs'), '1')
})

test('a bot that starts processes without end gets no more than its share of them, and serves on', async () => {
  // By a program that waits for what it has begun: of the processes of one that does not, nobody in a bot takes leave.
  const program =
    'let begun = 0; for (let i = 0; i < 150; i++) require("node:child_process").spawn("sleep", ["2"]).on("spawn", () => begun++).on("error", () => {}); process.on("exit", () => console.log(begun, "of 150"))'
  const many = await inBot(`node -e '${program}'`)
  const [begun = 0] = many.match(/^\d+(?= of 150)/m) ?? []
  assert.ok(Number(begun) > 10 && Number(begun) < 100, many)
  assert.match(await answer('/start'), /^Hello/)
})

test('a bot writes nowhere but to its /tmp, whoever it is', async () => {
  const as = (user: number, command: string) =>
    inside(`docker exec -u ${user} $(docker ps -q --filter label=botgarden.bot=hello-bot) sh -c '${command}' 2>&1`)
  // Each by who owns the folder, so that nothing but the mount is in the way.
  for (const [user, command] of [
    [0, ': >/x'],
    [20_001, 'chmod 700 /run/secrets'],
    [999, ': >/run/postgresql/x'],
  ] as const)
    assert.match(await as(user, command), /Read-only file system/)
  assert.is(await as(20_001, ': >/tmp/x && rm /tmp/x && echo written'), 'written')
})

test('whatever runs comes back with every boot', async () => {
  const policies = `docker ps -q | xargs docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' | sort -u`
  assert.is(await inside(policies), 'always')
})

test('a new version takes over, and the one before is gone; back again with --rollback', async () => {
  const next = variant(
    'next',
    'src/messages/en.ts',
    readFileSync(join(model, 'src/messages/en.ts'), 'utf8').replaceAll('Hello', 'Welcome'),
  )
  const released = await hello(inventory(next))
  assert.is(released.code, 0, resultOf(released, host).error)
  assert.match(await answer('/start'), /^Welcome/)
  assert.is(await inside("docker ps -a --format '{{.Names}}' | grep -c hello-bot"), '1')

  const list = await deploy(['--name', 'hello-bot', '--releases'])
  assert.is(list.stdout.split('\n').filter((line) => line.startsWith('* ')).length, 1)
  const back = await deploy(['--name', 'hello-bot', '--rollback'])
  assert.is(back.code, 0, resultOf(back, host).error)
  assert.match(await answer('/start'), /^Hello/)
  assert.is(resultOf(await site(), host).changed, 0)
})

for (const [what, file, content, said] of [
  ['crashes at its start', 'src/main.ts', 'console.log("no way"); process.exit(7)', /exit code 7[\s\S]*no way/],
  [
    'crashes while it settles',
    'src/main.ts',
    `import { createServer } from 'node:http'\ncreateServer((_, r) => { r.end('ok'); setTimeout(() => { console.log('my heart'); process.exit(9) }, 500) }).listen(3000)`,
    /exited \d s after it became ready[\s\S]*exit code 9[\s\S]*my heart/,
  ],
  [
    'cannot migrate',
    'migrations/2099-01-01-broken.ts',
    `export async function up() { throw new Error('no such column') }\nexport async function down() {}`,
    /no such column[\s\S]*migration failed/,
  ],
] as const)
  test(`a version that ${what}: the one before serves on, and the message says why`, async () => {
    const failed = await hello(inventory(variant(what.replaceAll(' ', '-'), file, content)))
    assert.is(failed.code, 3)
    assert.match(resultOf(failed, host).error, said)
    assert.match(await answer('/start'), /^Hello/)
    assert.is(await inside("docker ps -a --format '{{.Names}}' | grep -c hello-bot"), '1')
  })

test('an image with a volume is refused before its migrations run; a scratch folder just there has a bound', async () => {
  const dockerfile = readFileSync(join(model, 'Dockerfile'), 'utf8')
  const { 'hello-bot': entry } = variant('volume', 'Dockerfile', `${dockerfile}\nVOLUME /data\n`) as Record<
    string,
    object
  >
  const volume = (more: object = {}) => inventory({ 'hello-bot': { ...entry, ...more } })
  const serving = await inside('docker ps -q --filter label=botgarden.bot=hello-bot')
  // Built in the first, there already in the second.
  for (const args of [[], ['--check']]) {
    const refused = await deploy(['--name', 'hello-bot', ...args], volume())
    assert.is(refused.code, 3)
    assert.match(resultOf(refused, host).error, /the image of hello-bot declares volumes.*"scratch:".*: \/data$/m)
  }
  assert.is(await inside('docker ps -aq --filter label=botgarden.bot=hello-bot'), serving)
  const released = await deploy(['--name', 'hello-bot'], volume({ scratch: ['/data'] }))
  assert.is(released.code, 0, resultOf(released, host).error)
  const write =
    'docker exec $(docker ps -q --filter label=botgarden.bot=hello-bot) sh -c "head -c 64M /dev/zero >/data/x" 2>&1'
  assert.match(await inside(write), 'No space left on device')
  assert.is(await inside('docker volume ls -q'), '')
  assert.is(resultOf(await site(volume({ scratch: ['/data'] })), host).changed, 0)
  assert.is((await hello()).code, 0)
})

test('a token that Telegram refuses is never put in place', async () => {
  const wrong = await hello(undefined, { ...tokens, HELLO_BOT_TOKEN: `${tokens.HELLO_BOT_TOKEN?.slice(0, -5)}xxxxx` })
  assert.is(wrong.code, 3)
  assert.match(resultOf(wrong, host).error, 'Telegram rejects the token of hello-bot')
  assert.match(await answer('/start'), /^Hello/)
})

test('a bot that is too big for its host is refused before anything is touched', async () => {
  const refused = await hello(inventory({ 'hello-bot': { host, memory: '64g', environment: { X: '1' } } }))
  assert.is(refused.code, 3)
  assert.match(resultOf(refused, host).error, /may use 65536 MiB of memory, and this host has \d+ MiB in total/)
  assert.equal(changed(refused), [])
})

test('after all that the next good version takes over, and its jobs with it', async () => {
  const price = '5$ $HOME $${HOME} $$$$9'
  const jobs = { price: { schedule: '@yearly', command: ['printenv', 'PRICE'] } }
  const file = inventory({ 'hello-bot': { host, environment: { LOG_LEVEL: 'debug', PRICE: price }, jobs } })
  const good = await hello(file)
  assert.equal(changed(good).slice(0, 1), ['release:hello-bot'], resultOf(good, host).error)
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await inBot('printenv PRICE'), '5$ $HOME ${HOME} $$9', 'two dollars are one, and nothing else is changed')
  const { code, stdout } = await run(['playbooks/bot.ts', '-i', file, '--name', 'hello-bot', '--run', 'price'], tokens)
  assert.equal([code, stdout.split('\n')[0]], [0, '5$ $HOME ${HOME} $$9'])
  assert.is((await hello()).code, 0)
  assert.is(await inside('ls /etc/systemd/system | grep botgarden-job || :'), '')
})

test('images of older releases go, wherever they came from, but for the newest and what others run', async () => {
  const releases = '/var/lib/botgarden/bots/hello-bot/releases'
  const image = (tag: string) => `registry.example.org/hello:${tag}`
  const line = (tag: string) => JSON.stringify({ id: tag, secrets: {}, spec: { image: image(tag) } })
  const tags = ['1.1', '1.2', '1.3', '1.4']
  await inside(
    `cp ${releases} /root/releases; : >${releases}; for tag in ${tags.join(' ')}; do docker tag nginx:1.30.6 registry.example.org/hello:$tag; done;` +
      `mkdir /var/lib/botgarden/bots/neighbour; printf '%s\\n' ${quote(line('1.1'))} >/var/lib/botgarden/bots/neighbour/current.json;` +
      tags.map((tag) => `printf '%s\\n' ${quote(line(tag))} >>${releases}`).join(';'),
  )
  const next = { host, environment: { LOG_LEVEL: 'error' } }
  const released = await hello(inventory({ 'hello-bot': next }, { domain }, { keep: 2 }))
  await inside(
    `rm -r /var/lib/botgarden/bots/neighbour; cat ${releases} >>/root/releases; mv /root/releases ${releases}`,
  )
  assert.is(released.code, 0, resultOf(released, host).error)
  const left = await inside("docker image ls --format '{{.Tag}}' registry.example.org/hello | sort")
  assert.is(left, '1.1\n1.3\n1.4')
  assert.is((await hello()).code, 0)
})

test('limits change without a new container', async () => {
  const before = await inside(
    'docker inspect -f "{{.Id}}" botgarden-hello-bot-blue botgarden-hello-bot-green 2>/dev/null',
  )
  const more = { 'hello-bot': { host, memory: '200m' } }
  assert.equal(changed(await site(inventory(more))), ['limits:hello-bot'])
  assert.is(
    await inside('docker inspect -f "{{.Id}}" botgarden-hello-bot-blue botgarden-hello-bot-green 2>/dev/null'),
    before,
  )
  assert.equal(changed(await site()), ['limits:hello-bot'])
})

test('a process comes with its version and goes with it, and one that ends by itself takes the version back', async () => {
  const ticker = (code: string) => ({ ticker: { command: ['node', '-e', code], memory: '64m', single: true } })
  const processes = ticker('setInterval(() => {}, 1000)')
  const file = inventory({ 'hello-bot': { host, source: model, processes } })
  assert.is((await hello(file)).code, 0)
  const those = () => inside("docker ps --format '{{.Names}}' | grep '^botgarden-hello-bot' | sort")
  const before = await those()
  assert.match(before, /^botgarden-hello-bot-(blue|green)\nbotgarden-hello-bot\.ticker-\1$/)
  const crashing = ticker("setTimeout(() => { console.error('tick: no luck'); process.exit(7) }, 1000)")
  const failed = await hello(inventory({ 'hello-bot': { host, source: model, processes: crashing } }))
  assert.is(failed.code, 3)
  // Before or after the bot itself is ready: that is a race on a slow machine.
  const ended = /hello-bot\.ticker-\w+ (ended by itself|exited before it was ready)/
  for (const said of [ended, /exit code 7/, /tick: no luck/, /still serving/])
    assert.match(String(resultOf(failed, host).error), said)
  assert.is(await those(), before)
  await inside('docker rm -f $(docker ps --quiet --filter label=botgarden.process=ticker)')
  assert.equal(changed(await site(file)), ['release:hello-bot'])
  assert.is(await those(), before)
  assert.equal([resultOf(await hello(file), host).changed, resultOf(await site(file), host).roundTrips], [0, 1])
  assert.is((await hello()).code, 0)
  assert.match(await those(), /^botgarden-hello-bot-(blue|green)$/)
})

test('a site without a bot is served from its image, without a token, and is gone when it is removed', async () => {
  const source = resolve(import.meta.dirname, '../bots/landing-page')
  const page = { host, source, shareOrigin: true, public: [{ path: '/welcome', static: 'site' }] }
  const file = inventory({ page })
  const released = await deploy(['--name', 'page'], file, {})
  assert.is(released.code, 0, resultOf(released, host).error)
  const get = (path: string) =>
    inside(`curl -sk -w '%{http_code}' --resolve ${domain}:443:127.0.0.1 https://${domain}${path}`)
  assert.match(await get('/welcome/'), /Open the bot[\s\S]*200$/)
  assert.match(await get('/welcome/../hello-bot.conf'), /404$/)
  assert.equal([resultOf(await site(file), host).changed, resultOf(await site(file), host).roundTrips], [0, 1])
  assert.is((await deploy(['--name', 'page', '--remove', '--yes'], file, {})).code, 0)
  assert.match(await get('/welcome/'), /404$/)
  assert.is(await inside('ls /opt/botgarden/nginx/static'), '')
})

test('a torn record is healed from what runs, else told with what mends it; and a release mends it without a gap', async () => {
  const state = '/var/lib/botgarden/bots/hello-bot'
  const whole = await inside(`cat ${state}/current.json`)
  const running = () => inside('docker ps --filter label=botgarden.bot=hello-bot --format {{.ID}}')
  const before = await running()
  await inside(`head -c 100 ${state}/current.json >/root/torn; cp /root/torn ${state}/current.json`)
  // What is released is known again by its record alone.
  assert.equal(changed(await deploy(['--name', 'hello-bot', '--check'])), ['record:hello-bot', 'release:hello-bot'])
  assert.equal(changed(await site()), ['record:hello-bot'])
  assert.is(await inside(`cat ${state}/current.json`), whole)
  assert.is(await running(), before)

  await inside(`cp ${state}/releases /root/releases; cp /root/torn ${state}/releases; echo null >${state}/current.json`)
  const told = await site()
  assert.is(told.code, 3)
  assert.match(resultOf(told, host).error, /hello-bot\/current\.json: .*npx zx playbooks\/bot\.ts --name hello-bot/)
  assert.is(await running(), before)
  const mended = await hello()
  assert.is(mended.code, 0, resultOf(mended, host).error)
  assert.equal(changed(mended), ['release:hello-bot'])
  assert.match(await answer('/start'), /^Hello/)
  assert.is(resultOf(await site(), host).changed, 0)
  await inside(`tail -n 1 ${state}/releases >>/root/releases; cp /root/releases ${state}/releases`)
})

test('secrets of a bot that are lost: it goes on, site.ts names them, and bot.ts brings them back', async () => {
  await inside('rm -rf /etc/botgarden/secrets/bots/hello-bot')
  const looked = await site()
  assert.is(looked.code, 0)
  assert.match(
    resultOf(looked, host).outputs['hello-bot has lost'],
    /^token: set them again: npx zx playbooks\/bot.ts --name hello-bot/,
  )
  assert.is(resultOf(looked, host).changed, 0)
  assert.match(await answer('/start'), /^Hello/)
  const back = await hello()
  assert.ok(changed(back).includes('release:hello-bot'), resultOf(back, host).error)
  assert.match(await answer('/start'), /^Hello/)
  await inside('rm /etc/botgarden/secrets/bots/hello-bot/webhook-secret')
  assert.equal(changed(await site()), [
    'secret:/etc/botgarden/secrets/bots/hello-bot/webhook-secret',
    'release:hello-bot',
    'webhook:hello-bot',
  ])
  assert.match(await answer('/start'), /^Hello/)
  assert.is(resultOf(await site(), host).changed, 0)
})

test('two bots with one token are refused before any host is touched', async () => {
  const both = { 'other-bot': { host, source: model } }
  const same = await deploy(['--all'], inventory(both), { ...tokens, OTHER_BOT_TOKEN: tokens.HELLO_BOT_TOKEN ?? '' })
  assert.is(same.code, 1)
  assert.match(same.stderr, 'hello-bot and other-bot use the same token of bot')
})

test('a second bot touches nothing of the first, and neither reaches the other', async () => {
  bots['other-bot'] = { host, source: model }
  const running = "docker ps --format '{{.Names}} {{.ID}}' | grep -v other | sort"
  const before = await inside(running)
  // The one after it fails: it has its webhook all the same.
  const source = join(folder, 'no-python')
  cpSync(resolve(import.meta.dirname, '../support/python-bot'), source, { recursive: true })
  writeFileSync(join(source, 'bot.py'), 'raise SystemExit(3)')
  const second = await deploy(['--name', 'other-bot,python-bot'], inventory({ 'python-bot': { host, source } }))
  assert.is(second.code, 3)
  assert.match(resultOf(second, host).error, /release:python-bot[\s\S]*exit code 3/)
  assert.is(await inside(running), before)
  assert.match(await answer('/start', 'other-bot'), /^Hello/)

  const from = (script: string) =>
    inside(`docker exec $(docker ps --format '{{.Names}}' | grep other-bot) node -e '${script}' 2>&1`)
  const connect = (address: string, port: number) =>
    from(
      `const s=require("node:net").connect(${port},"${address}");s.setTimeout(2000,()=>{console.log("silence");process.exit()});s.on("connect",()=>{console.log("open");process.exit()});s.on("error",e=>console.log(e.code))`,
    )
  assert.is(await connect('10.210.1.2', 3000), 'silence')
  assert.is(await connect('10.210.1.3', 3000), 'silence')
  assert.is(await connect('10.210.2.1', 22), 'silence')
  assert.is(await connect('169.254.169.254', 80), 'silence')
  const enter = `cat /etc/botgarden/secrets/bots/other-bot/database-password - </dev/null | docker exec -i -e PGPASSFILE=/none botgarden-postgres psql -XAt -W -U other_bot -d hello_bot -c 'select 1' 2>&1`
  assert.match(await inside(enter), 'permission denied for database')
})

test('a call without the secret reaches no handler', async () => {
  const address = await addressOf(host)
  const here = local({ quiet: true, nothrow: true })
  const post = (...more: string[]) =>
    here`curl --silent --insecure --output /dev/null --write-out ${'%{http_code}'} --resolve ${`${domain}:443:${address}`} ${more} https://${domain}/tg/hello-bot`
  const updates =
    'docker exec botgarden-postgres psql -XAtU postgres hello_bot -c "select count(*) from processed_update"'
  const before = await inside(updates)
  const update = JSON.stringify({
    update_id: 1,
    message: { message_id: 1, date: 1, chat: { id: 1, type: 'private' }, text: '/start' },
  })
  const body = ['-H', 'content-type: application/json', '--data', update]
  assert.is((await post(...body)).stdout, '401')
  assert.is((await post(...body, '-H', 'X-Telegram-Bot-Api-Secret-Token: guess')).stdout, '401')
  assert.is((await post()).stdout, '403')
  assert.is(await inside(updates), before)
})

test('no token and no password stands in inspect, in any process of others, or in a log', async () => {
  const values = (
    await inside('for f in /etc/botgarden/secrets/bots/*/* ; do case $f in *pgpass) ;; *) cat $f; echo ;; esac; done')
  )
    .split('\n')
    .filter(Boolean)
  assert.ok(values.length >= 6)
  for (const value of values) {
    const found = await inside(
      `v=${value}; { docker inspect $(docker ps -aq); for c in $(docker ps -aq); do docker logs $c; done; journalctl --no-pager; cat /var/log/*.log; ` +
        `for e in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr '\\0' ' ' <$e; echo; done; } 2>&1 | grep -v "v=$v" | grep -v "grep -c" | grep -c -- "$v"`,
    )
    assert.is(found, '0')
  }
})

test('a bot that asks for its updates itself is stopped before the next one starts, and has no way in', async () => {
  const polling = { 'other-bot': { host, source: model, mode: 'polling' } }
  const other = await deploy(['--name', 'other-bot'], inventory(polling))
  assert.is(other.code, 0, resultOf(other, host).error)
  assert.match(await answer('/start', 'other-bot'), /^Hello/)
  assert.is(await inside('ls /opt/botgarden/nginx/conf/bots'), 'hello-bot.conf')
  const again = await deploy(
    ['--name', 'other-bot'],
    inventory({ 'other-bot': { host, source: model, mode: 'polling', environment: { LOG_LEVEL: 'debug' } } }),
  )
  assert.is(again.code, 0, resultOf(again, host).error)
  assert.match(await answer('/start', 'other-bot'), /^Hello/)
  const log = await inside('docker logs $(docker ps --format "{{.Names}}" | grep other-bot) 2>&1')
  assert.match(log, '"level":"info"')
  assert.not.match(log, 'another process polls with this token')
  bots['other-bot'] = { host, source: model, mode: 'polling', environment: { LOG_LEVEL: 'debug' } }
})

test('a webhook that somebody else has set is taken from a bot that asks for its updates itself', async () => {
  const api = `http://telegram.sandbox:8081/bot${tokens.OTHER_BOT_TOKEN}`
  assert.match(await inside(`curl --silent --data url=https://${domain}/tg/elsewhere ${api}/setWebhook`), '"ok":true')
  const result = await deploy(['--name', 'other-bot'])
  assert.is(result.code, 0, resultOf(result, host).error)
  assert.ok(changed(result).includes('webhook:other-bot'))
  assert.match(await inside(`curl --silent ${api}/getWebhookInfo`), '"url":""')
  assert.match(await answer('/start', 'other-bot'), /^Hello/)
})

test('any language will do: a bot of 20 lines of Python, with its token in a variable and a folder that lasts', async () => {
  const python = { 'python-bot': { host, source: resolve(import.meta.dirname, '../support/python-bot') } }
  const result = await deploy(['--name', 'python-bot'], inventory(python))
  assert.is(result.code, 0, resultOf(result, host).error)
  assert.is(await answer('how are you', 'python-bot'), 'python: how are you')
  assert.is(await inside('cat /var/lib/botgarden/data/python-bot/current/data/log'), 'how are you')
  bots['python-bot'] = python['python-bot']
})

const psql = (sql: string) => inside(`docker exec botgarden-postgres psql -XAtU postgres -c ${quote(sql)} 2>&1`)

test('what others have tied to a bot is named before anything of it is removed', async () => {
  await inside('docker run -d --name stranger --network botgarden-other-bot nginx:1.30.6')
  await psql('create database reports owner other_bot')
  const refused = await deploy(['--name', 'other-bot', '--remove', '--yes'])
  assert.is(refused.code, 3)
  const { error, changed: none } = resultOf(refused, host)
  assert.is(none, 0)
  assert.match(
    error,
    'the container stranger does not belong to other-bot and is connected to its network; disconnect it: docker network',
  )
  assert.match(error, 'the role "other_bot" owns or has privileges on objects outside its database')
  assert.match(await answer('/start', 'other-bot'), /^Hello/)
  // Just what the message says.
  for (const command of error.match(/docker .*/g) ?? []) await inside(command)
  await inside('docker rm -f stranger')
  await psql('drop database reports')
})

test('taken off its host, nothing of a bot is left but a last dump, however it has barred its database', async () => {
  await psql('alter database other_bot with is_template true allow_connections false')
  const asked = await deploy(['--name', 'other-bot', '--remove'])
  assert.is(asked.code, 1)
  assert.match(asked.stderr, 'there is no terminal to ask on')
  const gone = await deploy(['--name', 'other-bot', '--remove', '--yes'])
  assert.is(gone.code, 0, resultOf(gone, host).error)
  assert.is(
    await inside(
      'find / -xdev -path /proc -prune -o -name "*other-bot*" -print 2>/dev/null | grep -v "^/var/log\\|^/var/lib/docker" | grep -v removed',
    ),
    '',
  )
  assert.match(
    await inside(
      'cat /var/lib/botgarden/removed/other-bot-*.dump | docker exec -i botgarden-postgres pg_restore --list',
    ),
    'dbname: other_bot',
  )
  assert.is(await psql("select count(*) from pg_database where datname = 'other_bot'"), '0')
  assert.is(await psql("select count(*) from pg_roles where rolname = 'other_bot'"), '0')
  delete bots['other-bot']
  assert.is(resultOf(await site(), host).changed, 0)
})

test('on a bare address the certificate signs itself, Telegram is given it, and all goes on', async () => {
  const bare = inventory({}, {})
  await telegram().fault(called('hello-bot'), { method: 'setWebhook', error: 429, retryAfter: 2, times: 1 })
  const moved = await site(bare)
  assert.is(moved.code, 0, resultOf(moved, host).error)
  const result = await hello(bare)
  assert.is(result.code, 0, resultOf(result, host).error)
  const { webhook } = (await telegram().report(called('hello-bot'))) as unknown as {
    webhook: { url: string; has_custom_certificate: boolean }
  }
  assert.match(webhook.url, /^https:\/\/10\.212\.\d+\.\d+\/tg\/hello-bot$/)
  assert.match(await answer('/start'), /^Hello/)
})

test.run()
