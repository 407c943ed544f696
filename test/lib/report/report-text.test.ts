import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { failureJson, failureLines, meaningOf } from '../../../lib/report/failure.ts'
import { reporterOn } from '../../../lib/report/progress.ts'
import {
  exitCodeOf,
  type HostResult,
  outputsJson,
  resultJson,
  resultText,
  rounded,
  statusOf,
  together,
} from '../../../lib/report/result.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { type Paint, plain } from '../../../lib/std/colour.ts'
import { Bug, CommandFailed, ConnectError, HostError, Reverted, UsageError } from '../../../lib/std/errors.ts'
import { facts } from '../../support/fake-host.ts'

const marked: Paint = (style, text) => `<${style} ${text}>`

const result = (more: Partial<HostResult> = {}): HostResult => ({
  ...{ host: 'vps1', changes: [], unknowns: [], outputs: {}, resources: 10, unmanageable: [], roundTrips: 1 },
  ...{ seconds: 0.944, roleOf: (id) => `role of ${id}`, sourceOf: () => 'roles/base/index.ts:7' },
  ...more,
})
const full = result({
  changes: [
    { id: 'file:/x', summary: 'content', diff: '@@ 1 @@\n-old\n+new\n same' },
    { id: 'unit:y', summary: 'start', diff: '' },
  ],
  unknowns: [{ id: 'a', cause: 'b' }],
  unmanageable: [
    { id: 'swap', reason: 'belongs elsewhere' },
    { id: 'clock', reason: 'is not ours' },
    { id: 'sysctl', reason: 'belongs elsewhere' },
  ],
  outputs: { https: 'https://x', held: ['a', 'b'] },
  roundTrips: 2,
})

test('a report of a check says what would change and how, what is not known, and what waits', () => {
  assert.equal(resultText([full], { check: true, diff: true }, marked).split('\n'), [
    'vps1  <yellow would change > file:/x: content',
    '    <cyan @@ 1 @@>',
    '    <red -old>',
    '    <green +new>',
    '     same',
    'vps1  <yellow would change > unit:y: start',
    'vps1  <magenta unknown      > a: only known after b',
    'vps1  not manageable here, since it belongs elsewhere: swap, sysctl',
    'vps1  not manageable here, since it is not ours: clock',
    'vps1  https: https://x',
    'vps1  held: a',
    'vps1  held: b',
    'vps1  <green ok>  <green ok 4>  <yellow would change 2>  <magenta unknown 1>  failed 0  (0.9 s, 2 round trips)',
  ])
  assert.equal(resultText([full], { check: true, diff: false }).split('\n').slice(0, 2), [
    'vps1  would change  file:/x: content',
    'vps1  would change  unit:y: start',
  ])
})

test('bots are a table, and credentials are told only where they are asked for', () => {
  const outputs = {
    bots: ['hello 20261126-1, webhook', 'a-longer-name 20261126-2, polling'],
    credentials: ['/etc/x hunter2222', '/etc/longer hunter3333'],
  }
  const lines = (options: { showSecrets?: boolean }) =>
    resultText([result({ outputs })], { check: false, diff: false, ...options })
      .split('\n')
      .slice(0, -1)
  const bots = ['vps1  bots: hello         20261126-1, webhook', 'vps1  bots: a-longer-name 20261126-2, polling']
  assert.equal(lines({}), bots)
  assert.equal(lines({ showSecrets: true }), [
    ...bots,
    'vps1  credentials: /etc/x      hunter2222',
    'vps1  credentials: /etc/longer hunter3333',
  ])
  assert.equal(outputsJson([result({ outputs })]), { vps1: outputs })
})

test('a report of a run has its changes only with --diff', () => {
  const lines = (options: { check: boolean; diff: boolean }) => resultText([full], options).split('\n')
  assert.is(lines({ check: false, diff: true })[0], 'vps1  changed       file:/x: content')
  assert.match(lines({ check: false, diff: false })[0] ?? '', /^vps1 {2}unknown/)
  const failed = result({ error: new HostError('no'), resources: 3 })
  assert.equal(resultText([failed], { check: false, diff: false }, marked).split('\n'), [
    'vps1  <red failed>: no',
    'vps1  <red failed>  ok 0  changed 0  unknown 0  <red failed 1>  (0.9 s, 1 round trip)',
  ])
})

