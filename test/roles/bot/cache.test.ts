// The cache of a bot: what a plan says of it, what its host gets, and who learns its password.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { cacheConfiguration } from '../../../roles/bot/cache/configuration.ts'
import { noCache } from '../../../roles/bot/cache/index.ts'
import { cacheServer } from '../../../roles/bot/cache/server.ts'
import { conflictsIn } from '../../../roles/bot/spec/conflicts.ts'
import { botManifestSchema } from '../../../roles/bot/spec/schema.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { deployment, plan, resourcesOf, served, spec } from '../../support/hello-bot.ts'
import { changesOf, contentOf, idsOf, planOf, stateAfter } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const valkey = { server: 'valkey', memoryMB: 32 } as const
const cached = (more: Partial<Spec> = {}): Partial<Spec> => ({ cache: valkey, ...more })
const running = { status: 'running', health: 'healthy', config: 'x', restart: 'always', memoryMB: 32, cpus: 0.5 }
const compose = (cache: Parameters<typeof cacheServer>[3]) =>
  contentOf(cacheServer('hello-bot', '10.210', 3, cache), '/cache/compose.yaml')

test('a cache is a word, or a mapping with what is other than usual', () => {
  const of = (cache: never) => specOf('x:1', {}, { cache }).cache
  assert.equal(of('valkey' as never), valkey)
  assert.equal(of('redis' as never), { server: 'redis', memoryMB: 32 })
  assert.equal(of({ server: 'valkey', memory: '1g', persist: true } as never), {
    server: 'valkey',
    memoryMB: 1024,
    persist: true,
  })
  assert.equal(of({ server: 'valkey', persist: false } as never), valkey)
  assert.not('cache' in specOf('x:1', {}, {}))
  for (const cache of ['memcached', true, { server: 'x' }, { memory: '32' }, { persist: 'yes' }, { port: 1 }])
    assert.not(v.is(botManifestSchema, { cache }), JSON.stringify(cache))
})

test('its address is a variable where a bot asks for it, and an error where it has none', () => {
  const asked = { environment: { REDIS_URL: '${cache.url}' } }
  assert.equal(conflictsIn(specOf('x:1', {}, { ...asked, cache: 'valkey' })), [])
  assert.equal(conflictsIn(specOf('x:1', {}, asked)), [
    'environment.REDIS_URL: ${cache.url} has no value, since the bot has no "cache:"',
  ])
  assert.equal(specOf('x:1', {}, { secrets: 'env', cache: 'valkey' }).references?.REDIS_URL, '${cache.url}')
  assert.is(specOf('x:1', {}, { secrets: 'env' }).references?.REDIS_URL, undefined)
})

test('it runs before its bot does, of an image that only such a bot pulls', () => {
  const lines = plan(deployment(cached()))
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start))
  const order = [
    'image:valkey/valkey:8.1.11: pull',
    'secret:/etc/botgarden/secrets/bots/hello-bot/cache-password: generate',
    'cache-config:hello-bot: create',
    'file:/opt/botgarden/bots/hello-bot/cache/compose.yaml: create',
    'container:botgarden-hello-bot-cache: create',
    'release:hello-bot: ',
  ].map(at)
  assert.ok(
    order.every((each) => each >= 0) && order.toSorted((a, b) => a - b).join() === order.join(),
    lines.join('\n'),
  )
  const none = plan(deployment())
  assert.equal(
    none.filter((line) => /cache|valkey|redis/.test(line)),
    [],
  )
  assert.ok(
    plan(deployment({ cache: { server: 'redis', memoryMB: 32 } })).some((line) => line.startsWith('image:redis:')),
  )
})

test('site.ts keeps the cache of the release, with the same resources whatever that is', () => {
  const ids = idsOf(resourcesOf(undefined))
  const state = (more: Partial<Spec>) => ({ ...served(more), 'kept-secrets:hello-bot': { token: 1 } })
  for (const more of [{}, cached(), { cache: { server: 'redis', memoryMB: 64, persist: true } as const }]) {
    assert.equal(idsOf(resourcesOf(undefined)), ids)
    const lines = plan(undefined, state(more))
    assert.is(lines.includes('container:botgarden-hello-bot-cache: create'), 'cache' in more)
  }
})

test('a version without a cache has it removed when that serves, and its password with it', async () => {
  const there = { ...served(cached()), 'container:botgarden-hello-bot-cache': running }
  const lines = plan(deployment({ port: 4000 }), there)
  const [release, removed] = ['release:', 'cache:hello-bot: remove'].map((start) =>
    lines.findIndex((line) => line.startsWith(start)),
  )
  assert.ok((release ?? -1) >= 0 && (removed ?? -1) > (release ?? 0), lines.join('\n'))
  assert.not(
    plan(undefined, { ...there, 'kept-secrets:hello-bot': { token: 1 } }).some((line) =>
      line.startsWith('cache:hello-bot'),
    ),
  )
  assert.ok(
    plan(undefined, { ...there, ...served(), 'kept-secrets:hello-bot': { token: 1 } }).includes(
      'cache:hello-bot: remove',
    ),
  )
})

test('its memory counts where it is new', () => {
  const free = (memoryMB: number, totalMB = 2000) => ({ 'free-capacity:host': { totalMB, memoryMB, diskMB: 9000 } })
  const large = { cache: { server: 'valkey', memoryMB: 256 } as const }
  assert.throws(
    () => plan(deployment(large), free(300)),
    /bot hello-bot with its cache may use 416 MiB of memory, and only 300 MiB are free/,
  )
  assert.ok(plan(deployment(large), free(336)))
  assert.throws(() => plan(deployment(large), free(400, 400)), /has 400 MiB in total/)
  assert.ok(plan(deployment({ ...large, port: 4000 }), { ...served(large), ...free(80) }))
})

