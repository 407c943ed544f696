import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { resourcesOf } from '../../../lib/engine/collect-resources.ts'
import { heldBy, lockRequestOf } from '../../../lib/engine/host-lock.ts'
import { stepsOf } from '../../../lib/engine/step.ts'
import { role } from '../../../lib/model/role.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { entry, facts, wants } from '../../support/fake-host.ts'

test('two roles that want one thing differently are both named', () => {
  const one = role('one', v.any(), () => [
    { ...wants('a', 'on'), declared: () => 'roles/one/index.ts:5', wants: { mode: 1, content: 's3cret' } },
  ])
  const two = role('two', v.any(), () => [{ ...wants('a', 'on'), wants: { mode: 2, content: 'other' } }])
  assert.throws(
    () => resourcesOf([one, two], {}, facts, entry),
    (error: Error) =>
      error.message ===
      'a is wanted twice, differently: one (roles/one/index.ts:5) wants {"mode":1,"content":"other content"}; two wants {"mode":2,"content":"other content"}',
  )
  const late = role('late', v.any(), () => [{ ...wants('z', 'on'), runsLast: true }])
  const owned = resourcesOf([late, role('x', v.any(), () => [wants('b', 'on')]), late], {}, facts, entry)
  assert.equal(
    owned.resources.map(({ id }) => id),
    ['b', 'z'],
  )
  assert.equal([owned.roleOf('z'), owned.roleOf('none'), owned.sourceOf('none')], ['late', '', undefined])
})

test('neighbours of one batch are one step, others are not', () => {
  const change = (item: string, name?: string) => ({
    summary: 'install',
    script: sh`one ${item}`,
    ...(name !== undefined && { batch: { name, item, script: (items: string[]) => sh`all ${items}` } }),
  })
  const guard = { name: 'g', paths: [], restore: sh`:` }
  const steps = stepsOf([
    { id: 'a', change: change('a', 'apt') },
    { id: 'b', change: { ...change('b', 'apt'), guard } },
    { id: 'c', change: { ...change('c'), long: true } },
    { id: 'd', change: change('d') },
    { id: 'e', change: change('e', 'apt') },
    { id: 'f', change: change('f', 'other') },
  ])
  assert.equal(
    steps.map(({ title, script, long, guards, changes }) => [title, script.text, long, guards, changes.length]),
    [
      ['a, b: install', 'all a b', false, [guard], 2],
      ['c: install', 'one c', true, [], 1],
      ['d: install', 'one d', false, [], 1],
      ['e: install', 'all e', false, [], 1],
      ['f: install', 'all f', false, [], 1],
    ],
  )
})

test('the lock of a host is asked for by name, and its holder is shown', () => {
  assert.match(lockRequestOf('bot', true).holder, /^\S+@\S+, bot\.ts$/)
  assert.is(lockRequestOf('bot', true).wait, true)
  assert.equal([heldBy(' x \n'), heldBy('\n')], ['x', 'a run that has just begun'])
})

test.run()
