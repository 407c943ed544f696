import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Resource } from '../../../lib/model/resource.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { allocated } from '../../../roles/bot/allocation.ts'
import { network, networkState } from '../../../roles/bot/network.ts'
import { dockerConfigFolder, registryLogins } from '../../../roles/bot/registry-login.ts'
import { limits } from '../../../roles/bot/release/limits.ts'
import { pruneImages, removeAllImages } from '../../../roles/bot/release/prune-images.ts'
import { botAbsent } from '../../../roles/bot/remove.ts'
import { databasePassFile, databasePassword, operatorSecret, webhookSecret } from '../../../roles/bot/secrets.ts'
import { allocations } from '../../../roles/bot/spec/allocations.ts'
import { addressOf, uidOf } from '../../../roles/bot/spec/layout.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { token } from '../../../roles/bot/token.ts'
import { changesOf, planOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'
import { sha256 } from '../../support/sha256.ts'

const api = 'https://api.telegram.org'
const folder = '/etc/botgarden/secrets/bots/hello'
const given = '123456:a-token-of-a-bot-in-a-test'
const old = { type: 'file', mode: '0400', owner: '20001', group: '20001', sha256: sha256('old') }
const tokenOf = (value: string | undefined) =>
  token(folder, '20001', value === undefined ? undefined : new Secret(value), api, 'hello', [])
const noOwners = { 'token-owners:bots': {} }

/** Makes the one change that a resource plans. */
async function made(host: ScratchHost, resource: Resource, state: Record<string, unknown>) {
  const changes = changesOf([resource], state)
  assert.is(changes.length, 1)
  const [change] = changes
  return { ...(await host.run(change?.script ?? '')), shown: change?.script.shown ?? '', summary: change?.summary }
}

for (const [what, answer, code, said, left] of [
  ['knows', '{"ok":true,"result":{}}', 0, /^$/, given],
  [
    'refuses',
    '{"ok":false,"error_code":401,"description":"Unauthorized"}',
    1,
    /^Telegram rejects the token of hello: /,
    'old',
  ],
  [
    'has never heard of',
    '{"ok":false,"error_code":404,"description":"Not Found"}',
    1,
    /^Telegram rejects the token of hello: /,
    'old',
  ],
  ['says nothing of', 'curl: (28) Timeout', 0, /^warning: Telegram does not answer/, given],
  ['is in trouble over', '{"ok":false,"error_code":502}', 0, /^warning: Telegram does not answer/, given],
] as const)
  test(`a token that Telegram ${what}: ${code === 0 ? 'takes the place of the old one' : 'changes nothing'}`, async () => {
    const host = scratchHost()
    host.write(`${folder}/token`, 'old', 0o400)
    host.note('telegram/getMe', answer)
    const ran = await made(host, tokenOf(given), { ...noOwners, [`file:${folder}/token`]: old })
    assert.is(ran.code, code)
    assert.match(ran.output, said)
    assert.is(ran.summary, 'rotate')
    assert.is(host.read(`${folder}/token`), left)
    assert.equal(host.list(folder), ['token'], 'no candidate is left')
    // Asked with the new one, by stdin; no other program is told.
    const asked = ran.calls.map((call) => call.trim()).indexOf(`curl ${api}/bot${given}/getMe`)
    assert.ok(asked >= 0, 'Telegram was asked')
    assert.not.match([...ran.calls.toSpliced(asked, 1), ran.shown].join(), given)
    assert.equal(ran.calls.slice(0, 2), [`chown 20001:20001 ${folder}/token.new`, 'was 600'])
    if (code === 0) assert.is(host.mode(`${folder}/token`), '400')
  })

test('a token that is there is kept, and only its attributes are mended', async () => {
  assert.equal(planOf([tokenOf('old')], { ...noOwners, [`file:${folder}/token`]: old }), [])
  assert.equal(planOf([tokenOf(undefined)], { ...noOwners, [`file:${folder}/token`]: old }), [])
  const open = { ...noOwners, [`file:${folder}/token`]: { ...old, mode: '0644' } }
  assert.equal(planOf([tokenOf(undefined)], open), ['token:hello: mode 0644 → 0400'])
  const host = scratchHost()
  host.write(`${folder}/token`, 'old')
  const { calls } = await made(host, tokenOf(undefined), open)
  assert.is(host.mode(`${folder}/token`), '400')
  assert.is(calls[0], `chown 20001:20001 ${folder}/token`)
})

test('a token of the host’s that another bot has too is refused, by its number', () => {
  const twins = { 'token-owners:bots': { hello: '1', twin: '1' }, [`file:${folder}/token`]: old }
  assert.throws(() => planOf([tokenOf(undefined)], twins), /hello and twin, .* use the same token of bot 1/)
  const others = { 'token-owners:bots': { hello: '1', other: '2' }, [`file:${folder}/token`]: old }
  assert.equal(planOf([tokenOf(undefined)], others), [])
  assert.throws(() => planOf([tokenOf('2:x')], others), /use the same token of bot 2/)
})

test('whose token is whose is read from the host, and no more of it than the number', async () => {
  const host = scratchHost()
  const reading = tokenOf(given).reads.find(({ key }) => key === 'token-owners:bots')
  assert.ok(reading)
  assert.equal(await host.reads(reading), {})
  host.write('/etc/botgarden/secrets/bots/one/token', '11:aaa')
  host.write('/etc/botgarden/secrets/bots/two/token', '22:bbb')
  assert.equal(await host.reads(reading), { one: '11', two: '22' })
})

test('a secret of the operator’s is written like a token, and asks nobody', async () => {
  const host = scratchHost()
  host.folder(folder)
  const { calls, code, shown } = await made(
    host,
    operatorSecret(folder, '20001', 'hello', 'KEY', new Secret('value-of-it')),
    {},
  )
  assert.is(code, 0)
  assert.equal(calls.slice(0, 2), [`chown 20001:20001 ${folder}/KEY.new`, 'was 600'])
  assert.is(host.read(`${folder}/KEY`), 'value-of-it')
  assert.is(host.mode(`${folder}/KEY`), '400')
  assert.not.match(shown, 'value-of-it')
  assert.throws(
    () => planOf([operatorSecret(folder, '20001', 'hello', 'KEY', undefined)], {}),
    /hello needs the secret KEY: .*bots.hello.secrets.KEY/,
  )
})

test('secrets that the host makes are random, private from the first byte, and made once', async () => {
  const host = scratchHost()
  host.folder(folder)
  for (const [resource, name] of [
    [webhookSecret(folder, '20001', 'hello'), 'webhook-secret'],
    [databasePassword(folder, '20001', 'hello'), 'database-password'],
  ] as const) {
    const { code, calls } = await made(host, resource, {})
    assert.is(code, 0)
    assert.match(host.read(`${folder}/${name}`), /^[\w-]{43}$/)
    assert.equal(calls.slice(0, 2), [`chown 20001:20001 ${folder}/${name}.new`, 'was 600'])
    assert.is(host.mode(`${folder}/${name}`), '400')
    assert.is(resource.credential, `${folder}/${name}`)
    assert.equal(planOf([resource], { [`file:${folder}/${name}`]: old }), [])
  }
  assert.is.not(host.read(`${folder}/webhook-secret`), host.read(`${folder}/database-password`))
  const { calls } = await made(host, databasePassFile(folder, 'hello'), {})
  assert.is(host.read(`${folder}/pgpass`), `*:*:*:hello:${host.read(`${folder}/database-password`)}\n`)
  assert.is(calls.includes('was 600'), true)
  assert.is(host.mode(`${folder}/pgpass`), '400')
})

test('the login of a registry is nobody’s to read, and asked for by the client of its images alone', async () => {
  const login = { registry: 'r.example.org:5000', username: 'me', password: new Secret('pass-of-mine') }
  const path = '/etc/botgarden/registry/r.example.org_5000'
  const host = scratchHost()
  host.folder(path)
  const [, , resource] = registryLogins([login]) as [Resource, Resource, Resource]
  const { shown } = await made(host, resource, {})
  const text = host.read(`${path}/config.json`)
  assert.equal(JSON.parse(text), {
    auths: { 'r.example.org:5000': { auth: Buffer.from('me:pass-of-mine').toString('base64') } },
  })
  assert.is(host.mode(`${path}/config.json`), '600')
  assert.not.match(shown, Buffer.from('me:pass-of-mine').toString('base64'))
  const there = { type: 'file', mode: '0600', owner: 'root', group: 'root', sha256: sha256(text) }
  assert.equal(planOf([resource], { [`file:${path}/config.json`]: there }), [])
  for (const wrong of [{ mode: '0644' }, { sha256: '' }])
    assert.equal(planOf([resource], { [`file:${path}/config.json`]: { ...there, ...wrong } }), [
      'registry:r.example.org:5000: log in',
    ])
  assert.equal(registryLogins([]), [])
  const [all, own] = registryLogins([login]).map(({ id, wants }) => [id, (wants as { mode: string }).mode])
  assert.equal(
    [all, own],
    [
      ['directory:/etc/botgarden/registry', '0700'],
      [`directory:${path}`, '0700'],
    ],
  )
})

test('Docker Hub is logged in to by the name that its client has for it', async () => {
  const host = scratchHost()
  host.folder('/etc/botgarden/registry/docker.io')
  const [, , resource] = registryLogins([
    { registry: 'docker.io', username: 'me', password: new Secret('pass-of-mine') },
  ])
  await made(host, resource as Resource, {})
  const { auths } = JSON.parse(host.read('/etc/botgarden/registry/docker.io/config.json'))
  assert.equal(Object.keys(auths), ['https://index.docker.io/v1/'])
})

for (const [image, name] of [
  ['r.example.org:5000/a/b:1', 'r.example.org_5000'],
  ['localhost/a:1', 'localhost'],
  ['ghcr.io/a/b:1', 'ghcr.io'],
  ['a/b:1', 'docker.io'],
  ['a:1', 'docker.io'],
  ['localhosts/a:1', 'docker.io'],
] as const)
  test(`the login for ${image} is that of ${name}`, () =>
    assert.is(dockerConfigFolder(image), `/etc/botgarden/registry/${name}`))

test('a bot gets a number for good, and others keep theirs', async () => {
  const host = scratchHost()
  assert.equal(await host.reads(allocations), {})
  for (const [bot, number] of [
    ['one', 1],
    ['two', 2],
  ] as const) {
    const taken = await host.reads(allocations)
    const { code } = await made(host, allocated(bot, '10.210'), { 'allocations:bots': taken, 'routes:ipv4': [] })
    assert.is(code, 0)
    assert.is((await host.reads(allocations))[bot], number)
  }
  assert.equal(await host.reads(allocations), { one: 1, two: 2 })
  assert.is(host.mode('/var/lib/botgarden/allocations'), '600')
  assert.equal(host.list('/var/lib/botgarden'), ['allocations'])
  const plan = (taken: object, routes: string[] = []) =>
    planOf([allocated('b', '10.210')], { 'allocations:bots': taken, 'routes:ipv4': routes })
  assert.equal(plan({ a: 1, c: 3 }), ['allocation:b: network 10.210.2.0/24, user 20002'])
  assert.equal(plan({ b: 7 }), [])
  assert.equal(plan({ a: 1 }, ['10.210.2.0/24', '10.210.30.0/24', '10.211.3.0/24']), [
    'allocation:b: network 10.210.3.0/24, user 20003',
  ])
  const all = Object.fromEntries(Array.from({ length: 253 }, (_, i) => [`b${i}`, i + 1]))
  assert.equal(plan(all), ['allocation:b: network 10.210.254.0/24, user 20254'])
  assert.throws(() => plan({ ...all, last: 254 }), /no network of 10.210.0.0\/16 is free/)
  assert.equal(
    [uidOf(7), addressOf('10.9', 7, 'blue'), addressOf('10.9', 7, 'green')],
    ['20007', '10.9.7.2', '10.9.7.3'],
  )
})

test('where the packets of a host go, those of bots’ bridges among them', async () => {
  const host = scratchHost({
    ip: `printf '%s\\n' 'default via 192.0.2.1 dev eth0' '10.0.0.0/8 via 192.0.2.9 dev eth0' '10.210.1.0/24 dev br-bot-1 scope link' '192.0.2.0/24 dev eth0' '198.51.100.7 dev wg0'`,
  })
  const routes = allocated('x', '10.210').reads[1]
  assert.ok(routes)
  assert.equal(await host.reads(routes), ['10.0.0.0/8', '10.210.1.0/24', '192.0.2.0/24', '198.51.100.7'])
})

test('a network is made once, by a name that ufw knows for a container’s, and another one in its place is refused', async () => {
  const host = scratchHost()
  const resource = network('botgarden-hello', '10.210.1.0/24', 1, 'hello')
  const { calls } = await made(host, resource, {})
  assert.equal(calls, [
    'docker network create --driver bridge --subnet 10.210.1.0/24 --gateway 10.210.1.1 --ip-range 10.210.1.128/25 --label botgarden.bot=hello --opt com.docker.network.bridge.name=br-bot-1 botgarden-hello',
  ])
  assert.equal(planOf([resource], { 'network:botgarden-hello': { subnet: '10.210.1.0/24', number: 1 } }), [])
  assert.throws(
    () => planOf([resource], { 'network:botgarden-hello': { subnet: '10.9.0.0/24', number: 1 } }),
    /is 10.9.0.0\/24 and should be 10.210.1.0\/24: remove the bot/,
  )
  const { kind } = networkState('a')
  assert.equal(
    [
      ...kind.parse(
        '{"Name":"a","IPAM":{"Config":[{"Subnet":"10.1.0.0/24"}]},"Options":{"com.docker.network.bridge.name":"br-bot-7"}}\n{"Name":"b","IPAM":{"Config":null},"Options":null}\n{"message":"network c not found"}\n',
        ['a', 'b', 'c'],
      ),
    ],
    [
      ['a', { subnet: '10.1.0.0/24', number: 7 }],
      ['b', { subnet: '', number: undefined }],
      ['c', undefined],
    ],
  )
})

const images = (host: ScratchHost, ...names: string[]) => {
  for (const name of names) host.note(`images/${name.replaceAll('/', '_')}`, '')
}
const line = (image: string) => `${JSON.stringify({ id: '1', secrets: {}, spec: { image } })}\n`
const state = '/var/lib/botgarden/bots'
/** What is left of the images that there were. */
const left = async (host: ScratchHost, names: readonly string[]) => {
  const { stdout } = await host.run(names.map((name) => `! docker image inspect -- ${name} || echo ${name}`).join('\n'))
  return stdout.split('\n').filter(Boolean)
}

test('of a bot’s images the newest stay, and those that somebody needs', async () => {
  const host = scratchHost()
  const all = ['r/a:1', 'r/a:2', 'r/a:3', 'r/a:4', 'r/a:5', 'r/a:6', 'b:built']
  images(host, ...all)
  host.write(`${state}/hello/releases`, all.slice(0, 6).map(line).join(''))
  host.write(`${state}/hello/current.json`, line('r/a:6'))
  host.write(`${state}/other/current.json`, line('r/a:1'))
  host.note('built', 'b:built\nb:gone\n')
  const { code } = await host.run(pruneImages('hello', ['r/a:6', 'r/a:5'], 2))
  assert.is(code, 0)
  assert.equal(await left(host, all), ['r/a:1', 'r/a:3', 'r/a:4', 'r/a:5', 'r/a:6'])
})

test('an image that the engine refuses to give away, or none at all, is no failure', async () => {
  const host = scratchHost()
  host.write(`${state}/hello/current.json`, line('a:2'))
  assert.is((await host.run(pruneImages('hello', ['a:2'], 1))).code, 0)
  images(host, 'a:1', 'a:2', 'a:0')
  host.write(`${state}/hello/releases`, ['a:0', 'a:1', 'a:2'].map(line).join(''))
  host.fails('image rm')
  const { code, calls } = await host.run(pruneImages('hello', ['a:2'], 1))
  assert.is(code, 0)
  assert.equal(
    calls.filter((call) => call.includes('image rm')),
    ['docker image rm a:0'],
  )
})

test('all images of a bot that is taken off go, but for what another one runs', async () => {
  const host = scratchHost()
  images(host, 'a:1', 'a:2', 'a:3')
  host.write(`${state}/hello/releases`, ['a:1', 'a:2', 'a:3', 'a:1'].map(line).join(''))
  host.write(`${state}/other/current.json`, line('a:2'))
  host.note('built', 'botgarden/hello:1\nbotgarden/hello:2\n')
  const { code, calls } = await host.run(removeAllImages('hello'))
  assert.is(code, 0)
  assert.equal(await left(host, ['a:1', 'a:2', 'a:3']), ['a:2'])
  // By their names: bots of the same context have one image.
  assert.ok(
    calls.includes(
      'docker image ls --filter reference=botgarden/hello --filter reference=botgarden/hello.* --format {{.Repository}}:{{.Tag}}',
    ),
  )
  assert.ok(calls.includes('docker image rm -f botgarden/hello:1 botgarden/hello:2'))
})

/** A host with two bots, of which one is removed. */
function withBots(): ScratchHost {
  const host = scratchHost()
  for (const name of ['nginx', 'postgres', 'hello-blue', 'hello-green', 'hello-migrate', 'hello2-blue'])
    host.container(`botgarden-${name}`)
  host.folder('/run/botgarden/nginx')
  host.folder('/opt/botgarden/nginx/generations')
  for (const bot of ['hello', 'hello2']) {
    for (const kind of ['bots', 'sites']) host.write(`/opt/botgarden/nginx/conf/${kind}/${bot}.conf`, `# ${bot}`)
    host.write(`${state}/${bot}/current.json`, line(`${bot}:1`))
    host.write(`${state}/${bot}/releases`, line(`${bot}:1`))
    host.write(`/opt/botgarden/bots/${bot}/blue.yaml`, '')
    host.write(`/etc/botgarden/secrets/bots/${bot}/token`, `${bot}-token`)
    host.note(`networks/botgarden-${bot}`, '')
  }
  host.write('/var/lib/botgarden/allocations', 'hello 1\nhello2 2\n')
  images(host, 'hello:1', 'hello2:1')
  host.note('answer', `case "$(cat)" in *'count(*)'*) echo 1 ;; esac\n`)
  return host
}
const remove = (purge = false) => botAbsent('hello', api, { purge })
const there = { 'allocations:bots': { hello: 1, hello2: 2 } }
const data = '/var/lib/botgarden/data/hello'

test('a removal that was cut before nginx was reloaded is completed by the next', async () => {
  const host = withBots()
  assert.is((await made(host, remove(), there)).code, 0)
  const loaded = host.noted('loaded')
  host.note('loaded', 'a configuration with the bot\n')
  assert.is((await made(host, remove(), there)).code, 0)
  assert.is(host.noted('loaded'), loaded)
})

for (const purge of [false, true])
  test(`a bot is taken off with all that it has${purge ? '' : ', but for a last dump'}; its neighbour stays as it is`, async () => {
    const host = withBots()
    const { code, output, calls, summary } = await made(host, remove(purge), there)
    assert.is(code, 0, output)
    assert.is(summary, purge ? 'remove with all its data' : 'remove, after a final dump of its database')
    assert.equal(
      host.containers().map((each) => each.split(' ')[0]),
      ['botgarden-hello2-blue', 'botgarden-nginx', 'botgarden-postgres'],
    )
    for (const path of [state, '/opt/botgarden/bots', '/etc/botgarden/secrets/bots'])
      assert.equal(host.list(path), ['hello2'])
    for (const kind of ['bots', 'sites']) assert.equal(host.list(`/opt/botgarden/nginx/conf/${kind}`), ['hello2.conf'])
    assert.is(host.read('/var/lib/botgarden/allocations'), 'hello2 2\n')
    assert.equal(host.list('/var/lib/botgarden').sort(), ['allocations', 'bots', ...(purge ? [] : ['removed'])])
    assert.ok(!host.noted('networks/botgarden-hello') && calls.includes('docker network rm botgarden-hello'))
    assert.equal(await left(host, ['hello:1', 'hello2:1']), ['hello2:1'])
    assert.match(host.noted('sql'), 'drop database if exists "hello" with (force);\ndrop role if exists "hello";')
    assert.ok(calls.some((call) => call.startsWith(`curl ${api}/bothello-token/deleteWebhook`)))
    // What nginx runs leads there no more.
    assert.equal(host.list(`/opt/botgarden/nginx/generations/${host.noted('loaded').trim()}/bots`), ['hello2.conf'])
    const dumps = host.list('/var/lib/botgarden/removed')
    if (purge) assert.equal(dumps, [])
    else {
      assert.match(dumps.join(), /^hello-\d{8}-\d{6}(\.1)?\.dump$/)
      assert.is(host.read(`/var/lib/botgarden/removed/${dumps[0]}`), 'DUMP of hello\n')
      assert.is(host.mode(`/var/lib/botgarden/removed/${dumps[0]}`), '600')
      assert.is(host.mode('/var/lib/botgarden/removed'), '700')
      assert.match(output, `final dump: /var/lib/botgarden/removed/${dumps[0]}`)
    }
  })

for (const purge of [false, true])
  test(`the data of a bot ${purge ? 'goes with it, and so does what was kept of it' : 'is kept when it goes'}`, async () => {
    const host = withBots()
    const removed = '/var/lib/botgarden/removed'
    for (const path of ['current/app=data/db', 'before-20260101-000000.1/x']) host.write(`${data}/${path}`, 'mine')
    for (const name of ['hello-20260101-000000.data', 'hello-two-20260101-000000.data'])
      host.write(`${removed}/${name}/x`, '')
    const state = { ...there, 'data:hello': { 'app=data': 20_001 }, 'kept-data:hello': true }
    const { code, output, summary } = await made(host, remove(purge), state)
    assert.is(code, 0, output)
    assert.not(host.there(data))
    const kept = host.list(removed).filter((name) => name.endsWith('.data'))
    if (purge) assert.equal(kept, ['hello-two-20260101-000000.data'])
    else {
      assert.is(summary, `remove, after a final dump of its database; its data is kept in ${removed}`)
      assert.is(kept.length, 3)
      assert.is(host.read(`${removed}/${kept[1]}/app=data/db`), 'mine')
      assert.match(output, `its data is kept in ${removed}/${kept[1]}`)
    }
    const reading = remove(true).reads.find(({ key }) => key === 'kept-data:hello')
    assert.is(reading && (await host.reads(reading)), !purge)
  })

test('what was kept of a bot that is gone goes by --purge alone', () => {
  const gone = { 'allocations:bots': {}, 'kept-data:hello': true }
  assert.equal(planOf([remove(false)], gone), [])
  assert.equal(planOf([remove(true)], gone), ['bot:hello: remove with all its data'])
})

test('a last dump that does not read keeps the database', async () => {
  const host = withBots()
  host.note('docker', `case "$*" in *pg_dump*) echo half; exit 0 ;; esac\n`)
  const { code } = await made(host, remove(), there)
  assert.is(code, 1)
  assert.not.match(host.noted('sql'), 'drop database')
  assert.equal(
    host.list('/var/lib/botgarden/removed').filter((name) => name.endsWith('.dump')),
    [],
  )
  assert.ok(host.there(`${folder}/token`) && host.there(`${state}/hello/current.json`))
})

test('a bot without a database, a token or a way in is removed as well', async () => {
  const host = withBots()
  host.note('answer', `case "$(cat)" in *'count(*)'*) echo 0 ;; esac\n`)
  await host.run(`rm /opt/botgarden/nginx/conf/bots/hello.conf ${folder}/token; rm -r ${state}/hello`)
  host.write('/var/lib/botgarden/allocations', 'hello 1\n')
  const { code, output, calls } = await made(host, remove(), there)
  assert.is(code, 0, output)
  assert.is(host.read('/var/lib/botgarden/allocations'), '')
  assert.not.ok(host.there('/var/lib/botgarden/removed'))
  assert.equal(
    calls.filter((call) => /curl|nginx -t|warning/.test(call + output)),
    [],
  )
})

test('Telegram out of reach is told, and the bot goes', async () => {
  const host = withBots()
  host.note('telegram/deleteWebhook', 'curl: (6) no such host')
  const { code, output } = await made(host, remove(), there)
  assert.is(code, 0)
  assert.match(output, 'warning: Telegram does not answer: its webhook may still point to this host')
})

test('what is gone is not removed again, and whatever is left of it is', () => {
  const nothing = { 'allocations:bots': { hello2: 2 } }
  assert.equal(planOf([remove()], nothing), [])
  for (const rest of [
    { 'allocations:bots': { hello: 1 } },
    { 'network:botgarden-hello': { subnet: '10.210.1.0/24', number: 1 } },
    { 'container:botgarden-hello-blue': { status: 'exited' } },
    { 'container:botgarden-hello-green': { status: 'exited' } },
    { 'text:/var/lib/botgarden/bots/hello/current.json': '{}' },
  ])
    assert.equal(planOf([remove()], { ...nothing, ...rest }), ['bot:hello: remove, after a final dump of its database'])
  assert.match(planOf([remove()], { ...nothing, 'data:hello': {} })[0] ?? '', 'its data is kept in')
})

test('what a container may take is changed while it runs', async () => {
  const release = { id: '1', colour: 'green', secrets: {}, by: 'me', spec: specOf('a:1', {}, {}) }
  const current = { 'text:/var/lib/botgarden/bots/hello/current.json': JSON.stringify(release) }
  const running = { status: 'running', health: '', config: '', restart: 'always', memoryMB: 160, cpus: 0.5 }
  const resource = limits('hello', () => ({ memoryMB: 200, cpus: 0.25 }))
  const host = scratchHost()
  const wrong = { ...current, 'container:botgarden-hello-green': running }
  const { calls, summary } = await made(host, resource, wrong)
  assert.is(summary, 'memory 160 → 200 MiB, cpus 0.5 → 0.25')
  assert.equal(calls, ['docker update --memory 200m --memory-swap 200m --cpus 0.25 botgarden-hello-green'])
  for (const [more, changes] of [
    [{ memoryMB: 200, cpus: 0.25 }, 0],
    [{ memoryMB: 200 }, 1],
    [{ cpus: 0.25 }, 1],
  ] as const)
    assert.is(
      planOf([resource], { ...current, 'container:botgarden-hello-green': { ...running, ...more } }).length,
      changes,
    )
  assert.equal(planOf([resource], { ...current, 'container:botgarden-hello-blue': running }), [])
  assert.equal(planOf([resource], { 'container:botgarden-hello-green': running }), [])
})

test('limits are one change a bot, named by it, and known to be done when it is', () => {
  const release = { id: '1', colour: 'blue', secrets: {}, by: 'me', spec: specOf('a:1', {}, {}) }
  const running = { status: 'running', health: '', config: 'x', restart: 'always', memoryMB: 160, cpus: 0.5 }
  const resource = limits('hello', () => ({ memoryMB: 200, cpus: 0.5 }))
  const state = {
    'text:/var/lib/botgarden/bots/hello/current.json': JSON.stringify(release),
    'container:botgarden-hello-blue': running,
    'container:botgarden-hello-green': running,
  }
  assert.equal(
    [resource.id, planOf([resource], state)],
    ['limits:hello', ['limits:hello: memory 160 → 200 MiB, cpus 0.5 → 0.5']],
  )
  const [change] = changesOf([resource], state)
  assert.equal(
    (change?.predicts ?? []).map((each) => [
      each.key,
      'after' in each && each.after(running, () => undefined as never),
    ]),
    [['container:botgarden-hello-blue', { ...running, memoryMB: 200 }]],
  )
})

test('a file’s reading and the script that writes it agree', async () => {
  const host = scratchHost()
  host.folder(folder)
  await made(host, operatorSecret(folder, '20001', 'hello', 'KEY', new Secret('value-of-it')), {})
  const state = await host.reads(fileState(`${folder}/KEY`))
  assert.equal(state !== 'absent' && [state.mode, state.sha256], ['0400', sha256('value-of-it')])
})

test.run()
