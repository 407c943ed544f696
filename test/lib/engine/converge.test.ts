import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyHost, checkHost, type Outcome } from '../../../lib/engine/converge.ts'
import { reading } from '../../../lib/model/reading.ts'
import { becomes, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { fakeHost, value, wants } from '../../support/fake-host.ts'

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
  const resources = [
    wants('a', 'on', { predicts: [unknownUntilApply(value('b'))] }),
    wants('b', 'on'),
    wants('c', 'on'),
  ]
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
  for (const prediction of [becomes(value('b'), 'on'), unknownUntilApply(value('b'))]) {
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

// What a host may send that no host of ours does: each is an error, and none a loop.
for (const [what, answer] of [
  ['nothing of its steps', ''],
  ['nothing of the second step', 'begin 0|end 0 0'],
  ['that a step has begun, and no more', 'begin 0|end 0 0|begin 1'],
  ['the end of a step that has not begun', 'end 0 0|begin 1|end 1 0'],
  ['a step twice', 'begin 0|end 0 0|begin 0|end 0 0|begin 1|end 1 0'],
  ['a beginning twice', 'begin 0|begin 0|end 0 0|begin 1|end 1 0'],
  ['the steps in another order', 'begin 1|end 1 0|begin 0|end 0 0'],
  ['a step that there is not', 'begin 0|end 0 0|begin 1|end 1 0|begin 2|end 2 0'],
  ['a number that is none', 'begin x|end x 0'],
  ['a status that is none', 'begin 0|end 0 0|begin 1|end 1 NaN'],
  ['no status', 'begin 0|end 0 0|begin 1|end 1'],
  ['that it has changed, after steps', 'begin 0|end 0 0|drift'],
] as const)
  test(`a host that answers ${what} is an error`, async () => {
    const { error } = await applyHost(sayingOnApply(answer), [wants('a', 'on'), wants('b', 'on')], silent, claim)
    assert.instance(error, HostError)
    assert.match(error?.message ?? '', 'does not fit the request')
  })

test('a host that always says that it has changed is an error', async () => {
  const { error } = await applyHost(sayingOnApply('drift'), [wants('a', 'on')], silent, claim)
  assert.match(error?.message ?? '', 'another program is changing this host')
})

test('a host that answers no reading, or what none can be, is an error', async () => {
  for (const said of [undefined, '', 'null', '{"a":', 'garbage']) {
    const { connection } = fakeHost({})
    const request: Connection['request'] = async (_, { mark, text }) => {
      if (said !== undefined) mark?.(['read', 'value'])
      text?.(Buffer.from(said ?? ''))
      return 0
    }
    const { error } = await applyHost({ ...connection, request }, [wants('a', 'on')], silent, claim)
    assert.instance(error, HostError, said)
    assert.match(error?.message ?? '', /value/)
  }
})

test('a state that a host sends never passes for one that is not known', async () => {
  const { connection, values } = fakeHost({})
  const state = reading(
    { name: 'value', script: () => sh`:`, parse: (text) => new Map([['all', JSON.parse(text)]]) },
    'all',
  )
  const plan = () => [{ summary: 'on', script: { text: 'a=on', shown: '' }, predicts: [] }]
  const inner = resource({
    id: 'x',
    wants: 1,
    reads: { state },
    plan: ({ state: now }) => (now.a === 'on' ? [] : plan()),
  })
  values.unknownAfter = 'y'
  assert.equal(shown(await applyHost(connection, [inner], silent, claim)), ['x: on'])
})

/** Reads as a host where nothing is set, and says these marks where it is to apply something. */
function sayingOnApply(answer: string): Connection {
  const { connection } = fakeHost({})
  let requests = 0
  return {
    ...connection,
    request: async (script, { mark, text }) => {
      if (++requests > 50) throw new Error('it goes on for ever')
      if (/^step_0\(/m.test(script('N'))) for (const each of answer.split('|').filter(Boolean)) mark?.(each.split(' '))
      mark?.(['read', 'value'])
      text?.(Buffer.from('{}'))
      return 0
    },
  }
}

test.run()