test('it is as shut in as a bot, and nothing but the bot’s network has it', () => {
  const text = compose(valkey)
  for (const line of [
    'read_only: true',
    'cap_drop:\n      - ALL',
    'no-new-privileges:true',
    'user: 20003:20003',
    'ipv4_address: 10.210.3.4',
    'aliases:\n          - redis\n          - cache',
    'mem_limit: 32m',
    'memswap_limit: 32m',
    'tmpfs:\n      - /data:',
    'source: /etc/botgarden/secrets/bots/hello-bot/cache\n        target: /run/secrets\n        read_only: true',
    '- valkey-server\n      - /run/secrets/server.conf',
    'restart: always',
  ])
    assert.match(text, line)
  assert.not.match(text, /ports:|botgarden\.bot|environment:/)
  const kept = compose({ ...valkey, persist: true })
  assert.match(kept, 'source: /var/lib/botgarden/data/hello-bot/cache\n        target: /data\n        read_only: false')
  assert.not.match(kept, 'tmpfs')
  assert.match(compose({ server: 'redis', memoryMB: 32 }), 'redis-cli ping')
})

const folder = '/etc/botgarden/secrets/bots/hello-bot'
const conf = `${folder}/cache/server.conf`

test('its password is in its configuration and in no argument; a changed one restarts it', async () => {
  const host = scratchHost()
  host.write(`${folder}/cache-password`, 'the-password')
  host.folder(`${folder}/cache`)
  const resource = cacheConfiguration('hello-bot', '0', valkey)
  const [, said] = resource.reads
  const state = async () => (said === undefined ? undefined : await host.reads(said))
  assert.is(await state(), undefined)
  const [create] = changesOf([resource], {})
  const { code, output, calls } = await host.run(create?.script ?? '')
  assert.is(code, 0, output)
  assert.is(
    host.read(conf),
    'requirepass the-password\nmaxmemory 24mb\nmaxmemory-policy noeviction\nsave ""\nappendonly no\ndir /data\nport 6379\n',
  )
  assert.is(host.mode(conf), '400')
  assert.not(calls.some((call) => call.includes('the-password') || call.startsWith('docker restart')))
  assert.not.match(String(await state()), 'the-password')
  const file = { type: 'file', mode: '0400', owner: '0', group: '0' }
  const after = async () => planOf([resource], { [`file:${conf}`]: file, 'cache-config:hello-bot': await state() })
  assert.equal(await after(), [])
  // A password that was made anew, a file that was edited.
  host.container('botgarden-hello-bot-cache')
  host.write(`${folder}/cache-password`, 'another')
  assert.equal(await after(), ['cache-config:hello-bot: content'])
  const [change] = changesOf([resource], { 'cache-config:hello-bot': await state(), [`file:${conf}`]: file })
  assert.ok((await host.run(change?.script ?? '')).calls.includes('docker restart botgarden-hello-bot-cache'))
  assert.equal(await after(), [])
  host.write(conf, `${host.read(conf)}rename-command CONFIG ""\n`, 0o400)
  assert.equal(await after(), ['cache-config:hello-bot: content'])
  const persisting = cacheConfiguration('hello-bot', '0', { ...valkey, persist: true })
  assert.match(String((persisting.wants as string[]).join()), /maxmemory 16mb,.*appendonly yes/)
})

test('no bot with a cache costs no process', async () => {
  const host = scratchHost()
  const [, said] = cacheConfiguration('hello-bot', '0', valkey).reads
  assert.equal((await host.run(said?.kind.script(['a', 'b']) ?? '')).calls, [])
})

test('a release of before caches is read, and so is one with a cache', () => {
  assert.not('cache' in spec)
  assert.ok(plan(undefined, { ...served(cached()), 'kept-secrets:hello-bot': { token: 1 } }).length > 0)
})

test('a cache that the release has no more is removed, and nothing else is', async () => {
  const container = 'container:botgarden-hello-bot-cache'
  const state = (more: Partial<Spec>, there: unknown) => ({ ...served(more), [container]: there })
  const removed = (given: Record<string, unknown>) => planOf([noCache('hello-bot', undefined)], given)
  assert.equal(removed(state({}, running)), ['cache:hello-bot: remove'])
  assert.equal(removed(state({}, 'absent')), [])
  assert.equal(removed(state(cached(), running)), [])
  // What its release says is not known.
  assert.equal(removed({ [container]: running }), [])
  const host = scratchHost()
  host.container('botgarden-hello-bot-cache')
  const kept = ['/opt/botgarden/bots/hello-bot/compose.yaml', '/etc/botgarden/secrets/bots/hello-bot/token']
  const gone = [
    '/opt/botgarden/bots/hello-bot/cache/x',
    '/etc/botgarden/secrets/bots/hello-bot/cache/x',
    '/etc/botgarden/secrets/bots/hello-bot/cache-password',
  ]
  for (const path of [...kept, ...gone]) host.write(path, '')
  const [change] = changesOf([noCache('hello-bot', undefined)], state({}, running))
  assert.is((await host.run(change?.script ?? '')).code, 0)
  assert.equal([host.containers(), [...kept, ...gone].filter(host.there)], [[], kept])
  assert.is(stateAfter([noCache('hello-bot', undefined)], state({}, running))[container], 'absent')
})

test.run()
