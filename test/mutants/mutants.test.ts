import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mutated } from './mutant.ts'
import { testsFor } from './reach.ts'
import { draw, mutantsOf } from './sites.ts'

const changes: [file: string, operator: string, before: string, after: string][] = [
  ['a.ts', 'negate condition', 'if (a) b()', 'if (!(a)) b()'],
  ['a.ts', 'negate condition', 'x = a ? b : c', 'x = !(a) ? b : c'],
  ['a.ts', 'swap operator', 'x = a < b', 'x = a <= b'],
  ['a.ts', 'swap operator', 'x = a && b', 'x = a || b'],
  ['a.ts', 'swap operator', 'x = a + b', 'x = a - b'],
  ['a.ts', 'drop fallback', 'x = a ?? b', 'x = a'],
  ['a.ts', 'drop sign', 'x = !a', 'x = a'],
  ['a.ts', 'number + 1', 'x = 9', 'x = 10'],
  ['a.ts', 'swap boolean', 'x = true', 'x = false'],
  ['a.ts', 'empty string', `x = 'a'`, `x = ''`],
  ['a.ts', 'empty string', `x = \`a\${b}\``, 'x = ``'],
  ['a.ts', 'drop anchor', 'x = /^a/', 'x = /a/'],
  ['a.ts', 'drop anchor', 'x = /a$/', 'x = /a/'],
  ['a.ts', 'empty array', 'x = [a]', 'x = []'],
  ['a.ts', 'drop element', 'x = [a, b]', 'x = [b]'],
  ['a.ts', 'drop element', 'x = [a, b]', 'x = [a]'],
  ['a.ts', 'empty object', 'x = { a }', 'x = {}'],
  ['a.ts', 'drop property', 'x = { a, b: c }', 'x = { b: c }'],
  ['a.ts', 'drop default', 'function f(a = b) {}', 'function f(a) {}'],
  ['a.ts', 'drop ?.', 'x = a?.b', 'x = a.b'],
  ['a.ts', 'drop ?.', 'x = a?.[b]', 'x = a[b]'],
  ['a.ts', 'drop call', 'x = a.filter(b)', 'x = a'],
  ['a.ts', 'return nothing', 'x = (): b => (c)', 'x = (): b => undefined'],
  ['a.ts', 'drop statement', 'a()', ';'],
  ['a.ts', 'return early', 'function f() { a() }', 'function f() { return; a() }'],
  ['a.ts', 'drop line', `x = sh\`a\nb \${c}\n\``, 'x = sh`a\n`'],
  ['a.ts', 'empty word', `x = sh\`a "\\\${b}"\``, 'x = sh`a ""`'],
  ['a.sh', 'drop line', 'a\nb\n', 'b\n'],
  ['a.sh', 'drop command', 'a && b', 'b'],
  ['a.sh', 'drop fallback', 'a || b', 'a'],
  ['a.sh', 'swap operator', 'a && b', 'a || b'],
  ['a.sh', 'negate test', 'if a; then b; fi', 'if ! a; then b; fi'],
  ['a.sh', 'negate test', '[ ! -e a ]', '[ -e a ]'],
  ['a.sh', 'swap comparison', '[ a -lt b ]', '[ a -le b ]'],
  ['a.sh', 'swap comparison', '[ -n "$a" ]', '[ -z "$a" ]'],
  ['a.sh', 'number + 1', 'umask 077', 'umask 078'],
  ['a.sh', 'empty word', `a 'b'`, `a ''`],
  ['a.awk', 'drop line', '{ a }\n{ b }\n', '{ b }\n'],
  ['a.mustache', 'drop line', 'a {{b}}\nc\n', 'c\n'],
]
for (const [file, operator, before, after] of changes) {
  test(`${operator}: ${JSON.stringify(before)} becomes ${JSON.stringify(after)}`, () => {
    const found = mutantsOf(file, before).filter((mutant) => mutant.operator === operator)
    assert.ok(
      found.some((mutant) => mutated(before, mutant) === after && mutant.parses()),
      found.map((mutant) => mutated(before, mutant)).join('\n'),
    )
  })
}

const untouched: [file: string, source: string][] = [
  ['a.ts', `import { a } from 'b'`],
  ['a.ts', `type A = { b: 'c' } | [1, 2]`],
  ['a.ts', 'export interface A { readonly b: true }'],
  ['a.sh', '# a comment "with" 1 && 2\n'],
]
for (const [file, source] of untouched) {
  test(`nothing to change in ${JSON.stringify(source)}`, () => assert.equal(mutantsOf(file, source), []))
}

test('what cannot be parsed any more is not drawn', () => {
  const source = 'if a; then\n  b\nfi\n'
  const drawn = draw(sitesOf('a.sh', source), 1, 100)
  assert.not(drawn.some(({ mutant }) => mutated(source, mutant) === 'if a; then\nfi\n'))
  assert.ok(drawn.some(({ mutant }) => mutated(source, mutant).includes('if ! a')))
})

test('the same seed draws the same places, another one others, none twice', () => {
  const sites = sitesOf('a.ts', Array.from({ length: 50 }, (_, i) => `f(${i})`).join('\n'))
  const drawn = draw(sites, 7, 20)
  assert.equal(draw(sites, 7, 20), drawn)
  assert.is(new Set(drawn).size, 20)
  assert.not.equal(draw(sites, 8, 20), drawn)
  assert.is(draw(sites, 7, 1000).length, sites.length)
})

test('the tests that import a file directly come first, those that do not reach it apart', () => {
  const imports = new Map([
    ['test/far.test.ts', ['lib/b.ts']],
    ['test/near.test.ts', ['lib/a.ts']],
    ['test/none.test.ts', []],
    ['lib/b.ts', ['lib/a.ts']],
  ])
  const tests = ['test/far.test.ts', 'test/near.test.ts', 'test/none.test.ts']
  const expected = { near: ['test/near.test.ts', 'test/far.test.ts'], rest: ['test/none.test.ts'] }
  assert.equal(testsFor('lib/a.ts', { tests, imports }), expected)
})

function sitesOf(file: string, source: string) {
  return mutantsOf(file, source).map((mutant) => ({ file, mutant }))
}

test.run()
