import { globSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseTotals } from './support/stage.ts'

const files = globSync('**/*.test.ts', { cwd: import.meta.dirname }).map((file) => `${import.meta.dirname}/${file}`)

test('every test file runs its tests: without .run() uvu passes it in silence', () => {
  assert.equal(
    files.filter((file) => !/^\w+\.run\(\)$/m.test(readFileSync(file, 'utf8'))),
    [],
  )
})

test('no test file runs only some of its tests', () => {
  assert.equal(
    files.filter((file) => /^\s*\w+\.only\(/m.test(readFileSync(file, 'utf8'))),
    [],
  )
})

const totals = (total: number, passed: number, skipped = 0) =>
  `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1ms\n`

const endings: [name: string, output: string, code: number | null, passed: number, failed: number][] = [
  ['all passed', totals(3, 3), 0, 3, 0],
  ['some failed', totals(3, 1), 1, 1, 2],
  ['a test never settled', 'Exiting early before testing is finished.', 1, 0, 1],
  ['killed at the time limit', '• • •', null, 0, 1],
  ['all passed, but the process failed', totals(3, 3), 1, 3, 1],
  ['nothing ran', totals(0, 0), 0, 0, 1],
  ['everything was skipped', totals(0, 0, 2), 0, 0, 0],
  ['in colours', `  Total:     2\u001b[32m\n  Passed:    2\u001b[39m\n  Skipped:   0`, 0, 2, 0],
  ['a test printed totals of its own', totals(9, 9) + totals(2, 1), 1, 1, 1],
]
for (const [name, output, code, passed, failed] of endings) {
  test(`the score of a stage: ${name}`, () => assert.equal(parseTotals(output, code), { passed, failed }))
}

test.run()
