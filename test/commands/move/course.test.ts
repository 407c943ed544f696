import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { courseOf } from '../../../commands/move/course.ts'
import { obstaclesTo } from '../../../commands/move/obstacles.ts'
import { loginIn } from '../../../commands/move/pinned-images.ts'
import { mayGoBack } from '../../../commands/move/serve.ts'
import { parseSurvey, type Situation } from '../../../commands/move/survey.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { ConnectError } from '../../../lib/std/errors.ts'
import { type Place, parsePlace } from '../../../roles/bot/spec/place.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { thrown } from '../../support/errors.ts'
import { spec } from '../../support/hello-bot.ts'

const hostOf = (name: string) => ({ name, bots: [] }) as unknown as InventoryHost
const record: Release = { id: '20261124-120000-abc', spec, colour: 'blue', secrets: {}, by: 'ops@laptop' }
const place = (number: number, serves: string, from: string): Place => {
  return { number, serves, from, at: '2026-11-26T12:00:00.000Z' }
}
const at = (name: string, more: Partial<Situation> = {}): Situation => ({
  ...{
    host: hostOf(name),
    architecture: 'amd64',
    isReady: true,
    postgres: 18,
    isKnownThere: true,
    isStopped: false,
    past: [],
    runs: [],
  },
  ...{ databaseMiB: 10, dataMiB: 0, cacheMiB: 0, freeMiB: 9000, isSigned: true },
  ...more,
})
const away = (name: string) => ({ host: hostOf(name), error: new ConnectError(`${name}: cannot be reached`) })
const [one, two] = [hostOf('one'), hostOf('two')]
const refused = (target: InventoryHost, found: Parameters<typeof courseOf>[2]) =>
  thrown(() => courseOf('hello-bot', target, found))

test('a bot that serves elsewhere is moved, under a number that is higher than any before', () => {
  const course = courseOf('hello-bot', two, [
    at('one', { record, place: place(3, 'one', 'two') }),
    at('two', { place: place(4, 'one', 'two') }),
  ])
  assert.equal([course.kind, 'number' in course && course.number], ['move', 5])
  assert.is(courseOf('hello-bot', one, [at('one', { record }), at('two')]).kind, 'there')
})

test('where it serves already, the host that it was moved from is looked at once more: a run may have been cut there', () => {
  const left = at('one', { released: record, place: place(3, 'two', 'one') })
  const serves = at('two', { record, place: place(3, 'two', 'one') })
  const found = (others: Situation[]) => courseOf('hello-bot', two, others)
  assert.equal(found([left, serves]), { kind: 'there', from: left, to: serves })
  const back = at('one', { place: place(3, 'two', 'one') })
  assert.equal(found([back, serves]), { kind: 'there', from: undefined, to: serves })
})

test('the rename on the old host decides: before it the move begins anew, after it the other host is released', () => {
  const undecided = [at('one', { record, place: place(1, 'two', 'one') }), at('two', { place: place(1, 'two', 'one') })]
  assert.is(courseOf('hello-bot', two, undecided).kind, 'move')
  const decided = [
    at('one', { released: record, place: place(1, 'two', 'one') }),
    at('two', { place: place(1, 'two', 'one'), past: [record] }),
  ]
  assert.is(courseOf('hello-bot', two, decided).kind, 'finish')
  assert.is(
    courseOf('hello-bot', two, [away('one'), decided[1] as Situation]).kind,
    'finish',
    'the old host may be gone by now',
  )
})

test('what was decided and never released goes back, if the operator says so and the other host does not serve', () => {
  const from = at('one', { released: record, place: place(1, 'two', 'one') })
  const course = courseOf('hello-bot', one, [from, at('two', { place: place(1, 'two', 'one') })])
  assert.equal([course.kind, 'number' in course && course.number], ['back', 2])
  assert.instance(refused(one, [from, away('two')]), ConnectError)
  // It is lost for good, and out of the inventory.
  const alone = courseOf('hello-bot', one, [from, at('three')])
  assert.equal([alone.kind, 'from' in alone && alone.from, 'number' in alone && alone.number], ['back', undefined, 2])
})

test('a way back that was cut is gone to its end', () => {
  const given = at('two', { place: place(2, 'one', 'two') })
  const from = at('one', { released: record, place: place(1, 'two', 'one') })
  for (const target of [one, two]) {
    const course = courseOf('hello-bot', target, [from, given])
    assert.equal([course.kind, 'to' in course && course.to.host.name], ['back', 'one'])
  }
})

