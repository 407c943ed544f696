import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type HostResult, resultJson, resultText, together } from '../../../lib/report/result.ts'
import type { Paint } from '../../../lib/std/colour.ts'
import { HostError } from '../../../lib/std/errors.ts'

const result = (more: Partial<HostResult> = {}): HostResult => ({
  host: 'vps1',
  changes: [],
  unknowns: [],
  outputs: {},
  resources: 10,
  unmanageable: [],
  roundTrips: 1,
  seconds: 0.94,
  roleOf: () => 'base',
  sourceOf: () => 'roles/base/index.ts:7',
  ...more,
})
const change = { id: 'file:/etc/x', summary: 'mode 0600 → 0644', diff: '- mode 0600\n+ mode 0644' }

test('ends with a line of counts a host, number under number', () => {
  const hosts = [result(), result({ host: 'longer', resources: 9, error: new HostError('no') })]
  assert.equal(resultText(hosts, { check: false, diff: false }).split('\n').slice(-2), [
    'vps1    ok      ok 10  changed 0  unknown 0  failed 0  (0.9 s, 1 round trip)',
    'longer  failed  ok  0  changed 0  unknown 0  failed 1  (0.9 s, 1 round trip)',
  ])
})

test('shows diffs of a check, coloured by line, and counts that are none without colour', () => {
  const marked: Paint = (style, text) => `<${style} ${text}>`
  assert.equal(resultText([result({ changes: [change] })], { check: true, diff: true }, marked).split('\n'), [
    'vps1  <yellow would change > file:/etc/x: mode 0600 → 0644',
    '    <red - mode 0600>',
    '    <green + mode 0644>',
    'vps1  <green ok>  <green ok 9>  <yellow would change 1>  unknown 0  failed 0  (0.9 s, 1 round trip)',
  ])
})

test('tells programs the error as a string, and beside it where it came from', () => {
  const error = Object.assign(new HostError('x: no'), { id: 'file:/etc/x' })
  const { vps1 } = resultJson([result({ error })], { diff: false }) as { vps1: Record<string, unknown> }
  assert.is(vps1.error, 'x: no')
  assert.equal(vps1.failure, { id: 'file:/etc/x', role: 'base', source: 'roles/base/index.ts:7' })
})

test('several stages of a run are one result a host, which ends as the last of them did', () => {
  const core = result({ changes: [change], outputs: { https: 'x' } })
  const bots = result({ resources: 3, roleOf: () => '', error: new HostError('no'), outputs: { bot: 'y' } })
  const [first, other, ...rest] = together([core, result({ host: 'vps2' }), bots])
  assert.equal(rest, [])
  assert.is(other?.host, 'vps2')
  assert.equal([first?.resources, first?.roundTrips, first?.changes.length], [13, 2, 1])
  assert.equal([first?.error?.message, first?.outputs], ['no', { https: 'x', bot: 'y' }])
  assert.is(first?.roleOf('file:/etc/x'), 'base')
})

test.run()
