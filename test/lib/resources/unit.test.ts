import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dropIn, runningUnit, unit, unitState } from '../../../lib/resources/unit.ts'
import { planOf } from '../../support/plan-of.ts'

const running = unit('x.service', 'running')
const stopped = unit('x.service', 'stopped')
const missing = { load: 'not-found', active: 'inactive', enabled: '', needsReload: false }

for (const [title, resource, state, expected] of [
  ['plans nothing for a running unit', running, {}, []],
  ['starts what does not run', running, { active: 'inactive' }, ['start']],
  ['starts what has failed', running, { active: 'failed' }, ['start']],
  ['waits for what is starting', running, { active: 'activating' }, ['start']],
  ['enables what would not survive a boot', running, { enabled: 'disabled' }, ['enable']],
  ['has systemd read changed files', running, { needsReload: true }, ['reload its files']],
  ['does all that is needed', running, { active: 'failed', enabled: 'disabled' }, ['enable', 'start']],
  ['lets a static unit be', running, { enabled: 'static' }, []],
  ['plans nothing for a stopped unit', stopped, { active: 'inactive', enabled: 'disabled' }, []],
  ['plans nothing to stop where there is no unit', stopped, missing, []],
  ['stops and disables', stopped, {}, ['disable', 'stop']],
] as const) {
  test(title, () => {
    assert.equal(
      planOf([resource], { 'unit:x.service': { ...runningUnit, ...state } }),
      expected.map((summary) => `unit:x.service: ${summary}`),
    )
  })
}

test('says what cannot be started', () => {
  assert.throws(() => planOf([running], { 'unit:x.service': missing }), /does not exist/)
  assert.throws(() => planOf([running], { 'unit:x.service': { ...missing, load: 'masked' } }), /unmask/)
})

test('puts a drop-in in force, and needs no second reload for it', () => {
  const resources = [...dropIn('x.service', 'limits', '[Service]\n'), running]
  assert.equal(planOf(resources, { 'unit:x.service': runningUnit }), [
    'directory:/etc/systemd/system/x.service.d: create',
    'file:/etc/systemd/system/x.service.d/limits.conf: create',
  ])
})

test('reads what systemctl show printed', () => {
  const output = `LoadState=loaded
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=no

LoadState=not-found
ActiveState=inactive
UnitFileState=
NeedDaemonReload=no
`
  assert.equal(
    unitState('').kind.parse(output, ['ssh.service', 'nope.service']),
    new Map([
      ['ssh.service', runningUnit],
      ['nope.service', missing],
    ]),
  )
})

test.run()
