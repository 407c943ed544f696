import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allChanges, planAll } from '../../../lib/engine/plan.ts'
import { stepsOf } from '../../../lib/engine/step.ts'
import { aptPackage, packageState } from '../../../lib/resources/package.ts'
import { planOf, stateOf } from '../../support/plan-of.ts'

test('plans nothing for an installed package', () => {
  assert.equal(planOf([aptPackage('ufw')], { 'package:ufw': { version: '0.36' } }), [])
})

test('installs what is missing and finishes what was cut', () => {
  assert.equal(planOf([aptPackage('ufw')], {}), ['package:ufw: install'])
  assert.equal(planOf([aptPackage('ufw')], { 'package:ufw': 'half' }), ['package:ufw: finish its installation'])
})

test('makes one apt transaction of neighbours', () => {
  const resources = ['a', 'b', 'c'].map((name) => aptPackage(name))
  const state = stateOf(resources, { 'package:b': { version: '1' } })
  const steps = stepsOf(allChanges(planAll(resources, state)))
  assert.is(steps.length, 1)
  assert.match(steps[0]?.script.text ?? '', /install -- a c$/)
})

test('reads what dpkg-query printed', () => {
  const output = [
    'docker.io ok installed 26.1.5+dfsg1-9+b9',
    'ufw ok config-files 0.36.2-9',
    'nginx ok half-configured 1.26.3-3',
    'curl reinstreq half-installed ',
    'libc6 ok installed 2.41-12',
    'libc6 ok not-installed ',
    '',
  ].join('\n')
  const { kind } = packageState('')
  const names = ['docker.io', 'ufw', 'nginx', 'curl', 'libc6', 'missing']
  assert.equal(
    [...kind.parse(output, names)],
    [
      ['docker.io', { version: '26.1.5+dfsg1-9+b9' }],
      ['ufw', 'absent'],
      ['nginx', 'half'],
      ['curl', 'half'],
      ['libc6', { version: '2.41-12' }],
      ['missing', 'absent'],
    ],
  )
})

test.run()
