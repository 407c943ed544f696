import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createIntake } from '../src/intake.ts'
import { until } from './support/until.ts'
import { anna, boris, message } from './support/updates.ts'

/** Handles as long as each one is told to. */
function slowly() {
  let now = 0
  const most = { atOnce: 0 }
  const releases: (() => void)[] = []
  const handle = async () => {
    most.atOnce = Math.max(most.atOnce, ++now)
    await new Promise<void>((resolve) => releases.push(resolve))
    now--
  }
  return { handle, most, releases }
}

test('so many at once and no more, each in its turn', async () => {
  const { handle, most, releases } = slowly()
  const { take, close } = createIntake(handle, 2)
  const answers = Array.from({ length: 5 }, (_, id) => take(message('x', { ...anna, id })))
  for (let done = 0; done < 5; done++) {
    await until(() => releases.length > 0)
    releases.shift()?.()
  }
  assert.equal(await Promise.all(answers), Array(5).fill('done'))
  assert.is(most.atOnce, 2)
  await close(1_000)
})

test('of one chat one at a time, in order, and it holds up no other chat', async () => {
  const begun: string[] = []
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const { take } = createIntake(async ({ message: { text = '' } = {} }) => {
    begun.push(text)
    if (text === 'slow') await ended
  }, 2)
  const slow = [take(message('slow')), take(message('after')), take(message('last'))]
  assert.equal([await take(message('one', boris)), await take(message('two', boris))], ['done', 'done'])
  assert.equal(begun, ['slow', 'one', 'two'])
  end()
  assert.equal(await Promise.all(slow), ['done', 'done', 'done'])
  assert.equal(begun, ['slow', 'one', 'two', 'after', 'last'])
})

test('who has waited too long must come again', async () => {
  const { handle, releases } = slowly()
  const { take } = createIntake(handle, 1, 20)
  const first = take(message('x'))
  assert.is(await take(message('x')), 'again')
  releases[0]?.()
  assert.is(await first, 'done')
  const third = take(message('x'))
  await pause(5)
  releases[1]?.()
  assert.is(await third, 'done')
})

test('what throws must come again, and makes room', async () => {
  const { take } = createIntake(() => Promise.reject(new Error('no')), 1)
  assert.equal([await take(message('x')), await take(message('x'))], ['again', 'again'])
})

test('closed, it waits for those inside, and not for ever', async () => {
  const { handle, releases } = slowly()
  const { take, close } = createIntake(handle, 1)
  const [inside, outside] = [take(message('x')), take(message('x'))]
  await close(20)
  assert.is(await outside, 'again')
  assert.is(await take(message('x')), 'again')
  const closed = close(1_000)
  releases[0]?.()
  await closed
  assert.is(await inside, 'done')
})

test.run()
