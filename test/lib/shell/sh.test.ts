import { spawnSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lines, quote, sh } from '../../../lib/shell/sh.ts'
import { Secret } from '../../../lib/std/secret.ts'

const shells = [['/bin/sh'], ['bash'], ['dash'], ['busybox', 'sh']].filter((shell) => answers(shell))
const bytes = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1))
const tricky = [
  '',
  ' ',
  "'",
  "''",
  `'"'`,
  '$(id)',
  '`id`',
  '\\',
  '\\\n',
  '-n',
  '--',
  '~',
  '*',
  '!x',
  'a=b',
  '#',
  '\n',
  '\r\n',
  '$',
  '\'"\\',
]

for (const shell of shells) {
  const name = shell.join(' ')

  test(`${name} gets every byte back as it was, alone and together`, () => {
    const words = [...bytes, bytes.join(''), bytes.toReversed().join('')]
    assert.equal(changed(shell, words, 'latin1'), [])
  })

  test(`${name} gets tricky words back as they were`, () => assert.equal(changed(shell, tricky, 'utf8'), []))

  for (const seed of [1, 2, 3, 4, 5]) {
    test(`${name} gets random words back as they were, seed ${seed}`, () => {
      const words = randomWords(seed, 300)
      assert.equal(changed(shell, words, 'utf8'), [])
    })
  }
}

test('the machine has at least the shell that hosts have', () => assert.ok(shells.length > 0))

test('NUL cannot be said, and is refused', () => assert.throws(() => quote('a\0b'), /NUL/))

test('a plain word stays readable', () => assert.is(quote('/etc/nginx/nginx.conf'), '/etc/nginx/nginx.conf'))

const scripts: [name: string, script: ReturnType<typeof sh>, text: string][] = [
  ['a value is one word', sh`ls ${'a b'}`, `ls 'a b'`],
  ['a number is one too', sh`kill ${-9}`, 'kill -9'],
  ['a list is one word each', sh`ls ${['a b', 'c', '']} d`, `ls 'a b' c '' d`],
  ['an empty list is nothing', sh`ls ${[]}`, 'ls '],
  ['a script goes in as it is', sh`if ${sh`test -e ${'a b'}`}; then :; fi`, `if test -e 'a b'; then :; fi`],
  ['scripts follow each other', lines([sh`a ${'1 2'}`, sh`b`]), `a '1 2'\nb`],
  ['a value that looks like a template stays text', sh`echo ${'$' + '{x}'}`, "echo '$" + "{x}'"],
]
for (const [name, { text, shown }, expected] of scripts) {
  test(name, () => {
    assert.is(text, expected)
    assert.is(shown, expected.trimEnd() === expected ? expected : shown)
  })
}

test('a secret goes to the shell and is shown as stars, however deep', () => {
  const inner = sh`printf %s ${new Secret('hunter22 x')}`
  for (const script of [inner, sh`{ ${inner}; }`, lines([inner, inner])]) {
    assert.match(script.text, "'hunter22 x'")
    assert.match(script.shown, '***')
    assert.not.match(script.shown, 'hunter22')
  }
})

test('what is shown has no needless indent', () => {
  assert.is(
    sh`
    if true; then
      echo ${'a b'}
    fi
  `.shown,
    `if true; then\n  echo 'a b'\nfi`,
  )
})

test('a text may have any number of lines', () => {
  const text = 'select 1;\n'.repeat(200_000)
  assert.is(sh`printf %s ${text}`.text, `printf %s '${text}'`)
})

test.run()

/** The words that came back as something else, with what they became. */
function changed(shell: string[], words: string[], encoding: 'latin1' | 'utf8'): [string, string | undefined][] {
  const back = wordsThrough(shell, words, encoding)
  return words.map((word, i): [string, string | undefined] => [word, back[i]]).filter(([word, other]) => word !== other)
}

/** The words as the shell has them after parsing the script that it reads from stdin. */
function wordsThrough([program = '', ...args]: string[], words: string[], encoding: 'latin1' | 'utf8'): string[] {
  const { text } = sh`set -- ${words}; printf '%s\0' "$@"`
  const { stdout } = spawnSync(program, args, {
    input: Buffer.from(text, encoding),
    env: { ...process.env, LC_ALL: 'C' },
  })
  return stdout.toString(encoding).split('\0').slice(0, -1)
}

function answers([program = '', ...args]: string[]): boolean {
  return spawnSync(program, args, { input: 'echo up' }).stdout?.toString() === 'up\n'
}

function randomWords(seed: number, count: number): string[] {
  const random = generator(seed)
  const letters = [...`'"\\$\`!*?[]{}()<>|&;#~=% \t\r\n-abé€🌱\u0001\u007f`]
  const letter = () => letters[Math.floor(random() * letters.length)]
  return Array.from({ length: count }, () => Array.from({ length: Math.floor(random() * 12) }, letter).join(''))
}

/** The same numbers for the same seed, so that a failure can be seen again (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
