// What is made of the stream that a host sends.
import { inspect } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Busy } from '../../../lib/engine/host-lock.ts'
import { digestible, digestOf, parseReadings, readText } from '../../../lib/engine/read.ts'
import { applySteps, read, validate } from '../../../lib/engine/run-steps.ts'
import type { Step } from '../../../lib/engine/step.ts'
import { fromReading, guarded, notInContainer } from '../../../lib/model/combinators.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, resource, unknownUntilApply } from '../../../lib/model/resource.ts'
import { lines, quote, sh } from '../../../lib/shell/sh.ts'
import { type Connection, ConnectionLost } from '../../../lib/ssh/connection.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import type { FrameHandlers } from '../../../lib/ssh/framing.ts'
import { CommandFailed, ConnectError, HostError } from '../../../lib/std/errors.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { errorOf } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { shell } from '../../support/shell.ts'

const kindOf = (name: string, volatile = false): Kind<string> => ({
  name,
  ...(volatile && { volatile }),
  script: (names) => sh`echo ${name} ${names}`,
  parse: (output, names) => new Map(names.filter((each) => each !== 'lost').map((each) => [each, output.trim()])),
})
const [one, two, moving] = [kindOf('one'), kindOf('two'), kindOf('moving', true)]
const readings: Reading[] = [
  reading(one, 'a'),
  reading(two, 'b'),
  reading(one, 'c'),
  reading(one, 'a'),
  reading(moving, 'd'),
]
const step = (title: string, shown = title): Step => ({
  ...{ changes: [{ id: `id of ${title}`, change: { summary: title, script: sh`:` } }], title, long: false, guards: [] },
  script: { text: '', shown },
})

type Event = string | readonly string[]
/** A host that sends these marks and texts, and then a status, or is lost. */
function host(events: readonly Event[], end: number | Error = 0): { connection: Connection; scripts: string[] } {
  const scripts: string[] = []
  const connection: Connection = {
    ...{ facts, roundTrips: 0, fresh: async () => connection, close: async () => {} },
    request: async (script, handlers: Partial<FrameHandlers>, prelude = '') => {
      scripts.push(prelude, script('N'))
      for (const event of events)
        if (typeof event === 'string') handlers.text?.(Buffer.from(event))
        else handlers.mark?.(event)
      if (typeof end !== 'number') throw end
      return end
    },
  }
  return { connection, scripts }
}

function watching() {
  const told: string[] = []
  const progress = {
    begin: ({ title }: Step) => void told.push(`begin ${title}`),
    output: (line: string) => void told.push(`| ${line}`),
    waiting: (line: string) => void told.push(line),
    end: ({ title }: Step, seconds: number) => void told.push(`end ${title} ${seconds < 5 && seconds >= 0}`),
    failed: ({ title }: Step, seconds: number) => void told.push(`failed ${title} ${seconds < 5 && seconds >= 0}`),
  }
  return { progress, told }
}
const claim = { holder: 'me', wait: false }
const applied = (events: readonly Event[], end: number | Error = 0, steps = [step('first'), step('second')]) => {
  const { progress, told } = watching()
  const { connection, scripts } = host(events, end)
  const done = applySteps(connection, steps, { readings, digest: 'D', claim, progress })
  return { done, told, scripts }
}
const behind: Event[] = [['read', 'one'], '1\n', ['read', 'two'], '2\n', ['read', 'moving'], '3\n']

test('everything is asked for once, a command a kind, and comes back by name', async () => {
  const { connection, scripts } = host(behind)
  const { state, digest } = await read(connection, readings)
  assert.equal(
    [...state],
    [
      ['one:a', '1'],
      ['one:c', '1'],
      ['two:b', '2'],
      ['moving:d', '3'],
    ],
  )
  assert.is(
    await shell(readText(readings, 'N')),
    '\x1eN read one\none a c\n\x1eN read two\ntwo b\n\x1eN read moving\nmoving d\n',
  )
  assert.is(scripts.length, 2)
  // What moves by itself has no part in what a plan was made on.
  assert.is(await shell(digestible(readings)), 'one a c\ntwo b\n')
  const of = (text: string, moves = '') => {
    const outputs = new Map(
      Object.entries({ one: '1\n', two: text, moving: moves }).map(([k, t]) => [k, Buffer.from(t)]),
    )
    return digestOf(readings, outputs)
  }
  assert.equal([of('2\n', '3\n'), of('2\n', '4\n')], [digest, digest])
  assert.is.not(of('9\n'), digest)
  assert.match(digest, /^[0-9a-f]{64}$/)
})

