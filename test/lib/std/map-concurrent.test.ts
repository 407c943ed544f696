import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { mapConcurrent } from '../../../lib/std/map-concurrent.ts'

for (const [count, peak] of [
  [1, 1],
  [3, 3],
  [25, 7],
] as const) {
  test(`runs ${peak} of 7 at once where ${count} are allowed, and returns what each gave in order`, async () => {
    let running = 0
    let most = 0
    const results = await mapConcurrent(count, [7, 6, 5, 4, 3, 2, 1], async (item) => {
      most = Math.max(most, ++running)
      await pause(item)
      running--
      return item * 2
    })
    assert.equal([most, results], [peak, [14, 12, 10, 8, 6, 4, 2]])
  })
}

test('has nothing to do for nobody', async () => {
  assert.equal(await mapConcurrent(2, [], async () => 1), [])
})

test.run()
