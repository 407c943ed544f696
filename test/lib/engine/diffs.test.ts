import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changeDiff } from '../../../lib/engine/change-diff.ts'
import { fileDiff } from '../../../lib/std/unified-diff.ts'

test('diffs', () => {
  const patch = fileDiff('/x', 'a\nb\nc\nd\ne\n', 'a\nb\nc\nd\nE\n')
  assert.is(patch, '--- /x\n+++ /x\n@@ -2,4 +2,4 @@\n b\n c\n d\n-e\n+E')
  assert.match(fileDiff('/x', undefined, 'a\n'), /^--- \/dev\/null\n\+\+\+ \/x\n/)
  assert.match(fileDiff('/x', 'a\n', undefined), /^--- \/x\n\+\+\+ \/dev\/null\n/)
  const told = (summary: string, diff?: string) =>
    changeDiff({ summary, ...(diff !== undefined && { diff: () => diff }) })
  assert.is(told('mode 0600 → 0644, create'), '- mode 0600\n+ mode 0644\n+ create')
  assert.is(told('x', '-a\n+b\n c\n@@\n\\ no'), '-a\n+b\n c\n@@\n\\ no')
  assert.is(told('x', '\ninstall'), '\n+ install')
  assert.is(told('a → b → c'), '+ a → b → c')
  assert.is(told('one → two words'), '- one\n+ two words')
})

test.run()
