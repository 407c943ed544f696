// The further containers of a bot: what bot.yaml says of them, how they are called and reached, and what is planned for them.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { outputsOf } from '../../../../lib/engine/plan.ts'
import { HostError } from '../../../../lib/std/errors.ts'
import { serviceFile } from '../../../../roles/bot/release/compose-file.ts'
import { limits as limitsResource } from '../../../../roles/bot/release/limits.ts'
import { processesFile } from '../../../../roles/bot/release/processes/compose-file.ts'
import { processOf, processStates } from '../../../../roles/bot/release/processes/states.ts'
import { pruneImages } from '../../../../roles/bot/release/prune-images.ts'
import { release as releasing } from '../../../../roles/bot/release/resource.ts'
import { conflictsIn } from '../../../../roles/bot/spec/conflicts.ts'
import { limitsOf } from '../../../../roles/bot/spec/limits.ts'
import { processAddress, processContainer } from '../../../../roles/bot/spec/processes.ts'
import { parseRelease, type Release } from '../../../../roles/bot/spec/release-record.ts'
import type { BotManifest } from '../../../../roles/bot/spec/schema.ts'
import { type Spec, specOf } from '../../../../roles/bot/spec/spec.ts'
import { planOf, stateOf } from '../../../support/plan-of.ts'
import { place, policy } from '../../../support/release-policy.ts'
import { scratchHost } from '../../../support/scratch-host.ts'

const manifest: BotManifest = {
  processes: {
    worker: { command: ['node', 'worker.js', '$HOME'], memory: '64m' },
    api: { target: 'api', port: 8080, health: '/up' },
    clock: { command: ['node', 'clock.js'], single: true },
  },
  environment: { API: '${process.api.url}/v1', KEY: '${secret.KEY}' },
}
const image = 'botgarden/hello:abc'
const images = { api: 'botgarden/hello.api:def' }
const spec = specOf(image, {}, manifest, undefined, images)
const limits = limitsOf({}, manifest)
const instance = { bot: 'hello', number: 3, ...place }
const containers = (colour: string) => ['api', 'clock', 'worker'].map((name) => `botgarden-hello.${name}-${colour}`)

test('a version has processes in the order of their names, with limits of their own', () => {
  assert.equal(Object.keys(spec.processes ?? {}), ['api', 'clock', 'worker'])
  assert.equal(spec.processes?.api, { image: images.api, port: 8080, health: '/up' })
  assert.equal(spec.processes?.clock, { image, command: ['node', 'clock.js'], single: true })
  assert.equal(limits.processes?.worker, { memoryMB: 64, cpus: 0.5 })
  assert.equal(limits.processes?.api, { memoryMB: 160, cpus: 0.5 })
  // Each has a pool of its own.
  assert.is(spec.connections, 16)
  assert.is(specOf(image, { database: { connections: 7 } }, manifest).connections, 7)
  assert.is(specOf(image, {}, { ...manifest, database: false }).connections, undefined)
})

test('a bot without processes is as it was', () => {
  const plain = specOf(image, {}, {})
  assert.not('processes' in plain)
  assert.not('connections' in plain)
  assert.not('processes' in limitsOf({}, {}))
  assert.is(processesFile(instance, 'blue', plain, limits), undefined)
})

test('the inventory overrides single keys of a process, and a record keeps its limits', () => {
  const settings = { processes: { worker: { memory: '1g', cpus: 2 } } }
  const both = specOf(image, settings, manifest, undefined, images)
  assert.equal(both.processes, spec.processes)
  assert.equal(limitsOf(settings, manifest).processes?.worker, { memoryMB: 1024, cpus: 2 })
  assert.equal(limitsOf({}, {}, limits).processes, limits.processes)
  assert.equal(limitsOf(settings, {}, limits).processes?.worker, { memoryMB: 1024, cpus: 2 })
})

test('names and addresses are those of no other bot, and of no other colour', () => {
  assert.is(processContainer('shop', 'api', 'blue'), 'botgarden-shop.api-blue')
  assert.equal(processOf('shop', 'botgarden-shop.api-blue'), { name: 'api', colour: 'blue' })
  assert.equal(processOf('shop', 'botgarden-shop.api-blue-green'), { name: 'api-blue', colour: 'green' })
  for (const other of [
    'botgarden-shop-api-blue',
    'botgarden-shop-blue',
    'botgarden-shopx.api-blue',
    'botgarden-shop.api',
  ])
    assert.is(processOf('shop', other), undefined, other)
  const addresses = (['blue', 'green'] as const).flatMap((colour) =>
    ['api', 'clock', 'worker'].map((name) => processAddress(instance, spec, name, colour)),
  )
  assert.equal(
    addresses,
    [16, 18, 20, 17, 19, 21].map((last) => `10.210.3.${last}`),
  )
})