test('a host that leaves out what was asked for is an error that names it', () => {
  assert.throws(() => parseReadings(readings, new Map([['one', Buffer.from('')]])), /^(?=.*the host).*two/)
  assert.throws(() => parseReadings([reading(one, 'lost')], new Map([['one', Buffer.from('x')]])), /one.* lost:\nx/)
})

test('steps are told as they begin, speak and end, and what is read stands behind them', async () => {
  const { done, told, scripts } = applied([
    ...[['taken'], ['begin', '0'], 'a\nb', '\nc\n\nd', ['end', '0', '0'], ['begin', '1'], 'é'],
    ...[['end', '1', '0'], ...behind],
  ])
  assert.equal([...((await done)?.state ?? [])].length, 4)
  assert.equal(told, [
    ...['begin first', '| a', '| b', '| c', '| ', 'end first true'],
    ...['begin second', 'end second true'],
  ])
  assert.match(scripts[0] ?? '', /lock/)
})

test('a character that comes in two pieces is one', async () => {
  const { progress, told } = watching()
  const connection: Connection = {
    ...{ facts, roundTrips: 0, fresh: async () => connection, close: async () => {} },
    request: async (_script, { mark, text }) => {
      mark?.(['begin', '0'])
      for (const byte of Buffer.from('aé\n')) text?.(Buffer.from([byte]))
      mark?.(['end', '0', '0'])
      return 0
    },
  }
  await validate(connection, [step('x')], progress)
  assert.equal(told, ['begin x', '| aé', 'end x true'])
})

test('the first step that fails is the error, with the end of what it printed, masked', async () => {
  const many = Array.from({ length: 31 }, (_, i) => `line ${i}`).join('\n')
  new Secret('s3cret-words')
  const { done, told } = applied([['begin', '0'], `${many} s3cret-words\n\n`, ['end', '0', '9']], 9)
  const error = await errorOf(done, CommandFailed)
  assert.equal([error.status, error.where, error.step.ids, error.step.command], [9, 'first', ['id of first'], 'first'])
  assert.equal(error.step.output.split('\n').slice(0, 2), ['… 1 lines before', 'line 1'])
  assert.is(error.step.output.split('\n').at(-1), 'line 30 ***')
  assert.is(told.at(-1), 'failed first true')
  const short = await errorOf(
    applied([['begin', '0'], Array(30).fill('x').join('\n'), ['end', '0', '1']], 1).done,
    CommandFailed,
  )
  assert.is(short.step.output.split('\n').length, 30)
})

test('a step that never ceases to speak is kept in part', async () => {
  const flood = Array.from({ length: 30 }, (_, i) => `${'x'.repeat(9_999)}\n${i}`)
  const { done } = applied([['begin', '0'], ...flood, '\nlast words\n', ['end', '0', '1']], 1)
  assert.is((await errorOf(done, CommandFailed)).step.output.split('\n').at(-1), 'last words')
})

test('a host that moved is no error, one that is held by another is', async () => {
  assert.is(await applied([['taken'], ['drift']]).done, undefined)
  const busy = await errorOf(applied([['held'], 'ann, since 1\n'], 75).done, Busy)
  assert.is(busy.message, 'is being changed by ann, since 1: --wait waits for it')
  const events = [['held'], 'ann, since 1\n', ['taken'], ['begin', '0'], ['end', '0', '0'], ...behind]
  const { done, told } = applied(events, 0, [step('first')])
  await done
  assert.is(told[0], 'waiting for ann, since 1')
})

