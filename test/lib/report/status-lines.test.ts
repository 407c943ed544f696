import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Activity, frame, stripControl } from '../../../lib/report/status-lines.ts'
import { plain } from '../../../lib/std/colour.ts'
import { Secret } from '../../../lib/std/secret.ts'

const now = 100_000
const at = (host: string, title: string, seconds: number, said = ''): Activity => ({
  host,
  title,
  since: now - seconds * 1000,
  said,
})
const drawn = (activities: Activity[], { width = 60, height = 10 } = {}) =>
  frame(activities, { width, height, now, paint: plain })

test('shows each host with its step, for how long, and what that said last', () => {
  assert.equal(drawn([at('vps1', 'package:ufw: install', 12, 'Unpacking ufw'), at('vps2', 'read', 13)]), [
    'vps2  ▸ read  13 s',
    'vps1  ▸ package:ufw: install  12 s',
    '        Unpacking ufw',
  ])
})

test('cuts what is wider than the terminal, but never the seconds', () => {
  const wide = at('vps1', 'a title that is far too long', 7, 'a line that is far too long')
  assert.equal(drawn([wide], { width: 20 }), ['vps1  ▸ a titl…  7 s', '        a line that…'])
})

test('never has more lines than the terminal: first what was said goes, then hosts', () => {
  const twenty = Array.from({ length: 20 }, (_, i) => at(`vps${i}`, 'read', 20 - i, 'words'))
  assert.is(drawn(twenty, { height: 22 }).length, 22)
  assert.is(drawn(twenty, { height: 22 }).filter((line) => line.includes('words')).length, 2)
  assert.equal(drawn(twenty, { height: 3 }), ['vps0  ▸ read  20 s', 'vps1  ▸ read  19 s', '… and 18 more'])
})

test('lets nothing through that moves a cursor', () => {
  assert.is(stripControl('\x1b[2K\x1b[32m10 %\r50 %\r\x1b[1mdone\x1b[0m\x07\r'), 'done')
})

test('what is drawn is without secrets, and what is made visible counts as it is shown', () => {
  const title = `set ${new Secret('hunter2222').reveal()}\u202e\nx`
  assert.equal(drawn([at('vps1', title, 7)]), ['vps1  ▸ set ***\\u202e\\nx  7 s'])
  assert.equal(drawn([at('vps1', `a\u202e${'b'.repeat(20)}`, 7)], { width: 20 }), ['vps1  ▸ a\\u202…  7 s'])
})

test.run()
