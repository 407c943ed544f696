// What is planned for one bot's release: when, in which words, and what is refused.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import type { ReleasePolicy } from '../../../roles/bot/release/policy.ts'
import { release as releasing } from '../../../roles/bot/release/resource.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { changesOf, planOf } from '../../support/plan-of.ts'

const spec = specOf('botgarden/hello:abc', {}, { health: '/readyz', migrate: ['m'] })
const seat = { bot: 'hello', number: 3, base: '10.210', telegram: 'https://api.telegram.org' }
const limits = { memoryMB: 160, cpus: 0.5 }
const served: Release = { id: '1', spec, colour: 'blue', secrets: { token: 'sum' }, by: 'me' }
const serving = (more: object = {}) => {
  const { checksum } = serviceFile(seat, 'blue', spec, limits)
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
  'room:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  'image:botgarden/hello:abc': { volumes: [] },
  'kept-secrets:hello': { token: 0 },
  'file:/etc/botgarden/secrets/bots/hello/token': { type: 'file', sha256: 'sum' },
}
const current = (release: Release | undefined) => ({
  'text:/var/lib/botgarden/bots/hello/current.json': release && JSON.stringify(release),
})
const terms: ReleasePolicy = {
  ...{ limits: () => limits, settle: 2, drain: 3, keep: 1, by: 'me', migrates: true },
  hook: {
    bot: 'hello',
    url: 'https://b.example.org/tg/hello',
    name: 'b.example.org',
    telegram: seat.telegram,
    ask: true,
  },
}
const plan = (target: Spec | undefined, state: Record<string, unknown>, more: Partial<ReleasePolicy> = {}) =>
  planOf([releasing(seat, target, { ...terms, ...more })], { ...base, ...state })

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
  ['one that is gone', undefined, served, {}, 'start again, since it is gone'],
  ['one that is exited', undefined, served, serving({ status: 'exited' }), 'start again, since it is exited'],
  [
    'another one in its place',
    spec,
    served,
    serving({ config: 'x' }),
    'start again, since it is not as its release says',
  ],
  ['one that no boot starts', spec, served, serving({ restart: 'unless-stopped' }), 'have every boot start it'],
  [
    'a leftover',
    undefined,
    served,
    { ...serving(), 'container:botgarden-hello-green': { status: 'exited' } },
    'finish what a cut release left',
  ],
] as const)
  test(`plans ${what}`, () =>
    assert.equal(plan(target, { ...state, ...current(release) }), line === undefined ? [] : [`release:hello: ${line}`]))

for (const [what, state, target, pattern] of [
  ['no number', { 'allocations:bots': {} }, spec, /^bot hello has no number on this host$/],
  [
    'no image',
    { 'image:botgarden/hello:abc': 'absent' },
    spec,
    /^there is no image botgarden\/hello:abc on this host$/,
  ],
  [
    'a host that is too small',
    { 'room:host': { totalMB: 159, memoryMB: 159, diskMB: 9000 } },
    spec,
    /^bot hello may take 160 MB, and this host has 159 MB in all: give it less \(memory\)$/,
  ],
  [
    'too little memory',
    { 'room:host': { totalMB: 2000, memoryMB: 79, diskMB: 9000 } },
    spec,
    /^bot hello may take 160 MB, and 79 MB are free: give it less \(memory\), or the host more$/,
  ],
  [
    'too little disk',
    { 'room:host': { totalMB: 2000, memoryMB: 80, diskMB: 299 } },
    spec,
    /^299 MB of disk are free on this host, which is too little for a release$/,
  ],
] as const)
  test(`refuses a release with ${what}`, () => assert.throws(() => plan(target, state), pattern))

test('just enough is enough, and of two that poll only one needs room', () => {
  const room = (totalMB: number, memoryMB: number, diskMB: number) => ({ 'room:host': { totalMB, memoryMB, diskMB } })
  assert.is(plan(spec, room(160, 80, 300)).length, 1)
  const polling = { ...spec, mode: 'polling' as const, port: 9 }
  assert.is(plan(polling, { ...room(2000, 0, 300), ...current(served), ...serving() }).length, 1)
  assert.throws(() => plan(polling, { ...room(2000, 0, 300), ...current(served) }), /0 MB are free: give/)
  assert.throws(
    () => plan({ ...spec, port: 9 }, { ...room(2000, 0, 300), ...current(served), ...serving() }),
    /free beside the version that serves: give/,
  )
})

test('what a release leaves is what the next run wants to find', () => {
  const resources = [releasing(seat, spec, terms)]
  const [change] = changesOf(resources, base)
  assert.is(change?.long, true)
  assert.is(change?.diff?.(), 'nothing → botgarden/hello:abc')
  const after = Object.fromEntries(
    (change?.predicts ?? []).map((each) => [
      each.key,
      'after' in each ? each.after(undefined, () => undefined as never) : undefined,
    ]),
  )
  assert.equal(plan(spec, { ...base, ...after }), [])
  const next = { ...spec, port: 9 }
  const [second] = changesOf([releasing(seat, next, terms)], { ...base, ...after })
  assert.is(second?.diff?.(), 'botgarden/hello:abc → botgarden/hello:abc')
  assert.equal((second?.predicts ?? []).map(({ key }) => key).sort(), [
    'container:botgarden-hello-blue',
    'container:botgarden-hello-green',
    'file:/opt/botgarden/nginx/conf/bots/hello.conf',
    'text:/opt/botgarden/nginx/conf/bots/hello.conf',
    'text:/var/lib/botgarden/bots/hello/current.json',
  ])
  const [polling] = changesOf([releasing(seat, { ...spec, mode: 'polling' }, terms)], base)
  const gone = polling?.predicts?.find(({ key }) => key === 'file:/opt/botgarden/nginx/conf/bots/hello.conf')
  assert.is(gone && 'after' in gone && gone.after('x', () => undefined as never), 'absent')
  assert.ok(polling?.predicts?.some(({ key }) => key.startsWith('webhook:hello ')))
})

test.run()
