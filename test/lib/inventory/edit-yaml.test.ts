import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { editYaml, valueAt } from '../../../lib/inventory/edit-yaml.ts'

const example = readFileSync(join(import.meta.dirname, '../../../inventory/example.yaml'), 'utf8')

const cases: [what: string, text: string, path: string, value: string | undefined, expected: string | undefined][] = [
  ['a value', 'a: 1 # one\nb: "x"  # two\n', 'b', 'y', 'a: 1 # one\nb: y  # two\n'],
  ['the same value', 'b:   "y"  # two\n', 'b', 'y', 'b:   "y"  # two\n'],
  ['a value that needs quotes', 'a: b\n', 'a', 'c: d', 'a: "c: d"\n'],
  ['a value that would be a number', 'a: b\n', 'a', '12', 'a: "12"\n'],
  ['a key of a block', 'h:\n  v:\n    a: 1 # x\n\nb: 2\n', 'h.v.d', 'e', 'h:\n  v:\n    a: 1 # x\n    d: e\n\nb: 2\n'],
  [
    'a key behind deeper ones',
    'h:\n  v:\n    g: [a,\n      b]\nb: 2\n',
    'h.v.d',
    'e',
    'h:\n  v:\n    g: [a,\n      b]\n    d: e\nb: 2\n',
  ],
  [
    'a key of a wide block',
    'h:\n    v:\n        a: 1\n',
    'h.w.d',
    'e',
    'h:\n    v:\n        a: 1\n    w:\n      d: e\n',
  ],
  ['a key in braces', 'h: { v: { a: 1 } } # x\n', 'h.v.d', 'e', 'h: { v: { a: 1, d: e } } # x\n'],
  ['a key in empty braces', 'h: {}\n', 'h.v.d', 'e', 'h: { v: { d: e } }\n'],
  ['a key in tight braces', 'h: {v: 1}\n', 'h.d', 'a, b', 'h: {v: 1, d: "a, b" }\n'],
  [
    'below a key that has nothing',
    'hosts:\n  vps1:\n\nb: 1\n',
    'hosts.vps1.ssh',
    'x',
    'hosts:\n  vps1:\n    ssh: x\n\nb: 1\n',
  ],
  ['below one with a comment', 'hosts: # mine\nb: 1\n', 'hosts.v.ssh', 'x', 'hosts: # mine\n  v:\n    ssh: x\nb: 1\n'],
  ['below an empty one in braces', 'h: { v: , w: 1 }\n', 'h.v.d', 'e', 'h: { v: { d: e } , w: 1 }\n'],
  ['in place of nothing', 'a:\nb: 1\n', 'a', 'x', 'a: x\nb: 1\n'],
  ['into an empty file', '', 'h.v', 'x', 'h:\n  v: x\n'],
  ['into comments alone', '# mine', 'h.v', 'x', '# mine\nh:\n  v: x\n'],
  ['without a last line break', 'a: 1', 'b', 'x', 'a: 1\nb: x\n'],
  ['a key goes', 'h:\n  a: 1\n  d: e # x\n  b: 2\n', 'h.d', undefined, 'h:\n  a: 1\n  b: 2\n'],
  ['a key goes from braces', 'h: { a: 1, d: e, b: 2 }\n', 'h.d', undefined, 'h: { a: 1, b: 2 }\n'],
  ['the last one goes from braces', 'h: { a: 1, d: e }\n', 'h.d', undefined, 'h: { a: 1 }\n'],
  ['one that is not there', 'h: 1\n', 'x.y', undefined, 'h: 1\n'],
  ['an alias is not followed', 'a: &x { v: 1 }\nb: *x\n', 'b.v', 'y', undefined],
  ['a list is no mapping', '- a\n', 'b.v', 'y', undefined],
]
for (const [what, text, path, value, expected] of cases)
  test(`edits, and leaves the rest: ${what}`, () =>
    assert.is(editYaml(text, [{ path: path.split('.'), value }]), expected))

test('the whole example keeps every other line', () => {
  const edits = [
    { path: ['hosts', 'vps1', 'ssh'], value: 'ops@203.0.113.7' },
    { path: ['hosts', 'vps1', 'domain'], value: undefined },
    { path: ['vars', 'certbot', 'email'], value: 'me@example.org' },
    { path: ['bots', 'shop', 'host'], value: 'vps1' },
  ]
  const edited = editYaml(example, edits) ?? ''
  const lines = new Set(edited.split('\n'))
  assert.equal(
    example.split('\n').filter((line) => !lines.has(line)),
    ['    ssh: root@vps1.example.org:22', '    domain: bots.example.org'],
  )
  const { hosts, bots, vars } = parse(edited)
  assert.equal(hosts, { vps1: { ssh: 'ops@203.0.113.7', groups: ['core'] } })
  assert.equal([Object.keys(bots), vars.certbot.email], [['hello-bot', 'shop'], 'me@example.org'])
  assert.is(valueAt(edited, ['bots', 'shop', 'host']), 'vps1')
  assert.is(editYaml(edited, edits), edited)
})

test.run()
