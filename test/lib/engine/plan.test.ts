import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nextStage, planAll } from '../../../lib/engine/plan.ts'
import { type Kind, reading } from '../../../lib/model/reading.ts'
import { becomes, type Prediction, type Resource, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { planOf } from '../../support/plan-of.ts'

const things: Kind<string> = { name: 'thing', script: () => sh`:`, parse: () => new Map() }
const thing = (name: string) => reading(things, name)

/** Wants `name` to be `wanted`, and says what else will change with it. */
function want(name: string, wanted: string, effects: Prediction[] = []): Resource {
  const predicts = [becomes(thing(name), wanted), ...effects]
  return resource({
    id: name,
    wants: wanted,
    reads: { now: thing(name) },
    plan: ({ now }) => (now === wanted ? [] : [{ summary: `${now} → ${wanted}`, script: sh`:`, predicts }]),
  })
}

test('plans nothing for what is as wanted', () => {
  assert.equal(planOf([want('a', 'on')], { 'thing:a': 'on' }), [])
})

test('plans later resources on what earlier ones will leave', () => {
  const resources = [want('a', 'on', [becomes(thing('b'), 'stale')]), want('b', 'fresh')]
  assert.equal(planOf(resources, { 'thing:a': 'off', 'thing:b': 'fresh' }), ['a: off → on', 'b: stale → fresh'])
})

test('says what comes with an earlier change', () => {
  const resources = [want('a', 'on', [becomes(thing('b'), 'on')]), want('b', 'on')]
  assert.equal(planOf(resources, { 'thing:a': 'off', 'thing:b': 'off' }), ['a: off → on', 'b: comes-with a'])
})

test('names the change that something comes with, and no later one that leaves it as it is', () => {
  const resources = [
    want('a', 'on', [becomes(thing('c'), 'on')]),
    want('b', 'on', [becomes(thing('c'), (now) => now)]),
    want('c', 'on'),
  ]
  const state = { 'thing:a': 'off', 'thing:b': 'off', 'thing:c': 'off' }
  assert.equal(planOf(resources, state), ['a: off → on', 'b: off → on', 'c: comes-with a'])
})

test('does not call a change what depends on one and was right all along', () => {
  const same = resource({
    id: 'same',
    wants: '',
    reads: { own: thing('own'), other: thing('a') },
    plan: ({ own, other }) => (own === other ? [] : [{ summary: 'follow', script: sh`:` }]),
  })
  assert.equal(planOf([want('a', 'on'), same], { 'thing:a': 'off', 'thing:own': 'on' }), ['a: off → on'])
})

test('says what cannot be known, and why, down the line', () => {
  const resources = [
    want('a', 'on', [unknownUntilApply(thing('b'))]),
    want('b', 'on', [becomes(thing('c'), 'on')]),
    want('c', 'on'),
  ]
  const state = { 'thing:a': 'off', 'thing:b': 'off', 'thing:c': 'off' }
  assert.equal(planOf(resources, state), ['a: off → on', 'b: unknown a', 'c: unknown a'])
})

test('does not call unknown what is as wanted already', () => {
  const resources = [want('a', 'on', [unknownUntilApply(thing('b'))]), want('b', 'on')]
  assert.equal(planOf(resources, { 'thing:a': 'off', 'thing:b': 'on' }), ['a: off → on'])
})

test('calls unknown what is as wanted now, reads something unknowable, and something that will change', () => {
  const both = resource({
    id: 'both',
    wants: '',
    reads: { b: thing('b'), c: thing('c') },
    plan: ({ b, c }) => (b === c ? [] : [{ summary: 'mend', script: sh`:` }]),
  })
  const resources = [want('a', 'on', [unknownUntilApply(thing('b'))]), want('c', 'on'), both]
  const state = { 'thing:a': 'off', 'thing:b': 'off', 'thing:c': 'off' }
  assert.equal(planOf(resources, state), ['a: off → on', 'c: off → on', 'both: unknown a'])
})

test('takes what cannot be reached now, but after an earlier change, for a follower of it', () => {
  const strict = resource({
    id: 'b',
    wants: '',
    reads: { b: thing('b') },
    plan: ({ b }) => {
      if (b === 'missing') throw new HostError('b is missing')
      return []
    },
  })
  const resources = [want('a', 'on', [becomes(thing('b'), 'there')]), strict]
  assert.equal(planOf(resources, { 'thing:a': 'off', 'thing:b': 'missing' }), ['a: off → on', 'b: comes-with a'])
  assert.throws(() => planOf(resources, { 'thing:a': 'on', 'thing:b': 'missing' }), /b is missing/)
})

test('stops a stage before the first that must be read again', () => {
  const resources = [want('a', 'on', [unknownUntilApply(thing('b'))]), want('b', 'on'), want('c', 'on')]
  const planned = planAll(resources, new Map(['a', 'b', 'c'].map((name) => [`thing:${name}`, 'off'])))
  assert.equal(
    nextStage(planned).map(({ id }) => id),
    ['a'],
  )
})

test('refuses a plan on something that no resource says it reads', () => {
  const liar: Resource = { id: 'liar', wants: '', reads: [], plan: (read) => (read(thing('a')) === '' ? [] : []) }
  assert.throws(() => planOf([liar], {}), /no resource says it reads/)
})

test.run()
