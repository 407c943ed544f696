import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { HostStatus } from '../../../commands/status/host-status.ts'
import { statusHtml } from '../../../commands/status/html.ts'
import { screenText } from '../../../commands/status/screen.ts'
import { statusText } from '../../../commands/status/text.ts'
import { plain } from '../../../lib/std/colour.ts'
import { shown } from '../../../lib/std/output.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { now } from '../../support/status/health.ts'
import { hostile, saying, whole } from '../../support/status/shown.ts'

const at = new Date(now)

test('a bot is a line, with a line for each of its processes', () => {
  const lines = statusText([whole], plain)
    .split('\n')
    .map((line) => line.trimEnd())
  assert.equal(lines, [
    'vps1',
    '  up: 24 h   load: 0.20 on 2 cpus   memory: 40 % of 2000 MB   disk /: 40 % of 39 GB   connections: 6 of 100',
    '  certificate b.example.org: ends 2027-02-10, by R1   backup: on the host 60 min old, here 60 min old',
    '  checked from here: 2 h ago: as wanted',
    '  bot            release              age  mode     health   restarts  memory     updates  errors  webhook',
    '  hello          20261126-060000-abc  3 h  webhook  healthy  0         60/160 MB  2.0/min  0       0 pending',
    '    worker                                          healthy  0         30/64 MB',
    '  a-longer-name  not deployed',
    '  hello job digest: ok on 2026-11-26 08:00 UTC, 2 s',
    '  hello domains: shop.example.org',
    '',
    'nothing needs you',
  ])
})

test('what needs a person comes last, each with the command that is next', () => {
  const finding = { level: 'error', id: 'health', bot: 'hello', what: 'it is ill', next: 'npx zx x' } as const
  const lines = statusText([{ ...whole, bots: [], findings: [finding] }], plain)
    .split('\n')
    .slice(-2)
  assert.equal(lines, ['vps1  hello  error: it is ill', '    next: npx zx x'])
  const lost: HostStatus = { host: 'vps2', bots: [], findings: [], roundTrips: 0, exitCode: 4 }
  assert.match(statusText([lost], plain), /^vps2 {2}could not be read$/m)
})

test('on a narrow terminal no line is wider than it, and all that the table has is said', () => {
  const lines = statusText([whole], plain, 60).split('\n')
  assert.equal(
    lines.filter((line) => line.length > 60),
    [],
  )
  assert.equal(lines.slice(lines.indexOf('  hello')).slice(0, 6), [
    '  hello',
    '    release 20261126-060000-abc   age 3 h   mode webhook',
    '    health healthy   restarts 0   memory 60/160 MB',
    '    updates 2.0/min   errors 0   webhook 0 pending',
    '    worker',
    '      health healthy   restarts 0   memory 30/64 MB',
  ])
})

test('what is watched fits the terminal: what needs a person is there, and what is left out is counted', () => {
  const findings = (['warning', 'error'] as const).map(
    (level) => ({ level, id: 'x', what: `is ${level} ${'long '.repeat(12)}`, next: 'npx zx x' }) as const,
  )
  const all = Array.from({ length: 8 }, (_, i) => ({ ...whole, host: `vps${i}`, findings: i === 7 ? findings : [] }))
  const text = (size: { columns: number; rows: number }) => screenText(all, at, plain, size).split('\n')
  const [time, first = '', next, second = ''] = text({ columns: 60, rows: 24 })
  assert.equal([time, next], ['09:00:00 UTC', '    next: npx zx x'])
  assert.match(first, /^vps7 {2}error: /)
  assert.match(second, /^vps7 {2}warning: /)
  for (const rows of [5, 6, 24, 40]) {
    const lines = text({ columns: 60, rows })
    const height = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 60)), 0)
    assert.ok(height < rows && height >= rows - 2, `${height} of ${rows}`)
    const left = text({ columns: 60, rows: 1000 }).length - lines.length + 1
    assert.is(lines.at(-1), `… ${left} more lines: make the terminal larger`)
  }
  assert.not.match(text({ columns: 60, rows: 1000 }).join('\n'), '…')
})

test('what a host says is text of the page, and nothing else', () => {
  const page = statusHtml([saying(hostile)], at)
  assert.not.match(page, /<script|<img/)
  for (const sign of ['\u001b', '\u202e']) assert.not.ok(page.includes(sign))
  assert.match(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&amp;\\u001b\[31m\\n&lt;img src=x&gt;\\u202e/)
  const tags = [...page.matchAll(/<\/?([a-z0-9]+)/g)].map(([, tag]) => tag)
  assert.equal(
    tags.filter((tag) => ['script', 'img', 'link', 'iframe', 'object', 'a', 'svg'].includes(tag ?? '')),
    [],
  )
})

test('on the terminal a text of a host moves no cursor and begins no line', () => {
  const text = shown(statusText([saying(hostile)], plain))
  assert.not.match(text, /^<img/m)
  for (const sign of ['\u001b', '\u202e']) assert.not.ok(text.includes(sign))
})

test('the page loads nothing, is dark and light, and fits a phone', () => {
  const page = statusHtml([whole], at)
  assert.not.match(page, /\b(src|href|srcset|action)=|url\(|@import|https?:\/\//)
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/)
  assert.match(page, /prefers-color-scheme: dark/)
  assert.match(page, /<meta name="viewport" content="width=device-width/)
  assert.match(page, /max-width: 48rem/)
  assert.match(page, /as of <time datetime="2026-11-26T09:00:00.000Z">2026-11-26 09:00 UTC</)
})

test('a secret is in neither', () => {
  new Secret('123456:a-token-that-a-host-repeats')
  const all = [saying('x 123456:a-token-that-a-host-repeats')]
  assert.not.match(statusHtml(all, at), /a-token-that/)
  assert.not.match(shown(statusText(all, plain)), /a-token-that/)
})

test.run()
