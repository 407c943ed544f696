// The record on a host of what runs have changed there.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  eventFunctions,
  eventsFile,
  eventsScript,
  membersOf,
  noteEvent,
  parseEvents,
} from '../../../lib/engine/events.ts'
import type { PlannedChange } from '../../../lib/engine/plan.ts'
import { applySteps } from '../../../lib/engine/run-steps.ts'
import { stepsOf } from '../../../lib/engine/step.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { CommandFailed } from '../../../lib/std/errors.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import { errorOf } from '../../support/errors.ts'
import { framedConnectionTo, scratchHost } from '../../support/scratch-host.ts'

const claim = (holder = 'ops@laptop, site.ts', run = 'a1') => ({ holder, run, wait: false })
const step = (...changes: (readonly [id: string, summary: string])[]) => ({
  changes: changes.map(([id, summary]): PlannedChange => ({ id, change: { summary, script: sh`:`, predicts: [] } })),
})
const script = (...lines: string[]) => ({
  text: `since='2026-11-26 08:30:00 UTC'\n${eventFunctions}\n${lines.join('\n')}`,
  shown: '',
})
const note = (members: string, status = 0) => `note_event ${sh`${members}`.text} ${status}`

test('each step of a run is a line, and a run is told from the others', async () => {
  const host = scratchHost()
  const evil = `it's "x" \\n $(touch /x) %s`
  await host.run(
    script(
      note(membersOf(step(['package:a', 'install'], ['package:b', evil]), claim())),
      note(membersOf(step(['unit:a', 'start']), claim()), 1),
      note(membersOf(step(['bot:x', 'remove']), claim('me@home, bot.ts', 'b2'))),
    ),
  )
  const events = parseEvents((await host.run(eventsScript)).stdout)
  assert.equal(events, [
    {
      at: '2026-11-26T08:30:00Z',
      who: 'ops@laptop, site.ts',
      changes: [
        { id: 'package:a', summary: 'install', failed: false },
        { id: 'package:b', summary: evil, failed: false },
        { id: 'unit:a', summary: 'start', failed: true },
      ],
    },
    {
      at: '2026-11-26T08:30:00Z',
      who: 'me@home, bot.ts',
      changes: [{ id: 'bot:x', summary: 'remove', failed: false }],
    },
  ])
  assert.is(host.mode(eventsFile), '600')
})

test('steps that run, also side by side and one that fails, are noted in the request that runs them', async () => {
  const host = scratchHost()
  const connection = framedConnectionTo(host)
  const change = (id: string, script: Script, lane?: string) => ({
    id,
    change: { summary: `do ${id}`, script, predicts: [], ...(lane && { lane, atOnce: 2 }) },
  })
  const steps = [
    change('first', sh`:`),
    ...['a', 'b', 'c'].map((lane) => change(lane, lane === 'c' ? sh`exit 3` : sh`:`, lane)),
    change('never', sh`:`),
  ]
  const progress = { begin: () => {}, output: () => {}, waiting: () => {}, end: () => {} }
  const options = { readings: [], digest: sha256Of(''), claim: claim(), progress }
  await errorOf(applySteps(connection, stepsOf(steps), options), CommandFailed)
  assert.is(connection.roundTrips, 1)
  const [event, ...others] = parseEvents(host.read(eventsFile))
  assert.equal(others, [])
  assert.equal(
    [event?.changes.at(0)?.id, event?.changes.map(({ id, failed }) => `${id} ${failed}`).sort()],
    [...['first', ['a false', 'b false', 'c true', 'first false']]],
  )
})

test('one thing that a script does can be noted from inside of it', async () => {
  const host = scratchHost()
  const { code } = await host.run(sh`
    set -eu
    ${noteEvent(claim(), 'restore:shop', 'its database, from 20261126')}
    true`)
  assert.is(code, 0)
  const [event] = parseEvents(host.read(eventsFile))
  assert.match(event?.at ?? '', /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.equal(event?.changes, [{ id: 'restore:shop', summary: 'its database, from 20261126', failed: false }])
})

test('the record is bounded, in lines and in all', async () => {
  const host = scratchHost()
  const many = Array.from({ length: 300 }, (_, i) => [`package:p${i}`, 'x'.repeat(500)] as const)
  const members = membersOf(step(...many), claim())
  assert.ok(members.length < 4000, String(members.length))
  assert.equal(parseEvents(`{"at":"2026-11-26 08:30:00 UTC",${members},"status":0}`)[0]?.changes.at(-1), {
    ...{ id: '…', summary: 'and 288 more', failed: false },
  })
  const line = `{"at":"2026-11-26 08:30:00 UTC",${membersOf(step(['a', 'b']), claim())},"status":0}\n`
  host.write(eventsFile, line.repeat(Math.ceil(1_000_001 / line.length)))
  await host.run(script(note(membersOf(step(['the', 'last']), claim('me', 'z')))))
  const text = host.read(eventsFile)
  assert.ok(text.length < 510_000, String(text.length))
  assert.is(parseEvents(text).at(-1)?.who, 'me')
  assert.is(host.mode(eventsFile), '600')
})

test('what is no line of ours is left out, and a secret is not written', () => {
  const secret = new Secret('a-secret-of-the-operator')
  assert.not.match(membersOf(step(['x', `set ${secret.reveal()}`]), claim()), secret.reveal())
  const good = `{"at":"2026-11-26 08:30:00 UTC",${membersOf(step(['a', 'b']), { holder: 'me', wait: false })},"status":0}`
  for (const bad of [
    '',
    'x',
    '{}',
    '[]',
    'null',
    '{"at":"today"}',
    good.slice(9),
    good.replace('08:30', 'now'),
    `${good}${good}`,
  ])
    assert.equal(parseEvents(`${bad}\n${good}\n${bad}`).length, 1, bad)
})

test('that it cannot be written stops nothing', async () => {
  const host = scratchHost()
  host.write(`${eventsFile}/in-the-way`, '')
  const { code } = await host.run(script('set -e', note(membersOf(step(['a', 'b']), claim())), 'echo went on'))
  assert.is(code, 0)
})

test.run()
