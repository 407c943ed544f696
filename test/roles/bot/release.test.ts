// What is planned for one bot's release: when, in which words, and what is refused.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { outputsOf } from '../../../lib/engine/plan.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import type { ReleasePolicy } from '../../../roles/bot/release/policy.ts'
import { release as releasing } from '../../../roles/bot/release/resource.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { changesOf, planOf, stateOf } from '../../support/plan-of.ts'
import { limits, place, policy } from '../../support/release-policy.ts'

const spec = specOf('botgarden/hello:abc', {}, { health: '/readyz', migrate: ['m'] })
const instance = {
  bot: 'hello',
  number: 3,
  ...place,
}
const served: Release = { id: '1', spec, colour: 'blue', secrets: { token: 'sum' }, by: 'me' }
const serving = (more: object = {}) => {
  const { checksum } = serviceFile(instance, 'blue', spec, limits)
  return {
    'container:botgarden-hello-blue': {
      status: 'running',
      health: '',
      config: checksum,
      restart: 'always',
      ...limits,
      ...more,
    },
  }
}
const base = {
  'allocations:bots': { hello: 3 },
  'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  'image:botgarden/hello:abc': { volumes: [] },
  'kept-secrets:hello': { token: 0 },
  'file:/etc/botgarden/secrets/bots/hello/token': { type: 'file', sha256: 'sum' },
}
const current = (release: Release | undefined) => ({
  'text:/var/lib/botgarden/bots/hello/current.json': release && JSON.stringify(release),
})
const plan = (target: Spec | undefined, state: Record<string, unknown>, more: Partial<ReleasePolicy> = {}) =>
  planOf([releasing(instance, target, { ...policy, ...more })], { ...base, ...state })

for (const [what, target, release, state, line] of [
  ['nothing where nothing was ever released', undefined, undefined, {}, undefined],
  ['a first release', spec, undefined, {}, 'release botgarden/hello:abc'],
  ['nothing for the same', spec, served, serving(), undefined],
  [
    'another port and mode',
    { ...spec, port: 9, mode: 'polling' as const },
    served,
    serving(),
    'release botgarden/hello:abc: mode, port',
  ],
  [
    'a rotated secret',
    spec,
    { ...served, secrets: { token: 'old' } },
    serving(),
    'release botgarden/hello:abc: secret token',
  ],
  ['nothing of that without a target', undefined, { ...served, secrets: { token: 'old' } }, serving(), undefined],
  ['one that is gone', undefined, served, {}, 'restart, since its container is gone'],
  ['one that is exited', undefined, served, serving({ status: 'exited' }), 'restart, since its container is exited'],
  [
    'another one in its place',
    spec,
    served,
    serving({ config: 'x' }),
    'restart, since its container differs from its release',
  ],
  ['one that no boot starts', spec, served, serving({ restart: 'unless-stopped' }), 'set the restart policy to always'],
  [
    'a leftover',
    undefined,
    served,
    { ...serving(), 'container:botgarden-hello-green': { status: 'exited' } },
    'clean up after an interrupted release',
  ],
] as const)
  test(`plans ${what}`, () =>
    assert.equal(plan(target, { ...state, ...current(release) }), line === undefined ? [] : [`release:hello: ${line}`]))

for (const [what, state, target, pattern] of [
  ['no number', { 'allocations:bots': {} }, spec, /^bot hello has no allocation on this host$/],
  ['no image', { 'image:botgarden/hello:abc': 'absent' }, spec, /^the image botgarden\/hello:abc is not on this host$/],
  [
    'a host that is too small',
    { 'free-capacity:host': { totalMB: 159, memoryMB: 159, diskMB: 9000 } },
    spec,
    /^bot hello may use 160 MiB of memory, and this host has 159 MiB in total: lower its "memory:"$/,
  ],
  [
    'too little memory',
    { 'free-capacity:host': { totalMB: 2000, memoryMB: 79, diskMB: 9000 } },
    spec,
    /^bot hello may use 160 MiB of memory, and only 79 MiB are free: lower its "memory:", or add memory to the host$/,
  ],
  [
    'too little disk',
    { 'free-capacity:host': { totalMB: 2000, memoryMB: 80, diskMB: 299 } },
    spec,
    /^only 299 MiB of disk are free on this host: a release needs 300 MiB$/,
  ],
] as const)
  test(`refuses a release with ${what}`, () => assert.throws(() => plan(target, state), pattern))

test('just enough is enough, and of two that poll only one needs room', () => {
  const room = (totalMB: number, memoryMB: number, diskMB: number) => ({
    'free-capacity:host': { totalMB, memoryMB, diskMB },
  })
  assert.is(plan(spec, room(160, 80, 300)).length, 1)
  const polling = { ...spec, mode: 'polling' as const, port: 9 }
  assert.is(plan(polling, { ...room(2000, 0, 300), ...current(served), ...serving() }).length, 1)
  assert.throws(() => plan(polling, { ...room(2000, 0, 300), ...current(served) }), /only 0 MiB are free: lower/)
  assert.throws(
    () => plan({ ...spec, port: 9 }, { ...room(2000, 0, 300), ...current(served), ...serving() }),
    /are free beside the current version: lower/,
  )
})

test('a bot that crashes again and again is an output of every run', () => {
  const resources = [releasing(instance, undefined, policy)]
  const outputs = (more: object) =>
    outputsOf(resources, stateOf(resources, { ...base, ...current(served), ...serving(more) }))
  assert.equal(outputs({}), {})
  assert.equal(outputs({ restarts: 5, startedAt: Date.UTC(2026, 10, 26, 3) }), {
    'hello restarts':
      'it has ended by itself and was started again, 5 times, last at 2026-11-26T03:00:00.000Z: see npx zx playbooks/bot.ts --name hello --logs',
  })
  assert.match(Object.values(outputs({ restarts: 1 })).join(), /1 time: see/)
})

test('what a release leaves is what the next run wants to find', () => {
  const resources = [releasing(instance, spec, policy)]
  const [change] = changesOf(resources, base)
  assert.is(change?.long, true)
  assert.is(change?.diff?.(), 'nothing → botgarden/hello:abc')
  const after = Object.fromEntries(
    (change?.predicts ?? []).map((each) => [
      each.key,
      'after' in each ? each.after((base as Record<string, unknown>)[each.key], () => undefined as never) : undefined,
    ]),
  )
  assert.equal(plan(spec, { ...base, ...after }), [])
  const next = { ...spec, port: 9 }
  const [second] = changesOf([releasing(instance, next, policy)], { ...base, ...after })
  assert.is(second?.diff?.(), 'botgarden/hello:abc → botgarden/hello:abc')
  assert.equal((second?.predicts ?? []).map(({ key }) => key).sort(), [
    'container:botgarden-hello-blue',
    'container:botgarden-hello-green',
    'file:/opt/botgarden/nginx/conf/bots/hello.conf',
    'text:/opt/botgarden/nginx/conf/bots/hello.conf',
    'text:/var/lib/botgarden/bots/hello/current.json',
  ])
  const [polling] = changesOf([releasing(instance, { ...spec, mode: 'polling' }, policy)], base)
  const gone = polling?.predicts?.find(({ key }) => key === 'file:/opt/botgarden/nginx/conf/bots/hello.conf')
  assert.is(gone && 'after' in gone && gone.after('x', () => undefined as never), 'absent')
  assert.ok(polling?.predicts?.some(({ key }) => key.startsWith('webhook:hello ')))
})

test.run()
