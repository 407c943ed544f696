// Steps of several lanes, in a real sh.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf, predecessorsOf } from '../../../lib/engine/blocks.ts'
import { applySteps } from '../../../lib/engine/run-steps.ts'
import type { Step } from '../../../lib/engine/step.ts'
import { stepsText } from '../../../lib/engine/steps.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { frames } from '../../../lib/ssh/framing.ts'
import { CommandFailed, HostError } from '../../../lib/std/errors.ts'
import { errorOf } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { shell } from '../../support/shell.ts'

const folder = mkdtempSync(join(tmpdir(), 'side-by-side-test-'))
test.after(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = () => join(folder, String(files++))

const step = (lane: string | undefined, script: Script, atOnce?: number): Step => ({
  ...{ changes: [], title: `${lane}: ${script.shown}`, script, long: false, guards: [] },
  ...(lane !== undefined && { lane }),
  ...(atOnce !== undefined && { atOnce }),
})
const scriptOf = (steps: readonly Step[], before = '', here = fresh()) =>
  `(\nholding() { :; }\n${before}\n${stepsText(steps, 'N').replaceAll('/run/botgarden', here)}\n) </dev/null`

const ran = async (steps: readonly Step[]) => eventsOf(await shell(scriptOf(steps)))

/** The marks in an answer, and what each step has printed, by its index. */
function eventsOf(output: string) {
  const marks: string[] = []
  const texts: Record<string, string> = {}
  let speaker = ''
  frames('N', {
    mark: ([word = '', index = '', ...rest]) => {
      speaker = index
      if (word !== 'line') marks.push([word, index, ...rest].join(' '))
    },
    text: (bytes) => {
      texts[speaker] = (texts[speaker] ?? '') + bytes
    },
  })(Buffer.from(output))
  return { marks, texts }
}

/** A script that waits until so many have come to the same place, or for ten seconds. */
const meet = (place: string, count: number) => sh`
  echo here >>${place}
  for _ in $(seq 100); do [ "$(wc -l <${place})" -lt ${count} ] || exit 0; sleep 0.1; done
  exit 9`

test('the first lane runs alone, the others side by side, and what follows them comes last', async () => {
  const [place, first] = [fresh(), fresh()]
  const alone = sh`sleep 0.3; [ ! -e ${place} ]; echo done >${first}`
  const after = (script: Script) => sh`[ -s ${first} ]; ${script}`
  const { marks } = await ran([
    step(undefined, sh`[ ! -e ${first} ]`),
    step('a', sh`echo one`),
    step('a', alone),
    ...['b', 'c', 'd'].map((lane) => step(lane, after(meet(place, 3)))),
    step(undefined, sh`[ "$(wc -l <${place})" = 3 ]`),
  ])
  assert.equal(marks.slice(0, 6), ['begin 0', 'end 0 0', 'begin 1', 'end 1 0', 'begin 2', 'end 2 0'])
  assert.equal(marks.slice(6, 9).sort(), ['begin 3', 'begin 4', 'begin 5'])
  assert.equal(marks.slice(9, 12).sort(), ['end 3 0', 'end 4 0', 'end 5 0'])
  assert.equal(marks.slice(12), ['begin 6', 'end 6 0'])
})

test('no more lanes run at a time than the smallest number of their steps', async () => {
  const [going, first, second] = [fresh(), fresh(), fresh()]
  // Each is there until the other of its pair is: so two do run at a time, and by what each sees never three.
  const count = (meeting: Script) => sh`
    own=${going}/$(cat /proc/sys/kernel/random/uuid)
    mkdir -p "$own"; ls ${going} | wc -l; (${meeting}
    ); ended=$?; rmdir "$own"; exit "$ended"`
  const scripts = [sh`:`, ...[first, first, second, second].map((place) => meet(place, 2))]
  const { marks, texts } = await ran(scripts.map((script, i) => step(`lane ${i}`, count(script), i === 3 ? 2 : 5)))
  assert.is(marks.filter((mark) => /^end \d 0$/.test(mark)).length, 5)
  assert.is(Math.max(...Object.values(texts).map(Number)), 2)
})

test('after a lane that failed none begins, and those that have begun go on to their end', async () => {
  const place = fresh()
  const { marks } = await ran([
    step('a', sh`:`),
    step('b', sh`${meet(place, 2)}`, 2),
    step('b', sh`sleep 0.5; echo webhook`),
    step('c', sh`echo here >>${place}; while [ "$(wc -l <${place})" -lt 2 ]; do sleep 0.1; done; exit 7`),
    step('c', sh`echo never`),
    step('d', sh`echo never`),
    step(undefined, sh`echo never`),
  ])
  assert.equal(marks.toSorted(), [
    ...['begin 0', 'begin 1', 'begin 2', 'begin 3', 'end 0 0', 'end 1 0', 'end 2 0', 'end 3 7'],
  ])
})

test('where the first lane fails no other begins', async () => {
  const { marks } = await ran([step('a', sh`exit 7`), step('a', sh`:`), step('b', sh`:`), step('c', sh`:`)])
  assert.equal(marks, ['begin 0', 'end 0 7'])
})

/** Runs long steps, each in what stands in for a unit of systemd. */
async function ranLong(steps: readonly Step[]) {
  const here = fresh()
  mkdirSync(here)
  const standIn = `#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@" >/dev/null 2>&1\n`
  writeFileSync(join(here, 'systemd-run'), standIn, { mode: 0o755 })
  const moved = (text: string) => text.replaceAll('/run/botgarden', here)
  const text = moved(
    scriptOf(
      steps.map((each) => ({ ...each, long: true })),
      `PATH=${here}:$PATH`,
      here,
    ),
  ).replace(
    /printf %s (\S+) \| base64 -d/g,
    (_, encoded) =>
      `printf %s ${Buffer.from(moved(Buffer.from(encoded, 'base64').toString())).toString('base64')} | base64 -d`,
  )
  return eventsOf(await shell(text))
}

test('the others begin when the first one passes, although it has more to do', async () => {
  const [place, end] = [fresh(), fresh()]
  const { marks } = await ranLong([
    step('a', sh`: >"$passed"; (${meet(place, 3)}); echo >${end}`),
    ...['b', 'c'].map((lane) => step(lane, sh`[ ! -e ${end} ]; echo >>${place}`)),
  ])
  assert.equal(marks.filter((mark) => mark.startsWith('end')).sort(), ['end 0 0', 'end 1 0', 'end 2 0'])
  assert.is(marks[0], 'begin 0')
})

test('a step beside which none runs has nothing to pass', async () => {
  const { marks } = await ranLong([step('a', sh`[ -z "$passed" ] || exit 9; sleep 0.5`)])
  assert.equal(marks, ['begin 0', 'end 0 0'])
})

test('each line is told with the step that printed it', async () => {
  const place = fresh()
  const say = (word: string) =>
    sh`(${meet(place, 3)}); i=0; while [ $i -lt 300 ]; do echo ${word} $i; i=$((i + 1)); done; printf ${word}`
  const { texts } = await ran([step('a', sh`:`), ...['b', 'c', 'd'].map((lane) => step(lane, say(lane)))])
  for (const [i, word] of [
    [1, 'b'],
    [2, 'c'],
    [3, 'd'],
  ] as const) {
    const lines = texts[i]?.split('\n') ?? []
    assert.equal(
      lines.slice(0, 300),
      Array.from({ length: 300 }, (_, n) => `${word} ${n}`),
    )
    assert.equal(lines.slice(300), [word, ''])
  }
})

test('where nobody listens any more the steps that have begun end, none begins, and the shell ends', async () => {
  const [place, ends, never] = [fresh(), fresh(), fresh()]
  const noisy = sh`
    echo here >>${place}; while [ "$(wc -l <${place})" -lt 2 ]; do sleep 0.1; done
    i=0; while [ $i -lt 2000 ]; do echo a line that fills the pipe until it breaks; i=$((i + 1)); done
    echo whole >>${ends}`
  const lost = sh`echo begun >>${never}`
  const steps = [
    step('a', sh`:`),
    ...['b', 'c'].flatMap((lane) => [step(lane, noisy, 2), step(lane, lost)]),
    step('d', lost),
    step(undefined, lost),
  ]
  await shell(`${scriptOf(steps)} | head -c 500 >/dev/null`)
  assert.is(readFileSync(ends, 'utf8'), 'whole\nwhole\n')
  assert.not.ok(existsSync(never))
})

test('a single lane is a plain order of steps', () => {
  const text = stepsText([step('a', sh`echo one`), step('a', sh`echo two`)], 'N')
  assert.not.match(text, 'side_by_side')
  assert.equal(blocksOf([step('a', sh`:`), step('a', sh`:`)]), [{ lanes: [[0, 1]], atOnce: 1 }])
})

test('a step waits for the one before it in its lane, and the first of a lane for all before the lanes', () => {
  const lanes = [undefined, 'a', 'a', 'b', 'c', 'b', undefined, 'c']
  const blocks = blocksOf(lanes.map((lane) => step(lane, sh`:`)))
  assert.equal(
    blocks.map((block) => block.lanes),
    [[[0]], [[1, 2], [3, 5], [4]], [[6]], [[7]]],
  )
  assert.equal(Object.fromEntries(predecessorsOf(blocks)), {
    ...{ 0: [], 1: [0], 2: [1], 3: [0], 5: [3], 4: [0], 6: [2, 5, 4], 7: [6] },
  })
})

/** What a run makes of these marks and texts of a host. */
async function heard(steps: readonly Step[], events: readonly (string | readonly string[])[], status: number) {
  const told: string[] = []
  const connection = {
    ...{ facts, roundTrips: 0, close: async () => {} },
    request: async (_: unknown, { mark, text }: Parameters<Connection['request']>[1]) => {
      for (const event of events) {
        if (typeof event === 'string') text?.(Buffer.from(event))
        else mark?.(event)
      }
      return status
    },
  } as unknown as Connection
  const tell = (word: string) => (given: Step) => void told.push(`${word} ${given.lane}`)
  const progress = {
    ...{ begin: tell('begin'), waiting: () => {}, end: tell('end'), failed: tell('failed') },
    output: (line: string, given: Step) => void told.push(`${given.lane}| ${line}`),
  }
  const claim = { holder: 'me', wait: false }
  const done = applySteps(connection, steps, { readings: [], digest: 'D', claim, progress })
  return { done, told }
}
const three = ['a', 'b', 'c'].map((lane) => step(lane, sh`echo ${lane}`))
const first = [
  ['begin', '0'],
  ['end', '0', '0'],
] as const

test('steps that run side by side are told each by itself', async () => {
  const { done, told } = await heard(
    three,
    [
      ...first,
      ...[['begin', '1'], ['begin', '2'], ['line', '1'], 'one\n', ['line', '2'], 'two\n', ['line', '1'], 'three\n'],
      ...[['end', '2', '0'], ['line', '1'], 'four\n', ['end', '1', '0']],
    ],
    0,
  )
  await done
  assert.equal(told, [
    ...['begin a', 'end a', 'begin b', 'begin c', 'b| one', 'c| two', 'b| three', 'end c', 'b| four', 'end b'],
  ])
})

test('all that failed side by side are told, the first as the error', async () => {
  const { done } = await heard(
    three,
    [
      ...first,
      ...[['begin', '1'], ['begin', '2'], ['line', '2'], 'why of c\n', ['end', '2', '3'], ['line', '1'], 'why of b\n'],
      ['end', '1', '4'],
    ],
    3,
  )
  const error = await errorOf(done, CommandFailed)
  assert.equal([error.where, error.status, error.step.output], ['c: echo c', 3, 'why of c'])
  assert.match(
    error.message,
    /^c: echo c: exit code 3: echo c\nwhy of c\nalso failed: b: echo b: exit code 4.*\n {2}why of b$/,
  )
})

for (const [what, events] of [
  ['a lane begins twice', [...first, ['begin', '1'], ['begin', '1']]],
  ['a line comes from a step that does not run', [...first, ['begin', '1'], ['line', '2']]],
  ['a step ends that has not begun', [...first, ['end', '1', '0']]],
  ['one of them never ends', [...first, ['begin', '1'], ['begin', '2'], ['end', '2', '0']]],
  ['one of them never begins', [...first, ['begin', '1'], ['end', '1', '0']]],
] as const)
  test(`an answer in which ${what} is an error of the host`, async () => {
    const { done } = await heard(three, events, 0).catch((error) => ({ done: Promise.reject(error) }))
    await errorOf(done, HostError)
  })

test.run()