test('a host that has lost what was moved there is not begun with', () => {
  const from = at('one', { released: record, place: place(2, 'two', 'one') })
  assert.match(
    refused(two, [from, at('two', { place: place(1, 'one', 'two') })]).message,
    /has not what was moved there/,
  )
  assert.match(refused(two, [from, at('two')]).message, /--move-to one/)
})

test('what is not certain is refused', () => {
  assert.match(refused(two, [at('one', { record }), at('two', { record })]).message, /one and two both have a bot/)
  assert.match(refused(two, [at('one', { torn: 'it is empty' }), at('two')]).message, /cannot be read: it is empty/)
  assert.match(refused(two, [at('one'), at('two')]).message, /no host has a release/)
  assert.instance(refused(two, [away('one'), at('two')]), ConnectError)
  assert.instance(refused(two, [at('one', { record }), away('two')]), ConnectError)
  const three = hostOf('three')
  const cut = [at('one', { place: place(1, 'two', 'one') }), at('two', { place: place(1, 'two', 'one') }), at('three')]
  assert.match(refused(three, cut).message, /first finish it: .*--move-to two/)
})

test('what would be found out too late is refused before', () => {
  const from = at('one', { record })
  const reasons = (to: Partial<Situation>, here: Partial<Situation> = {}, images = 100) =>
    obstaclesTo('hello-bot', { ...from, ...here }, at('two', to), images).join('\n')
  assert.is(reasons({}), '')
  assert.match(reasons({ isReady: false }), /site\.ts --limit two first/)
  assert.match(reasons({ architecture: 'arm64' }), /is for amd64, and two is arm64/)
  assert.match(reasons({ postgres: 17 }), /PostgreSQL 18, and two has 17/)
  assert.match(reasons({ freeMiB: 600 }), /needs 627 MiB of disk on two, and 600 MiB are free/)
  assert.match(
    reasons({ isSigned: false }, { record: { ...record, spec: { ...spec, webhook: 'bot' } } }),
    /would not trust/,
  )
  assert.is(reasons({ postgres: 17 }, { record: { ...record, spec: { ...spec, database: false } } }), '')
})

test('only what can have done nothing elsewhere goes back by itself', () => {
  const goesBack = (more: Partial<Release['spec']>) => mayGoBack({ spec: { ...spec, ...more } })
  assert.ok(goesBack({}))
  for (const more of [
    { mode: 'polling' },
    { mode: 'none' },
    { webhook: 'bot' },
    { processes: { w: { image: 'a' } } },
  ] as const)
    assert.not.ok(goesBack(more), JSON.stringify(more))
})

test('a record of where a bot serves that is not valid says nothing', () => {
  const right = place(1, 'two', 'one')
  assert.equal(parsePlace(JSON.stringify(right)), right)
  for (const text of [
    '',
    '{',
    '[]',
    JSON.stringify({ ...right, number: 0 }),
    JSON.stringify({ ...right, serves: '../x' }),
  ])
    assert.is(parsePlace(text), undefined)
})

test('a host without anything of ours is read as one', () => {
  const { freeMiB, ...found } = parseSurvey('number \npostgres \ndatabase \nfree 900\nfree 700\nsigned 0\n')
  assert.is(freeMiB, 700)
  assert.equal(found, {
    ...{ isReady: false, isKnownThere: false, isStopped: false, past: [], runs: [] },
    ...{ databaseMiB: 0, dataMiB: 0, cacheMiB: 0, isSigned: false },
  })
})

test('a host that was given a bot while its next move had begun to clear it does not begin with nothing: it goes back', () => {
  const gave = at('one', { released: record, place: place(1, 'two', 'one') })
  const cleared = at('two', { place: place(2, 'one', 'two'), past: [record] })
  for (const target of [two, one]) {
    const course = courseOf('hello-bot', target, [gave, cleared])
    assert.equal(course, { kind: 'back', from: cleared, to: gave, number: 2 })
  }
})

test('of a login that a host has given, nothing is kept but the password for that registry', () => {
  const [name, secret] = ['ghcr.io/a/b@sha256:1', 'dTpw']
  const given = { auths: { 'ghcr.io': { auth: secret, more: 1 }, other: { auth: 'x' } }, credsStore: 'evil' }
  const kept = loginIn(name, JSON.stringify(given))?.reveal()
  assert.equal(JSON.parse(kept ?? ''), { auths: { 'ghcr.io': { auth: secret } } })
  for (const text of ['', '{', '{}', '{"auths":{"ghcr.io":{"auth":7}}}', 'null'])
    assert.is(loginIn(name, text), undefined, text)
})

test.run()
