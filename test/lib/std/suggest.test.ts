import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { suggest } from '../../../lib/std/suggest.ts'

const found: [slip: string, word: string, candidates: string[], suggested: string][] = [
  ['two letters swapped', 'vsp1', ['core', 'vps1'], 'vps1'],
  ['a letter too few', 'registryMirors', ['daemon', 'registryMirrors'], 'registryMirrors'],
  ['a letter too many', 'uffw', ['ufw', 'docker'], 'ufw'],
  ['another letter', 'mginx', ['nginx', 'ufw'], 'nginx'],
  ['another case', 'SshConfig', ['sshConfig'], 'sshConfig'],
  ['the start alone', 'post', ['nginx', 'postgres'], 'postgres'],
  ['the nearest of several', '--chek', ['--help', '--check'], '--check'],
]
for (const [slip, word, candidates, suggested] of found) {
  test(`finds what was meant: ${slip}`, () => {
    assert.is(suggest(word, candidates), ` (did you mean "${suggested}"?)`)
  })
}

for (const [word, candidates] of [
  ['nginx', ['postgres', 'ufw']],
  ['vps1', []],
  ['', ['vps1']],
  ['x', ['a']],
] as const) {
  test(`says nothing when nothing is near: "${word}" among ${candidates.length}`, () => {
    assert.is(suggest(word, candidates), '')
  })
}

test.run()
