import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planAll } from '../../../lib/engine/plan.ts'
import { absentFile, directory, type FileOptions, file } from '../../../lib/resources/file.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { planOf, scriptsOf, stateOf } from '../../support/plan-of.ts'
import { sha256 } from '../../support/sha256.ts'

const present = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: sha256('new\n') }
const plan = (state: Record<string, unknown>, options: FileOptions = { content: 'new\n' }) =>
  planOf([file('/etc/x', options)], state)

for (const [title, state, expected] of [
  ['plans nothing for the wanted file', { 'file:/etc/x': present, 'text:/etc/x': 'new\n' }, []],
  ['creates a file that is missing', {}, ['create']],
  ['writes other content', { 'file:/etc/x': { ...present, sha256: sha256('old\n') } }, ['content']],
  ['mends the mode alone', { 'file:/etc/x': { ...present, mode: '0666' } }, ['mode 0666 → 0644']],
  ['mends the group alone', { 'file:/etc/x': { ...present, group: 'adm' } }, ['owner root:adm → root:root']],
  ['says all that differs', { 'file:/etc/x': { ...present, sha256: '', mode: '0600' } }, ['content, mode 0600 → 0644']],
  ['replaces a link', { 'file:/etc/x': { ...present, type: 'symbolic link' } }, ['replace a symbolic link']],
] as const) {
  test(title, () => {
    assert.equal(
      plan(state),
      expected.map((summary) => `file:/etc/x: ${summary}`),
    )
  })
}

test('refuses to put a file where a directory is', () => {
  assert.throws(() => plan({ 'file:/etc/x': { ...present, type: 'directory' } }), /is a directory/)
})

test('makes the content from what is there', () => {
  const content = (current: string | undefined) => `${current ?? ''}more\n`
  const resource = file('/etc/x', { content })
  const state = { 'file:/etc/x': { ...present, sha256: sha256('old\n') }, 'text:/etc/x': 'old\n' }
  const [planned] = planAll([resource], stateOf([resource], state))
  assert.match(planned?.status === 'change' ? (planned.changes[0]?.diff?.() ?? '') : '', / old\n\+more/)
})

test('plans the later of two resources on the file as the first will leave it', () => {
  assert.equal(planOf([file('/etc/x', { content: 'new\n' }), file('/etc/x', { content: 'new\n' })], {}), [
    'file:/etc/x: create',
    'file:/etc/x: comes-with file:/etc/x',
  ])
})

test('does not validate where only the mode differs', () => {
  const options = { content: 'new\n', validate: { tool: 'tool', script: () => sh`tool` } }
  const [script] = scriptsOf([file('/etc/x', options)], { 'file:/etc/x': { ...present, mode: '0600' } })
  assert.not.match(script ?? '', 'tool')
})

test('removes a file, and only where there is one', () => {
  assert.equal(planOf([absentFile('/etc/x')], {}), [])
  assert.equal(planOf([absentFile('/etc/x')], { 'file:/etc/x': present }), ['file:/etc/x: remove'])
  assert.throws(() => planOf([absentFile('/etc/x')], { 'file:/etc/x': { ...present, type: 'directory' } }))
})

test('makes a directory, mends its attributes, and leaves the right one alone', () => {
  const there = { type: 'directory', mode: '0755', owner: 'root', group: 'root' }
  assert.equal(planOf([directory('/etc/d')], {}), ['directory:/etc/d: create'])
  assert.equal(planOf([directory('/etc/d')], { 'file:/etc/d': there }), [])
  assert.equal(planOf([directory('/etc/d')], { 'file:/etc/d': { ...there, mode: '0700', owner: 'x' } }), [
    'directory:/etc/d: mode 0700 → 0755, owner x:root → root:root',
  ])
  assert.throws(() => planOf([directory('/etc/d')], { 'file:/etc/d': { ...there, type: 'file' } }), /is a file/)
})

test.run()
