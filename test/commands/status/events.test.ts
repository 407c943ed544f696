// What status.ts shows of the records of hosts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventsText, showEvents } from '../../../commands/status/events.ts'
import { noteEvent } from '../../../lib/engine/events.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { plain } from '../../../lib/std/colour.ts'
import { ConnectError, HostError } from '../../../lib/std/errors.ts'
import { shown } from '../../../lib/std/output.ts'
import { printed } from '../../support/printed.ts'
import { framedConnectionTo, scratchHost } from '../../support/scratch-host.ts'
import { statusHost, statusSession } from '../../support/status/host.ts'

const hosts = [statusHost([], { name: 'vps1' }), statusHost([], { name: 'vps2' }), statusHost([], { name: 'vps3' })]

/** A host with a record of these changes, `ID SUMMARY` each, of one run. */
async function hostWith(...changes: readonly (readonly [id: string, summary: string])[]) {
  const host = scratchHost()
  for (const [id, summary] of changes)
    await host.run(sh`${noteEvent({ holder: 'ops@laptop, bot.ts', run: 'a', wait: false }, id, summary)}`)
  return framedConnectionTo(host)
}

test('the records of all hosts are one, read in one round trip a host; what a host says begins no line', async () => {
  const first = await hostWith(['exec:shop', 'ran a\nvps9  x'], ['psql:shop', 'opened its database'])
  const second = await hostWith()
  const connections = new Map([
    ['vps1', first],
    ['vps2', second],
  ])
  const session = (json: boolean) =>
    statusSession(hosts.slice(0, 2), ({ name }) => connections.get(name) ?? first, { options: { json } })
  const { value, stdout } = await printed(() => showEvents(session(false)))
  assert.is(value, 0)
  assert.match(
    stdout,
    /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC {2}vps1 {2}ops@laptop, bot.ts\n {4}exec:shop: ran a\\nvps9 {2}x\n {4}psql:shop: opened its database\n$/,
  )
  assert.equal([first.roundTrips, second.roundTrips], [1, 1])
  const json = JSON.parse((await printed(() => showEvents(session(true)))).stdout)
  assert.equal(
    json.events.map(({ host, changes }: { host: string; changes: { id: string }[] }) => [host, changes.length]),
    [['vps1', 2]],
  )
})

test('a host that does not say it is told, and the others are shown', async () => {
  const first = await hostWith(['a', 'b'])
  const session = statusSession(hosts, ({ name }) => {
    if (name === 'vps1') return first
    throw name === 'vps2' ? new ConnectError('vps2: no route') : new HostError('vps3: torn')
  })
  const { value, stdout, stderr } = await printed(() => showEvents(session))
  assert.is(value, 3)
  assert.match(stdout, / {4}a: b\n$/)
  assert.is(stderr, 'vps2: no route\nvps3: torn\n')
})

test('the newest run is last; of a long one the end is shown, where it failed; of many runs the newest', () => {
  const change = (i: number) => ({ id: `package:p${i}`, summary: 'install', failed: i === 99 })
  const changes = Array.from({ length: 100 }, (_, i) => change(i))
  const one = { at: '2026-11-26T08:30:00Z', host: 'vps1', who: 'ops@laptop, site.ts', changes }
  const text = eventsText([one], plain).split('\n')
  assert.equal([text.length, text.at(9), text.at(-1)], [12, '    … 90 more', '    package:p99: install  (failed)'])
  const many = Array.from({ length: 40 }, (_, i) => ({ ...one, changes: [change(i)] }))
  assert.match(eventsText(many, plain), /p10: [\s\S]*p39: install$/)
  assert.not.match(eventsText(many, plain), 'p9:')
  assert.is(eventsText([], plain), 'nothing was changed yet')
})

test('a record that a host has made up obeys nobody', () => {
  const evil = '\u001b[2J\n\u202e'
  const made = { at: evil, host: 'vps1', who: evil, changes: [{ id: evil, summary: evil, failed: true }] }
  const text = shown(eventsText([made], plain))
  assert.is(text.split('\n').length, 2)
  for (const sign of ['\u001b', '\u202e']) assert.not.ok(text.includes(sign))
})

test.run()
