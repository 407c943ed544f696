import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Step, stepsText } from '../../lib/apply.ts'
import { frames } from '../../lib/frames.ts'
import { type Script, sh } from '../../lib/sh.ts'
import { shell } from '../support/shell.ts'

test('runs steps in order and says how each ended', async () => {
  assert.is(
    await run(sh`echo one`, sh`echo two; echo three >&2`),
    '[begin 0]one\n[end 0 0][begin 1]two\nthree\n[end 1 0]',
  )
})

test('stops at the first that fails', async () => {
  assert.is(await run(sh`echo one`, sh`exit 7`, sh`echo never`), '[begin 0]one\n[end 0 0][begin 1][end 1 7]')
})

test('stops a step at its first failing command', async () => {
  assert.is(await run(sh`false; echo never`), '[begin 0][end 0 1]')
})

test('gives a step no part of the script to read', async () => {
  assert.is(await run(sh`cat`, sh`echo two`), '[begin 0][end 0 0][begin 1]two\n[end 1 0]')
})

test('keeps the last line where it has no newline', async () => {
  assert.is(await run(sh`printf open`), '[begin 0]open\n[end 0 0]')
})

test('lets a step that nobody listens to any more run to its end, and starts none after it', async () => {
  const file = `/tmp/botgarden-apply-test-${process.pid}`
  const noisy = sh`i=0; while [ $i -lt 2000 ]; do echo a line that fills the pipe until it breaks; i=$((i + 1)); done; echo whole >${file}`
  const text = `(\n${unheld}\n${stepsText([step(noisy), step(sh`echo next >>${file}`)], 'N')}\n) </dev/null | head -c 100 >/dev/null`
  assert.is(await shell(`${text}\ncat ${file}; rm -f ${file}`), 'whole\n')
})

/** What the lock defines, where nobody locks. */
const unheld = 'holding() { :; }'

function step(script: Script): Step {
  return { changes: [], title: script.shown, script, long: false, guards: [] }
}

async function run(...scripts: Script[]): Promise<string> {
  const output = await shell(`(\n${unheld}\n${stepsText(scripts.map(step), 'N')}\n) </dev/null`)
  let events = ''
  frames('N', {
    mark: (words) => {
      events += `[${words.join(' ')}]`
    },
    text: (bytes) => {
      events += bytes
    },
  })(Buffer.from(output))
  return events
}

test.run()
