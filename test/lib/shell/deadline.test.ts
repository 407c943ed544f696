import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { reloadFunction } from '../../../lib/platform/nginx.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { withPrograms } from '../../support/stubs.ts'

test('a wait is over by the clock, however long each look takes', async () => {
  const began = Date.now()
  const { said } = await withPrograms(
    {},
    `${waiting.text}\nbegin_wait 2\nwhile time_left; do [ "$left" -le 2 ] || echo "$left"; sleep 0.7; done\necho "over: $left"`,
  )
  const seconds = (Date.now() - began) / 1000
  assert.ok(seconds > 0.9 && seconds < 4, `${seconds} s`)
  assert.match(said, /^over: (0|-1)\n$/)
})

test('a server that takes connections and says nothing is not asked for minutes', async () => {
  const began = Date.now()
  const hangs = `while [ "$1" != --max-time ]; do shift; done; sleep "$2"; exit 28`
  const { code } = await withPrograms({ curl: hangs }, `${reloadFunction().text}\nnginx_answers`)
  assert.is(code, 1)
  assert.ok(Date.now() - began < 8000, `${Date.now() - began} ms`)
})

test.run()