test('a process has what its bot has, but for its command, its image and its address', () => {
  const file = processesFile(instance, 'blue', spec, limits)
  const { name, services } = parse(file?.text ?? '')
  assert.is(name, 'botgarden-hello_processes-blue')
  assert.equal(Object.keys(services), ['api', 'clock', 'worker'])
  const bot = parse(serviceFile(instance, 'blue', spec, limits).text).services['botgarden-hello-blue']
  const { container_name, command, networks, labels, mem_limit, memswap_limit, ...others } = services.worker
  assert.equal(
    { container_name, command },
    { container_name: 'botgarden-hello.worker-blue', command: ['node', 'worker.js', '$$HOME'] },
  )
  assert.equal(
    { networks, mem_limit, memswap_limit },
    { networks: { bot: { ipv4_address: '10.210.3.20' } }, mem_limit: '64m', memswap_limit: '64m' },
  )
  assert.equal(Object.keys(labels), ['botgarden.bot', 'botgarden.process', 'botgarden.config'])
  for (const [key, value] of Object.entries(others)) assert.equal(value, bot[key], key)
  assert.is(others.environment.API, 'http://10.210.3.16:8080/v1')
  assert.is(services.api.image, images.api)
  assert.is(services.api.environment.PORT, '8080')
  const api = file?.services.find((each) => each.name === 'api')
  assert.is(api?.url, 'http://10.210.3.16:8080/up')
})

test('limits are no part of what a process is made from; everything else is', () => {
  const sums = (of: Spec, memory = limits) =>
    processesFile(instance, 'blue', of, memory)?.services.map((each) => each.checksum)
  assert.equal(sums(spec, { ...limits, processes: {} }), sums(spec))
  const other = { ...spec, processes: { ...spec.processes, clock: { image, command: ['x'] } } }
  assert.equal(
    sums(other)?.map((each, i) => each === sums(spec)?.[i]),
    [true, false, true],
  )
})

for (const [keys, said] of [
  [
    { processes: { api: { target: 'x', health: '/up' } } },
    'processes.api.health: is asked for at its port: set "port:"',
  ],
  [{ processes: { api: { port: 80 } } }, 'processes.api: would be a second container of the bot itself'],
  [{ environment: { A: '${process.aip.url}' } }, 'the bot has no process aip (did you mean "api"?)'],
  [{ environment: { A: '${process.worker.url}' } }, 'the process worker has no "port:"'],
  [
    { database: { tcp: true }, processes: { a: { command: ['a'] } } },
    'processes: the network of "database: { tcp: true }" has room for 3, found 4',
  ],
] as readonly (readonly [BotManifest, string])[])
  test(`refused: ${said}`, () => {
    const processes = { ...manifest.processes, ...keys.processes }
    const found = conflictsIn(
      specOf(image, {}, { ...manifest, ...keys, processes }, undefined, keys.processes?.api ? {} : images),
    )
    assert.ok(
      found.some((each) => each.includes(said)),
      found.join('\n'),
    )
  })

const served: Release = { id: '1', spec, colour: 'blue', secrets: { token: 'sum', KEY: 'key' }, by: 'me', limits }
const checksums = Object.fromEntries(
  (processesFile(instance, 'blue', spec, limits)?.services ?? []).map((each) => [each.container, each.checksum]),
)
const running = (config = '', more: object = {}) => ({
  status: 'running',
  health: '',
  config,
  restart: 'always',
  memoryMB: 160,
  cpus: 0.5,
  ...more,
})
const there = Object.fromEntries(
  containers('blue').map((name) => [name, running(checksums[name], name.includes('worker') ? { memoryMB: 64 } : {})]),
)
const base = {
  'allocations:bots': { hello: 3 },
  'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  [`image:${image}`]: { volumes: [] },
  [`image:${images.api}`]: { volumes: [] },
  'kept-secrets:hello': { token: 0, KEY: 0 },
  'file:/etc/botgarden/secrets/bots/hello/token': { type: 'file', sha256: 'sum' },
  'file:/etc/botgarden/secrets/bots/hello/KEY': { type: 'file', sha256: 'key' },
  'text:/var/lib/botgarden/bots/hello/current.json': JSON.stringify(served),
  'container:botgarden-hello-blue': running(serviceFile(instance, 'blue', spec, limits).checksum),
  'process-containers:hello': there,
}
const resource = (target: Spec | undefined) => releasing(instance, target, { ...policy, limits: () => limits })
const plan = (state: object, target?: Spec) => planOf([resource(target)], { ...base, ...state })
const with_ = (name: string, state: object | undefined) => ({
  'process-containers:hello': { ...there, ...(state && { [name]: state }) },
})

test('a record with processes is read as it was written', () => {
  assert.equal(parseRelease(JSON.stringify(served)), JSON.parse(JSON.stringify(served)))
  assert.is(parseRelease(JSON.stringify({ ...served, spec: { ...spec, processes: { a: {} } } })), undefined)
})