test('hosts stand under each other, each with the word of its end', () => {
  const ends = [
    result({ host: 'a', resources: 9 }),
    result({ host: 'long', error: new ConnectError('gone'), resources: 0 }),
    result({ host: 'b', error: new Reverted('back'), changes: full.changes }),
  ]
  assert.equal(resultText(ends, { check: false, diff: false }).split('\n').slice(-3), [
    'a     ok           ok 9  changed 0  unknown 0  failed 0  (0.9 s, 1 round trip)',
    'long  unreachable  ok 0  changed 0  unknown 0  failed 0  (0.9 s, 1 round trip)',
    'b     reverted     ok 0  changed 2  unknown 0  failed 1  (0.9 s, 1 round trip)',
  ])
  assert.equal(ends.map(statusOf), ['ok', 'unreachable', 'reverted'])
})

test('the exit code is that of the worst host', () => {
  const bug = new Bug(new Error('x'))
  const errors = [bug, new UsageError(''), new HostError(''), new Reverted(''), new ConnectError('')]
  const codes = [70, 1, 3, 5, 4]
  for (const [i, code] of codes.entries()) {
    const some = errors.slice(i).map((error) => result({ error }))
    assert.is(exitCodeOf(some.reverse(), false), code)
  }
  assert.equal(
    [exitCodeOf([full], true), exitCodeOf([full], false), exitCodeOf([result()], true), exitCodeOf([], true)],
    [2, 0, 0, 0],
  )
  assert.is(exitCodeOf([result({ unknowns: full.unknowns })], true), 2)
  assert.is(exitCodeOf([result({ error: new ConnectError('') }), full], true), 4)
})

test('programs are told everything about a host', () => {
  const failing = { ...full, error: new CommandFailed('x: y', 9, 'cmd', 'out\n', ['x']) }
  const changes = [
    { id: 'file:/x', summary: 'content', role: 'role of file:/x' },
    { id: 'unit:y', summary: 'start', role: 'role of unit:y' },
  ]
  const common = {
    ...{ changed: 2, unknown: 1, roundTrips: 2, seconds: 0.94 },
    unknowns: [{ id: 'a', cause: 'b', role: 'role of a' }],
    unmanageable: full.unmanageable.map((each) => ({ ...each, role: `role of ${each.id}` })),
  }
  assert.equal(resultJson([full], { diff: false }), {
    vps1: { status: 'ok', ok: 4, failed: 0, ...common, changes },
  })
  assert.equal(resultJson([failing], { diff: true }), {
    vps1: {
      ...{ status: 'failed', ok: 0, failed: 1 },
      ...common,
      changes: changes.map((change, i) => ({ ...change, diff: full.changes[i]?.diff })),
      error: 'x: y: exit code 9: cmd\nout',
      failure: {
        ...{ id: 'x', ids: ['x'], role: 'role of x', source: 'roles/base/index.ts:7', command: 'cmd', exitCode: 9 },
        output: 'out',
      },
    },
  })
  assert.equal(outputsJson([full, result({ host: 'b' })]), { vps1: { https: 'https://x', held: ['a', 'b'] } })
  assert.equal([rounded(1.239), rounded(0.001)], [1.24, 0])
  assert.is(failureJson(new UsageError('x'), full), undefined)
})

test('stages of a run add up', () => {
  const [sum] = together([full, { ...full, seconds: 1, roundTrips: 5, resources: 4, roleOf: () => '' }])
  assert.equal(
    [
      sum?.changes.length,
      sum?.unknowns.length,
      sum?.unmanageable.length,
      sum?.seconds,
      sum?.roundTrips,
      sum?.resources,
    ],
    [4, 2, 6, 1.944, 7, 14],
  )
  assert.equal(together([]), [])
})

