import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFile } from '../../support/runner.ts'
import { onTerminal, type Recording, screenAt, textOf } from '../../support/terminal.ts'

const lib = join(import.meta.dirname, '../../../lib')
const begun = `
import { setTimeout as pause } from 'node:timers/promises'
import { main, onInterrupt } from '${lib}/cli/main.ts'
import { reporter } from '${lib}/report/progress.ts'
const report = reporter({ verbose: false, json: false })
onInterrupt(() => { report.close(); return report.underWay() })
const progress = report.progress('vps1')
const step = { changes: [], title: 'a: b', script: { text: '', shown: '' }, long: false, guards: [] }
progress.begin(step)
progress.output('words', step)
`
const texts = async (recording: Recording, seconds?: number) => (await screenAt(recording, seconds)).map(textOf)
const wasDrawn = async (recording: Recording) => {
  const moments = await Promise.all(recording.events.map(([at]) => texts(recording, at)))
  return moments.some((lines) => /^vps1 {2}▸ a: b {2}\d s\n {8}words$/.test(lines.join('\n')))
}

const ends: [name: string, body: string, code: number, left: RegExp][] = [
  ['a step that ends', 'await pause(1000); progress.end(step, 1); report.close()', 0, /^vps1 {2}✓ a: b \(1\.0 s\)$/],
  [
    'Ctrl-C',
    `await pause(1000); process.kill(process.pid, 'SIGINT'); await pause(500)`,
    130,
    /^vps1 {2}while running a: b: .*\n?.*\nbotgarden: stopped by Ctrl-C$/,
  ],
  [
    'a bug',
    `await pause(1000); setTimeout(() => { throw new Error('late') }); await pause(500)`,
    70,
    /^botgarden: this is a bug of botgarden:\nError: late\n/,
  ],
]
for (const [i, [name, body, code, left]] of ends.entries()) {
  test(`on a terminal ${name} leaves nothing of the living part, and the cursor where it can be seen`, async () => {
    const file = scratchFile(`live-${i}.ts`, `${begun}\nawait main(async () => { ${body}; return 0 })`)
    const recording = await onTerminal([file], { columns: 200 })
    assert.is(recording.code, code)
    assert.ok(await wasDrawn(recording))
    assert.match((await texts(recording)).join('\n'), left)
    assert.not.ok(recording.events.some(([, text]) => text.includes('\x1b[?25l')))
  })
}

for (const env of [{ TERM: 'dumb' }, { CI: 'true' }]) {
  test(`with ${JSON.stringify(env)} nothing moves the cursor`, async () => {
    const file = scratchFile(
      'plain.ts',
      `${begun}\nawait main(async () => { await pause(500); progress.end(step, 1) })`,
    )
    const { events } = await onTerminal([file], { env })
    const text = events.map(([, each]) => each).join('')
    assert.match(text, 'a: b (1.0 s)')
    assert.not.match(text, new RegExp(`${'\x1b'}\\[\\d*[ABGJK]`))
  })
}

test.run()