const worker = 'botgarden-hello.worker-blue'
const { [worker]: _, ...withoutWorker } = there
for (const [what, state, line] of [
  ['nothing where all run', {}, undefined],
  [
    'one that is gone',
    { 'process-containers:hello': withoutWorker },
    'restart the process worker, since its container is gone',
  ],
  [
    'all that are gone',
    { 'process-containers:hello': undefined },
    /process api, since .* gone; restart the process clock/,
  ],
  [
    'one that is stopped',
    with_(worker, running(checksums[worker], { status: 'exited' })),
    'restart the process worker, since its container is exited',
  ],
  [
    'another in its place',
    with_(worker, running('x')),
    'restart the process worker, since its container differs from its release',
  ],
  [
    'one off its network',
    with_(worker, running(checksums[worker], { networks: {} })),
    'restart the process worker, since it is not on the network botgarden-hello',
  ],
  [
    'one that no boot starts',
    with_(worker, running(checksums[worker], { restart: 'no' })),
    'set the restart policy of its processes to always',
  ],
  [
    'one of another colour',
    with_('botgarden-hello.worker-green', running()),
    'remove what is no process of its release: botgarden-hello.worker-green',
  ],
  [
    'one of no name',
    with_('botgarden-hello.old-blue', running()),
    'remove what is no process of its release: botgarden-hello.old-blue',
  ],
] as readonly (readonly [string, object, string | RegExp | undefined])[])
  test(`${what}, in a plan without and with a target`, () => {
    for (const target of [undefined, spec]) {
      const lines = plan(state, target)
      if (line === undefined) assert.equal(lines, [])
      else {
        assert.is(lines.length, 1)
        assert.match(lines[0] ?? '', line)
      }
    }
  })

test('a bot that needs a restart and its process that needs one are two changes', () => {
  const lines = plan({ 'container:botgarden-hello-blue': 'absent', 'process-containers:hello': withoutWorker })
  assert.equal(lines.length, 2)
})

test('limits of a process are changed alone', () => {
  const wanted = { ...limits, processes: { ...limits.processes, worker: { memoryMB: 100, cpus: 0.5 } } }
  assert.equal(planOf([limitsResource('hello', () => limits)], base), [])
  assert.match(planOf([limitsResource('hello', () => wanted)], base).join(), 'worker: memory 64 → 100 MiB')
})

test('a process that is down or has ended by itself is told', () => {
  const outputs = (states: object) =>
    outputsOf([resource(undefined)], stateOf([resource(undefined)], { ...base, 'process-containers:hello': states }))
  assert.equal(outputs(there), {})
  assert.match(String(outputs(withoutWorker)['hello.worker is down']), 'its container is gone')
  assert.match(
    String(outputs({ ...there, [worker]: running('', { restarts: 3 }) })['hello.worker restarts']),
    '3 times',
  )
})

test('all processes count where a host has little memory', () => {
  const free = { 'free-capacity:host': { totalMB: 2000, memoryMB: 250, diskMB: 9000 } }
  const next = { ...spec, port: 9 }
  // The bot, api and worker start beside the old ones; the old clock stops first.
  assert.throws(
    () => plan({ 'free-capacity:host': { totalMB: 2000, memoryMB: 191, diskMB: 9000 } }, next),
    (error: Error) => error instanceof HostError && /bot hello with its processes may use 544 MiB/.test(error.message),
  )
  assert.is(plan(free, next).length, 1)
  assert.throws(() => plan({ 'free-capacity:host': { totalMB: 500, memoryMB: 400, diskMB: 9000 } }, next), /in total/)
})

test('an image of a process that is not there, or has volumes, is refused like that of its bot', () => {
  const next = { ...spec, port: 9 }
  assert.throws(
    () => plan({ [`image:${images.api}`]: 'absent' }, next),
    /botgarden\/hello\.api:def is not on this host/,
  )
  assert.throws(() => plan({ [`image:${images.api}`]: { volumes: ['/x'] } }, next), /declares volumes/)
})

test('a host without processes asks Docker nothing for them', async () => {
  const host = scratchHost()
  host.write(
    '/var/lib/botgarden/bots/hello/current.json',
    `${JSON.stringify({ ...served, spec: specOf(image, {}, {}), limits: undefined })}\n`,
  )
  const { kind } = processStates('hello')
  const asked = async () => (await host.run(kind.script(['hello', 'other']))).calls
  assert.equal(await asked(), [])
  host.write('/var/lib/botgarden/bots/other/processes', '')
  assert.ok((await asked()).some((call) => call.startsWith('docker ps ')))
  host.write('/var/lib/botgarden/bots/hello/current.json', `${JSON.stringify(served)}\n`)
  assert.ok((await asked()).some((call) => call.startsWith('docker ps ')))
})

test('of each process as many images are kept as of its bot', async () => {
  const host = scratchHost()
  host.write('/var/lib/botgarden/bots/hello/releases', '')
  const built = ['hello:1', 'hello:2', 'hello:3', 'hello.api:1', 'hello.api:2', 'hello.api:3'].map(
    (each) => `botgarden/${each}`,
  )
  host.note('built', `${built.join('\n')}\n`)
  for (const each of built) host.note(`images/${each.replace('/', '_')}`, '')
  const { code, calls, output } = await host.run(
    pruneImages('hello', ['botgarden/hello:1', 'botgarden/hello.api:1'], 1),
  )
  assert.is(code, 0, output)
  assert.equal(
    calls.filter((call) => call.startsWith('docker image rm')),
    ['docker image rm botgarden/hello:3', 'docker image rm botgarden/hello.api:3'],
  )
})

test.run()
