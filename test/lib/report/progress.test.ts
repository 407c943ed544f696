import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Step } from '../../../lib/engine/step.ts'
import { reporterOn } from '../../../lib/report/progress.ts'
import type { Activity } from '../../../lib/report/status-lines.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { plain } from '../../../lib/std/colour.ts'
import { facts } from '../../support/fake-host.ts'

const step: Step = { changes: [], title: 'a: b', script: sh`echo one; echo two`, long: false, guards: [] }

function watched({ verbose = false, live = true } = {}) {
  const lines: string[] = []
  let shown: string[] = []
  const show = (now: readonly Activity[]) => {
    shown = now.map(({ host, title, said }) => [host, title, said].join('|'))
  }
  const screen = { line: (text: string) => void lines.push(text), show, close: () => {} }
  return { report: reporterOn(screen, { verbose, live, paint: plain }), lines, shown: () => shown }
}

test('without a terminal a step is a line when it begins and one when it ends', () => {
  const { report, lines } = watched({ live: false })
  const progress = report.progress('vps1')
  progress.begin(step)
  progress.output('words', step)
  progress.end(step, 2)
  assert.equal(lines, ['vps1  ▸ a: b', 'vps1  ✓ a: b (2.0 s)'])
})

test('-v shows the command of a step and what it prints', () => {
  const { report, lines } = watched({ verbose: true, live: false })
  const progress = report.progress('vps1')
  progress.begin(step)
  progress.output('\x1b[1mone', step)
  progress.failed?.(step, 2)
  assert.equal(lines, ['vps1  ▸ a: b', 'vps1    $ echo one; echo two', 'vps1    one', 'vps1  ✗ a: b (2.0 s)'])
})

test('a terminal shows the last line of a step that runs, and only its end stays', () => {
  const { report, lines, shown } = watched()
  const progress = report.progress('vps1')
  progress.begin(step)
  progress.output('10 %\r20 %', step)
  assert.equal(shown(), ['vps1|a: b|20 %'])
  progress.end(step, 2)
  assert.equal([shown(), lines], [['vps1|read|'], ['vps1  ✓ a: b (2.0 s)']])
})

test('nothing is drawn while any host logs in, since ssh may be asking for a passphrase', async () => {
  const { report, shown } = watched()
  report.connected('vps1', facts)
  assert.is(shown().length, 1)
  const login = Promise.withResolvers<void>()
  const ended = report.login(login.promise)
  report.progress('vps1').begin(step)
  assert.equal(shown(), [])
  login.reject(new Error('no route'))
  await ended.catch(() => {})
  assert.equal(shown(), ['vps1|a: b|'])
})

test('an interruption names the step that runs, but none that has failed', () => {
  const { report } = watched()
  const progress = report.progress('vps1')
  progress.begin(step)
  assert.match(report.underWay(), /^vps1 {2}while running a: b: the host finishes/)
  progress.failed?.(step, 1)
  assert.is(report.underWay(), '')
})

test('steps that run side by side on a host are shown each by itself, and named by an interruption', () => {
  const { report, lines, shown } = watched({ verbose: true })
  const progress = report.progress('vps1')
  const [one, two] = ['one', 'two'].map((lane) => ({ ...step, title: `release:${lane}: new`, lane }))
  assert.ok(one && two)
  report.connected('vps1', facts)
  progress.begin(one)
  progress.begin(two)
  progress.output('words of one', one)
  progress.output('words of two', two)
  assert.equal(shown(), ['vps1|release:one: new|words of one', 'vps1|release:two: new|words of two'])
  assert.equal(lines.slice(-2), ['vps1  one    words of one', 'vps1  two    words of two'])
  assert.match(report.underWay(), /^vps1 {2}while running release:one: new, release:two: new: the host finishes/)
  progress.end(one, 1)
  assert.equal(shown(), ['vps1|release:two: new|words of two'])
  progress.failed?.(two, 1)
  assert.equal([shown(), report.underWay()], [['vps1|read|'], ''])
})

test('whoever is told of by a line cannot begin one of his own', () => {
  const { report, lines } = watched()
  report.line('vps1  not dropped: x\nvps2  ok')
  assert.equal(lines, ['vps1  not dropped: x\n    vps2  ok'])
})

test.run()
