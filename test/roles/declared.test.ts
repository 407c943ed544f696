import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'valibot'
import { resourcesOf } from '../../lib/engine/collect-resources.ts'
import { planAll } from '../../lib/engine/plan.ts'
import { docker, ufw } from '../../roles/index.ts'
import { entry, facts } from '../support/fake-host.ts'
import { stateOf } from '../support/plan-of.ts'

const vars = { ufw: parse(ufw.vars, {}), docker: parse(docker.vars, {}) }
const owned = resourcesOf([ufw, docker], vars, facts, entry)
const lineOf = (source = '') => {
  const [file = '', line] = source.split(':')
  return readFileSync(join(import.meta.dirname, '../..', file), 'utf8').split('\n')[Number(line) - 1] ?? ''
}

test('every resource knows the line of its role, however it is wrapped', () => {
  for (const { id, declared } of owned.resources) assert.match(declared?.() ?? '', /^roles\/\w+\/[\w-]+\.ts:\d+$/, id)
  assert.match(lineOf(owned.sourceOf('directory:/etc/docker')), `directory('/etc/docker')`)
  assert.match(lineOf(owned.sourceOf('package:ufw')), `aptPackage('ufw'`)
})

test('two roles that want one thing differently are both named with their lines', () => {
  const other = {
    ...docker,
    name: 'other',
    resources: () => docker.resources(parse(docker.vars, { daemon: { a: 1 } }), facts, entry),
  }
  assert.throws(
    () => resourcesOf([docker, other], { ...vars, other: {} }, facts, entry),
    (error: Error) =>
      /docker \(roles\/docker\/index\.ts:\d+\) wants .*; other \(roles\/docker\/index\.ts:\d+\) wants /.test(
        error.message,
      ),
  )
})

test('a plan that gives up says which resource it was', () => {
  const state = stateOf(owned.resources, {
    'file:/etc/docker': { type: 'file', mode: '0644', owner: 'root', group: 'root' },
  })
  try {
    planAll(
      owned.resources.filter(({ id }) => id === 'directory:/etc/docker'),
      state,
    )
    assert.unreachable()
  } catch (error) {
    assert.is((error as { id?: string }).id, 'directory:/etc/docker')
  }
})

test.run()
