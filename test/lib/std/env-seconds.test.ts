import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { envSeconds } from '../../../lib/std/env-seconds.ts'

test('a number of seconds from the environment', () => {
  process.env.WORDS_SECONDS = '7'
  assert.is(envSeconds('WORDS_SECONDS', 3), 7)
  for (const text of ['x', '7s', ' 7', '1234567', '-1']) {
    process.env.WORDS_SECONDS = text
    assert.throws(
      () => envSeconds('WORDS_SECONDS', 3),
      (error: Error) => error.message === `$WORDS_SECONDS: should be a whole number of seconds, found "${text}"`,
    )
  }
  process.env.WORDS_SECONDS = ''
  assert.is(envSeconds('WORDS_SECONDS', 3), 3)
  delete process.env.WORDS_SECONDS
  assert.is(envSeconds('WORDS_SECONDS', 3), 3)
})

test.run()