test('an end outside of any step, and a connection that is lost in one', async () => {
  const error = await errorOf(applied([['taken'], 'sh: syntax error\n'], 2).done, HostError)
  assert.is(error.message, 'ended with exit code 2 outside any step: sh: syntax error\n')
  const target = { name: 'vps1', ssh: 'vps1', sshConfig: undefined, acceptNew: false }
  const lost = new ConnectionLost(target, 'x\nTimeout, server not responding.\n')
  assert.is(lost.message, 'vps1: the connection was lost: Timeout, server not responding.')
  assert.is(new ConnectionLost(target, '').message, 'vps1: the connection was lost')
  const during = await errorOf(
    applied([['begin', '0'], ['end', '0', '0'], ['begin', '1'], 'x'], lost).done,
    ConnectError,
  )
  assert.is(
    during.message,
    `${lost.message}\nwhile running second: the host finishes that by itself; run again for the rest`,
  )
  assert.is(during.cause, lost)
  assert.is(
    await errorOf(
      applied(
        [
          ['begin', '0'],
          ['end', '0', '0'],
        ],
        lost,
      ).done,
    ),
    lost,
  )
  const bug = new TypeError('oops')
  assert.is(await errorOf(applied([['begin', '0']], bug).done), bug)
  assert.is(await ask(host(['a', ['x'], 'b']).connection, sh`:`), 'ab')
})

test('a script is shown without its indent and its secrets, and run with them', async () => {
  const secret = new Secret(`it's 5 words`)
  const inner = sh`echo ${['a b', 'c']} ${3} ${secret}`
  const script = sh`
    ${inner}
      echo \$HOME \`echo x\``
  assert.is(await shell(inner.text), `a b c 3 it's 5 words\n`)
  assert.is(script.shown, "echo 'a b' c 3 '***'\n  echo $HOME `echo x`")
  const both = lines([sh`a`, sh`b`])
  assert.equal([both.text, both.shown], ['a\nb', 'a\nb'])
  assert.equal(['plain-Word_1.2/3:4,5+6=7@8%9', '', 'a b', "it's", 'é', '~', '*'].map(quote), [
    'plain-Word_1.2/3:4,5+6=7@8%9',
    "''",
    "'a b'",
    `'it'\\''s'`,
    "'é'",
    "'~'",
    "'*'",
  ])
  assert.equal([`${secret}`, inspect({ secret })], ['***', '{ secret: *** }'])
  assert.is(JSON.stringify({ secret }), '{"secret":"***"}')
  assert.throws(() => quote('a\0'), /^TypeError|a NUL byte cannot be passed to a shell/)
})

test('a resource of what was read, a guarded one, and one of the machine below', () => {
  const a = reading(one, 'a')
  const made = fromReading(a, 'sample', (state: string) =>
    resource({
      ...{ id: 'x', wants: '', reads: { b: reading(two, 'b') } },
      plan: ({ b }) => [{ summary: `${state} ${b}`, script: sh`:` }],
    }),
  )
  assert.equal(
    made.reads.map(({ key }) => key),
    ['two:b', 'one:a'],
  )
  const state = new Map([
    ['one:a', 'A'],
    ['two:b', 'B'],
  ])
  const look = <S>({ key }: Reading<S>) => state.get(key) as S
  assert.is(made.plan(look)[0]?.summary, 'A B')
  const guard = { name: 'g', paths: [], restore: sh`:` }
  assert.equal(guarded(made, guard).plan(look)[0]?.guard, guard)
  assert.is(notInContainer(made, { container: '' }), made)
  const below = notInContainer(made, { container: 'lxc' })
  assert.equal(
    [below.unmanageable, below.plan(look), below.reads],
    ['belongs to the machine that runs this lxc container', [], []],
  )
  assert.equal(unknownUntilApply(a), { key: 'one:a', unknownUntilApply: true })
  const follows = becomes(a, (before, readOther) => `${before}${readOther(reading(two, 'b'))}`)
  assert.is('after' in follows && follows.after('A', look), 'AB')
})

test.run()
