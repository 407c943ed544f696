import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Step } from '../../../lib/engine/step.ts'
import { stepsText } from '../../../lib/engine/steps.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { frames } from '../../../lib/ssh/framing.ts'
import { shell } from '../../support/shell.ts'

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

test('the number that proves our marks is in no name and no argument on the host', async () => {
  const { folder, events } = await runLong(sh`echo out`)
  assert.is(events, '[begin 0]out\n[end 0 0]')
  const seen = readFileSync(join(folder, 'seen'), 'utf8')
  assert.match(seen, '--unit=botgarden-')
  assert.not.match(seen, nonce)
})

test('the output of a long step takes a bounded part of memory, and its end is shown', async () => {
  const line = 'a line of a build that goes on and on and on'
  const { folder, events } = await runLong(sh`
    yes ${line} | head -n 400000
    echo 'the last line'
    du -sk "$PWD_OF_TEST" >"$PWD_OF_TEST/size"
    exit 3`)
  assert.match(events, new RegExp(`^\\[begin 0\\]${line}\\n`))
  assert.match(events, /\nthe last line\n\[end 0 3\]$/)
  assert.ok(Number.parseInt(readFileSync(join(folder, 'size'), 'utf8'), 10) < 6000)
})

test('a long step ends with its script, whatever that leaves behind, and is shown to its last byte', async () => {
  const { folder, events } = await runLong(sh`sleep 300 & echo $! >"$PWD_OF_TEST/pid"; printf 'no newline'`)
  // It is there still.
  process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')))
  assert.is(events, '[begin 0]no newline\n[end 0 0]')
})

test('a long step that nobody listens to any more runs to its end', async () => {
  const { folder } = await runLong(
    sh`yes 'a line that fills every pipe there is' | head -n 100000; echo whole >"$PWD_OF_TEST/whole"`,
    '| head -c 100 >/dev/null',
  )
  assert.is(readFileSync(join(folder, 'whole'), 'utf8'), 'whole\n')
})

test('a long step for which /run has no room does not begin, and says so', async () => {
  const { folder, events } = await runLong(sh`echo begun >"$PWD_OF_TEST/begun"`, '', (folder) =>
    writeFileSync(join(folder, 'steps'), ''),
  )
  assert.match(events, /\n\/run, which is in memory, has no room for .*\n\[end 0 1\]$/)
  assert.not(existsSync(join(folder, 'begun')))
})

const nonce = 'a-number-that-nobody-knows'

/** Runs a long step in a folder of the test's, by a stand-in for systemd-run that tells what everybody on the host sees. */
async function runLong(
  script: Script,
  listener = '',
  prepare: (folder: string) => void = () => {},
): Promise<{ folder: string; events: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'apply-test-'))
  folders.push(folder)
  prepare(folder)
  const standIn = `#!/bin/sh
{ echo "$*"; env; ls -R ${folder}; cat ${folder}/*/*/script ${folder}/*.sh; } >${folder}/seen 2>&1
while [ "$1" != /bin/sh ]; do
  case $1 in --property=StandardOutput=append:*) log=\${1#*append:} ;; esac
  shift
done
if [ -n "$log" ]; then exec "$@" >>"$log" 2>&1; else exec "$@" >/dev/null 2>&1; fi
`
  writeFileSync(join(folder, 'systemd-run'), standIn, { mode: 0o755 })
  const here = (text: string) => text.replaceAll('/run/botgarden', folder)
  const text = here(stepsText([{ ...step(script), long: true }], nonce)).replace(
    /printf %s (\S+) \| base64 -d/g,
    (_, encoded) => {
      const inner = Buffer.from(here(Buffer.from(encoded, 'base64').toString())).toString('base64')
      return `printf %s ${inner} | base64 -d`
    },
  )
  const environment = `PATH=${folder}:$PATH PWD_OF_TEST=${folder}; export PATH PWD_OF_TEST`
  return {
    folder,
    events: eventsOf(await shell(`(\n${environment}\n${unheld}\n${text}\n) </dev/null ${listener}`), nonce),
  }
}

const folders: string[] = []
test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** What the lock defines, where nobody locks. */
const unheld = 'holding() { :; }'

function step(script: Script): Step {
  return { changes: [], title: script.shown, script, long: false, guards: [] }
}

async function run(...scripts: Script[]): Promise<string> {
  return eventsOf(await shell(`(\n${unheld}\n${stepsText(scripts.map(step), 'N')}\n) </dev/null`), 'N')
}

function eventsOf(output: string, number: string): string {
  let events = ''
  frames(number, {
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
