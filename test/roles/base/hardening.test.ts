import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hardening, withSetting } from '../../../roles/base/hardening.ts'
import { planOf } from '../../support/plan-of.ts'

const all = hardening()
const installed = Object.fromEntries(
  all.filter(({ id }) => id.startsWith('package:')).map(({ id }) => [id, { version: '1' }]),
)
const folders = Object.fromEntries(
  all
    .filter(({ id }) => id.startsWith('directory:'))
    .map(({ id, wants }) => [id.replace('directory:', 'file:'), { type: 'directory', ...(wants as object) }]),
)
const isAide = (line: string) => line.includes('aide') || line.includes('botgarden-changes')

test('a bare host gets packages first, then files, then the daily report', () => {
  const plan = planOf(all, {})
  const kinds = plan.map((line) => line.replace(/:.*/, ''))
  assert.is(kinds.lastIndexOf('package') + 1, kinds.filter((kind) => kind === 'package').length)
  assert.equal(plan.slice(-2), ['unit:botgarden-changes.timer: enable', 'unit:botgarden-changes.timer: start'])
  assert.not.ok(plan.some((line) => line.includes('unknown')))
})

test('a file with other content, or another mode, is the one change', () => {
  const first = planOf(all, {})
  const spoilt = planOf(all, { ...installed, ...folders })
  const path = '/etc/modprobe.d/botgarden.conf'
  assert.ok(first.includes('directory:/etc/modprobe.d: create'))
  assert.not.ok(spoilt.includes('directory:/etc/modprobe.d: create'))
  assert.ok(spoilt.includes(`file:${path}: create`))
  const wants = all.find(({ id }) => id === `file:${path}`)?.wants as { content: string } | undefined
  const sha256 = createHash('sha256').update(`${wants?.content}`).digest('hex')
  const there = { type: 'file', mode: '0600', owner: 'root', group: 'root', sha256 }
  const plan = planOf(all, { ...installed, ...folders, [`file:${path}`]: there })
  assert.equal(
    plan.filter((line) => line.includes('modprobe')),
    [`file:${path}: mode 0600 → 0644`],
  )
})

test("whoever has Debian's own way to run aide keeps his configuration", () => {
  assert.ok(planOf(all, {}).some((line) => isAide(line) && !line.startsWith('package:')))
  assert.equal(
    planOf(all, { ...installed, 'package:aide-common': { version: '0.19' } }).filter((line) => isAide(line)),
    [],
  )
})

for (const [what, before, after] of [
  ['set elsewhere', '# KEY 1\nA 1\nKEY\t5000\nB 2', '# KEY 1\nA 1\nKEY 65536\nB 2'],
  ['only in a comment', '#KEY 5000\nMYKEY 1\n', '#KEY 5000\nMYKEY 1\nKEY 65536\n'],
  ['nowhere, in a file without a last line break', 'A 1', 'A 1\nKEY 65536\n'],
  ['in no file', '', 'KEY 65536\n'],
  ['as wanted', 'A 1\nKEY 65536\n', 'A 1\nKEY 65536\n'],
] as const)
  test(`a setting that is ${what} leaves the rest as it is`, () => {
    assert.is(withSetting(before, 'KEY', '65536'), after)
  })

test.run()
