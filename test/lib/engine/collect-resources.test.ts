import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { resourcesOf } from '../../../lib/engine/collect-resources.ts'
import { resource } from '../../../lib/model/resource.ts'
import { role } from '../../../lib/model/role.ts'
import { type FileOptions, file } from '../../../lib/resources/file.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { idsOf } from '../../support/plan-of.ts'

const wanting = (name: string, options: FileOptions) => role(name, v.unknown(), () => [file('/etc/x', options)])
const both = (one: FileOptions, other: FileOptions) =>
  resourcesOf([wanting('one', one), wanting('other', other)], {}, facts, entry)

test('two roles may want the same, which is then one resource of the first', () => {
  const { resources, roleOf } = both({ content: 'text' }, { content: 'text' })
  assert.is(resources.length, 1)
  assert.is(roleOf('file:/etc/x'), 'one')
})

test('two roles may not want the same differently, and no content is shown', () => {
  assert.throws(
    () => both({ content: 'text' }, { content: 'secret', mode: '0600' }),
    (error: Error) =>
      /file:\/etc\/x is wanted twice.*one wants.*0644.*other wants.*0600/.test(error.message) &&
      !/secret/.test(error.message),
  )
})

test('contents that are functions are the same only where both say what they depend on', () => {
  const content = (text: string) => () => text
  assert.throws(() => both({ content: content('a') }, { content: content('b') }), /wanted twice/)
  assert.is(both({ content: content('a'), wants: 'a' }, { content: content('a'), wants: 'a' }).resources.length, 1)
})

test('what joins a group comes where its first stands, in the order of the roles', () => {
  const named = (id: string, joins?: string) => ({
    ...resource({ id, wants: '', reads: {}, plan: () => [] }),
    ...(joins && { joins }),
  })
  const one = role('one', v.unknown(), () => [named('before'), named('p:a', 'p'), named('after')])
  const other = role('other', v.unknown(), () => [
    named('more'),
    named('p:b', 'p'),
    named('i:a', 'i'),
    named('p:c', 'p'),
  ])
  assert.equal(idsOf(resourcesOf([one, other], {}, facts, entry).resources), [
    ...['before', 'p:a', 'p:b', 'p:c', 'after'],
    ...['more', 'i:a'],
  ])
})

test('what follows another comes right behind it, however late a role asks for that again', () => {
  const named = (id: string, more: object = {}) => ({
    ...resource({ id, wants: '', reads: {}, plan: () => [] }),
    ...more,
  })
  const reload = named('reload', { runsLast: true })
  const one = role('one', v.unknown(), () => [named('clean', { follows: 'reload' }), reload, named('told')])
  const other = role('other', v.unknown(), () => [named('file'), reload, named('hook')])
  const without = role('without', v.unknown(), () => [named('stray', { follows: 'nothing' })])
  assert.equal(idsOf(resourcesOf([one, other, without], {}, facts, entry).resources), [
    ...['told', 'file', 'reload', 'clean', 'hook', 'stray'],
  ])
})

test.run()
