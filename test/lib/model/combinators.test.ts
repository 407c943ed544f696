import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { guarded, mapChanges, notInContainer, notice, refuseWhen, when } from '../../../lib/model/combinators.ts'
import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, reading } from '../../../lib/model/reading.ts'
import { type Read, resource } from '../../../lib/model/resource.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'

const things: Kind<string> = { name: 'thing', script: () => sh`look`, parse: oneValue((output) => output) }
const [own, other] = [reading(things, 'own'), reading(things, 'other')]
const inner = resource({
  id: 'thing:own',
  wants: 'there',
  reads: { own },
  plan: ({ own }) => (own === 'there' ? [] : [{ summary: 'create', script: sh`create` }]),
})
const found =
  (states: Record<string, unknown>): Read =>
  ({ name }) =>
    states[name] as never
const summaries = (planned: typeof inner, states: Record<string, unknown>) =>
  planned.plan(found(states)).map(({ summary }) => summary)
const readsOther = (read: Read) => read(other)

test('plans a resource only where what was read wants it', () => {
  const wanted = when([other], (read) => readsOther(read) === 'yes', inner)
  assert.equal(wanted.reads, [own, other])
  assert.equal(summaries(wanted, { own: 'absent', other: 'yes' }), ['create'])
  assert.equal(summaries(wanted, { own: 'there', other: 'yes' }), [])
  assert.equal(summaries(wanted, { own: 'absent', other: 'no' }), [])
})

test('refuses a resource with the reason that was found, even where there is nothing to change', () => {
  const refused = refuseWhen([other], (read) => (readsOther(read) === 'bad' ? 'other is bad' : undefined), inner)
  assert.equal(refused.reads, [own, other])
  assert.equal(summaries(refused, { own: 'absent', other: 'good' }), ['create'])
  for (const state of ['absent', 'there'])
    assert.throws(
      () => refused.plan(found({ own: state, other: 'bad' })),
      (error: Error) => error instanceof HostError && error.message === 'other is bad',
    )
})

test('gives a notice its readings by name, and plans nothing', () => {
  const said = notice({ id: 'thing:said', reads: { own, other }, outputs: (state) => ({ said: Object.values(state) }) })
  assert.equal([said.id, said.wants, said.reads], ['thing:said', 'told', [own, other]])
  assert.equal(said.plan(found({})), [])
  assert.equal(said.outputs?.(found({ own: '1', other: '2' })), { said: ['1', '2'] })
})

test('maps every change, with what was read at hand', () => {
  const mapped = mapChanges(inner, (change, read) => ({ ...change, summary: `${change.summary} ${read(own)}` }))
  assert.equal(summaries(mapped, { own: 'absent' }), ['create absent'])
  const guard = { name: 'g', paths: ['/x'], restore: sh`:` }
  assert.equal(
    guarded(inner, guard)
      .plan(found({ own: 'absent' }))
      .map((change) => change.guard),
    [guard],
  )
})

test('neither reads nor plans in a container what belongs to the machine below', () => {
  assert.is(notInContainer(inner, { container: '' }), inner)
  const shared = notInContainer(inner, { container: 'lxc' })
  assert.equal([shared.reads, shared.plan(found({ own: 'absent' }))], [[], []])
  assert.match(shared.unmanageable ?? '', /machine that runs this lxc container/)
})

test.run()
