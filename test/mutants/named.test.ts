import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { named } from './list.ts'
import { mutatedBy } from './named.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

for (const mutant of named)
  test(`there is something to be changed, and a test for it: ${mutant.what}`, () => {
    assert.is.not(mutatedBy(mutant, read(mutant.file)), read(mutant.file))
    assert.ok(mutant.unit !== undefined || mutant.sandbox !== undefined)
    if (mutant.unit !== undefined) assert.match(read(`test/${mutant.unit}`), /test\.run\(\)/)
    if (mutant.sandbox === undefined) return
    const [story, title] = mutant.sandbox
    // A title may end in what a loop puts there.
    assert.ok(
      read(`test/${story.includes('/') ? story : `sandbox/${story}`}`).includes(title.replace(/: Cap\w+$/, '')),
      title,
    )
  })

test('two of them are two, and none is made upon another', () => {
  assert.is(new Set(named.map(({ what }) => what)).size, named.length)
})

test.run()