const sources = { roleOf: () => 'base', sourceOf: (id: string) => (id === 'x' ? undefined : `at ${id}`) }
for (const [code, output, words] of [
  [1, 'No space left on device', 'the disk of the host is full: see df -h and df -i there, and make room'],
  [1, 'x\n/run, which is memory, has no room', 'make room in /run on the host: see df -h /run and df -i /run there'],
  [
    1,
    'Failed to start transient service unit: No space left on device',
    'make room in /run on the host: see df -h /run and df -i /run there',
  ],
  [1, 'Temporary failure resolving x', 'the host resolves no names: see /etc/resolv.conf there'],
  [1, 'Could not resolve host', 'the host resolves no names: see /etc/resolv.conf there'],
  [1, 'E: Failed to fetch', 'see /etc/apt/sources.list and sources.list.d on the host, and its way out'],
  [1, 'x does not have a Release file', 'see /etc/apt/sources.list and sources.list.d on the host, and its way out'],
  [1, 'after 600 s still: process 12 holds', 'another apt or dpkg is at work on the host: run again when it is done'],
  [137, 'whatever', 'out of memory is the usual reason: see journalctl -k on the host'],
  [1, 'x', 'run again when the reason is gone: what is as wanted already is left alone; -v shows all output'],
] as const)
  test(`a step that ends with ${code} and "${output}" has a next step`, () => {
    const error = new CommandFailed('a: b', code, 'cmd', output, ['x', 'y'])
    const lines = failureLines('vps1', 'failed', error, sources, plain)
    assert.is(lines.at(-1), `    next       ${words}`)
    assert.equal(lines.slice(1, 4), ['    role       base', '               base, at y', '    command    cmd'])
  })

test('an error without a step is a line, with its resource where there is one', () => {
  assert.equal(failureLines('h', 'failed', new UsageError('no'), sources, marked), ['h  <red failed>: no'])
  const error = Object.assign(new HostError('no'), { id: 'x' })
  assert.equal(failureLines('h', 'failed', error, sources, plain), ['h  failed: no', '    resource   x, base'])
  assert.equal(
    [meaningOf(126, ''), meaningOf(143, ''), meaningOf(100, 'apt-get -q'), meaningOf(129, '')],
    ['found, but cannot be run', 'killed by SIGTERM', 'apt failed', 'killed by SIGHUP'],
  )
})

test('a reporter on a terminal says when another host has ended, and -v what a step prints', () => {
  const lines: string[] = []
  let shown: readonly { host: string; title: string; said: string }[] = []
  const screen = {
    line: (text: string) => void lines.push(text),
    show: (now: typeof shown) => {
      shown = now
    },
    close: () => void lines.push('closed'),
  }
  const report = reporterOn(screen, { verbose: false, live: true, paint: marked })
  report.connected('a', facts)
  report.connected('b', { ...facts, container: 'lxc' })
  assert.equal(lines, [
    `a  connected: ${facts.osName}, amd64, 1024 MiB`,
    `b  connected: ${facts.osName}, amd64, 1024 MiB, a lxc container`,
  ])
  report.progress('a').waiting('waiting for\tx')
  assert.equal([lines.at(-1), shown[0]?.title], ['a  waiting for\tx', 'waiting for    x'])
  report.ended(result({ host: 'a', error: new HostError('no'), seconds: 2 }))
  assert.is(lines.at(-1), 'a  <dim ended: failed, 2.0 s>')
  assert.equal(
    shown.map(({ host }) => host),
    ['b'],
  )
  report.ended(result({ host: 'b' }))
  assert.is(lines.at(-1), 'a  <dim ended: failed, 2.0 s>')
  report.close()
  assert.is(lines.at(-1), 'closed')
  assert.is(report.underWay(), '')
})

test('a reporter has a colour for what begins, ends well and fails', () => {
  const lines: string[] = []
  const screen = { line: (text: string) => void lines.push(text), show: () => {}, close: () => {} }
  const progress = reporterOn(screen, { verbose: true, live: false, paint: marked }).progress('a')
  const step = { changes: [], title: 'x: y', script: sh`one`, long: false, guards: [] }
  progress.begin(step)
  progress.output('1 %\r2 %', step)
  progress.end(step, 1)
  progress.failed?.(step, 1.25)
  assert.equal(lines, [
    ...['a  <dim ▸> x: y', '<dim a    $ one>', 'a    2 %', 'a  <green ✓> x: y (1.0 s)', 'a  <red ✗> x: y (1.3 s)'],
  ])
})

test.run()
