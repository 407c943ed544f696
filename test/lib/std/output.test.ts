import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { paintFor } from '../../../lib/std/colour.ts'
import { oneLine, openScreen, shown } from '../../../lib/std/output.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { printed } from '../../support/printed.ts'
import { run, scratchFile } from '../../support/runner.ts'

const signs: [what: string, text: string, expected: string][] = [
  ['ESC', '\x1b[2J', '\\u001b[2J'],
  ['an own colour of a bot', '\x1b[32mok\x1b[39m', '\\u001b[32mok\\u001b[39m'],
  ['CR', 'good\rbad', 'good\\u000dbad'],
  ['backspace, bell, NUL and DEL', '\b\x07\0\x7f', '\\u0008\\u0007\\u0000\\u007f'],
  ['C1', '\x9b2J\x9d0;x\x9c', '\\u009b2J\\u009d0;x\\u009c'],
  ['an override of direction', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['marks of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ['separators of lines', 'a\u2028b\u2029c\x85d', 'a\\u2028b\\u2029c\\u0085d'],
  ['what has no width', 'us\u200bers\u2060\ufeff\u00ad\u034f', 'us\\u200bers\\u2060\\ufeff\\u00ad\\u034f'],
  ['fillers', 'x\u3164\uffa0\u115f', 'x\\u3164\\uffa0\\u115f'],
  ['tags', 'x\u{e0001}\u{e0041}', 'x\\udb40\\udc01\\udb40\\udc41'],
  ['a selector or joiner by itself', 'a\ufe0fb\u200dc', 'a\\ufe0fb\\u200dc'],
]
for (const [what, text, expected] of signs) {
  test(`shows ${what} as its number`, () => assert.is(shown(text), expected))
  test(`shows ${what} in JSON as JSON has it`, () => {
    const json = shown(JSON.stringify({ [text]: text }))
    assert.equal(JSON.parse(json), { [text]: text })
    assert.match(json, /^[ -~]*$/)
  })
}

test('leaves text as it is: other scripts, accents, emoji of several signs, tabs and line feeds', () => {
  for (const text of ['привет, é, 漢字, שלום', 'a\tb\nc', '👨‍👩‍👧 ⚠️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿', '…▸✓']) assert.is(shown(text), text)
})

test('our own colours are colours, and a secret is one in whatever form', () => {
  const paint = paintFor({ isTTY: true }, { TERM: 'xterm' })
  const text = `${paint('red', 'failed\x1b[2J')} ${new Secret('hunter\u202e2222').reveal()}`
  assert.is(shown(text), '\x1b[31mfailed\\u001b[2J\x1b[39m ***')
})

test('what is one line stays one', () => assert.is(shown(oneLine('a\nvps1  ok')), 'a\\nvps1  ok'))

test('errors, results and their JSON come out of a run harmless', async () => {
  const lib = join(import.meta.dirname, '../../../lib')
  const file = scratchFile(
    'harmless.ts',
    `import { main } from '${lib}/cli/main.ts'
import { HostError } from '${lib}/std/errors.ts'
import { writeOut } from '${lib}/std/output.ts'
await main(async () => { writeOut(JSON.stringify({ a: '\\u202e\\u001b' })); throw new HostError('no \\u001b[2J\\u202e') })`,
  )
  const { code, stdout, stderr } = await run([file])
  assert.equal({ code, stdout }, { code: 3, stdout: '{"a":"\\u202e\\u001b"}\n' })
  assert.is(stderr.split('\n').at(-2), 'no \\u001b[2J\\u202e')
})

test('what is drawn has a screen of its own, and nothing in it moves the cursor', async () => {
  const { stdout } = await printed(() => {
    const screen = openScreen()
    screen.draw('a\x1b[2J\nb')
    screen.close()
  })
  assert.is(stdout, '\x1b[?1049h\x1b[H\x1b[2Ja\\u001b[2J\nb\n\x1b[?1049l')
})

test.run()
