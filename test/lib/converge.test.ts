import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyHost, checkHost, type Outcome } from '../../lib/converge.ts'
import { becomes, unknowable } from '../../lib/resource.ts'
import { fakeHost, value, wants } from '../support/fake-host.ts'

const claim = { holder: 'ops@laptop, site.ts', wait: false }
const silent = { begin: () => {}, output: () => {}, waiting: () => {}, end: () => {} }
const shown = ({ changes, unknowns, error }: Outcome) => [
  ...changes.map(({ id, summary }) => `${id}: ${summary}`),
  ...unknowns.map(({ id, cause }) => `${id}: unknown after ${cause}`),
  ...(error ? [error.message.split('\n')[0]] : []),
]

test('needs one round trip where all is as wanted', async () => {
  const { connection } = fakeHost({ a: 'on' })
  assert.equal(shown(await applyHost(connection, [wants('a', 'on')], silent, claim)), [])
  assert.is(connection.roundTrips, 1)
})

test('applies in order and reads again in the same round trip', async () => {
  const { connection, values } = fakeHost({})
  const outcome = await applyHost(connection, [wants('a', 'on'), wants('b', 'on')], silent, claim)
  assert.equal(shown(outcome), ['a: unset → on', 'b: unset → on'])
  assert.equal(values, { a: 'on', b: 'on' })
  assert.is(connection.roundTrips, 2)
})

test('takes one round trip more for what only the host can tell', async () => {
  const { connection } = fakeHost({})
  const resources = [wants('a', 'on', { predicts: [unknowable(value('b'))] }), wants('b', 'on'), wants('c', 'on')]
  assert.equal(shown(await checkHost(connection, resources, silent)), [
    'a: unset → on',
    'c: unset → on',
    'b: unknown after a',
  ])
  assert.is(connection.roundTrips, 1)
  assert.equal(shown(await applyHost(connection, resources, silent, claim)), [
    'a: unset → on',
    'b: unset → on',
    'c: unset → on',
  ])
  assert.is(connection.roundTrips, 1 + 3)
})

test('reports what came with an earlier change, known beforehand or not', async () => {
  for (const prediction of [becomes(value('b'), 'on'), unknowable(value('b'))]) {
    const { connection } = fakeHost({})
    const resources = [wants('a', 'on', { effect: 'a=on b=on', predicts: [prediction] }), wants('b', 'on')]
    assert.equal(shown(await applyHost(connection, resources, silent, claim)), ['a: unset → on', 'b: comes with a'])
  }
})

test('applies what a wrong prediction left undone', async () => {
  const { connection } = fakeHost({})
  const resources = [wants('a', 'on', { predicts: [becomes(value('b'), 'on')] }), wants('b', 'on')]
  assert.equal(shown(await applyHost(connection, resources, silent, claim)), ['a: unset → on', 'b: unset → on'])
})

test('applies once more what a later change undid', async () => {
  const { connection, values } = fakeHost({ b: 'off' })
  const resources = [wants('a', 'on'), wants('b', 'on', { effect: 'b=on a=off' })]
  assert.equal(shown(await applyHost(connection, resources, silent, claim)), ['a: unset → on, off → on', 'b: off → on'])
  assert.equal(values, { a: 'on', b: 'on' })
})

test('gives up on what was applied last and still differs', async () => {
  const { connection } = fakeHost({})
  const outcome = await applyHost(connection, [wants('a', 'on', { effect: 'a=half' })], silent, claim)
  assert.equal(shown(outcome), ['a: unset → on', 'did not converge: a was applied and still differs: half → on'])
  assert.is(connection.roundTrips, 2)
})

test('gives up on two that undo each other', async () => {
  const { connection } = fakeHost({})
  const resources = [wants('a', 'on', { effect: 'a=on b=off' }), wants('b', 'on', { effect: 'b=on a=off' })]
  const { error } = await applyHost(connection, resources, silent, claim)
  assert.match(error?.message ?? '', /^did not converge/)
  assert.ok(connection.roundTrips <= 4)
})

test('stops at the first failure and reports what was done until then', async () => {
  const { connection, values } = fakeHost({})
  const resources = [wants('a', 'on'), wants('b', 'on', { effect: 'fail' }), wants('c', 'on')]
  const outcome = await applyHost(connection, resources, silent, claim)
  assert.equal(shown(outcome), ['a: unset → on', 'b: unset → on: exit code 1: fail'])
  assert.match(outcome.error?.message ?? '', /it is broken/)
  assert.equal(values, { a: 'on' })
})

test('has candidates validated in a check, and reports a bad one', async () => {
  const { connection, values } = fakeHost({})
  const validation = { text: 'fail', shown: 'tool --check' }
  const outcome = await checkHost(connection, [wants('a', 'on', { validation })], silent)
  assert.equal(shown(outcome), ['a: unset → on', 'a: validate: exit code 1: tool --check'])
  assert.equal(values, {})
})

test.run()
