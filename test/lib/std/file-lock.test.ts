import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HostError } from '../../../lib/std/errors.ts'
import { withLock } from '../../../lib/std/file-lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'file-lock-test-'))
test.after(() => rmSync(folder, { recursive: true }))

test('a lock of this machine is held by one at a time, and named when it is not to be had', async () => {
  const file = join(folder, 'deep/lock')
  const order: string[] = []
  const first = withLock(file, 5, async () => {
    order.push('first')
    const error = await withLock(file, 0, async () => {}).catch((reason) => reason)
    assert.instance(error, HostError)
    assert.is(error.message, `this machine: another run holds ${file}`)
    order.push('first ends')
    return 7
  })
  assert.is(await first, 7)
  await withLock(file, 5, async () => void order.push('second'))
  assert.equal(order, ['first', 'first ends', 'second'])
  const failing = await withLock(file, 5, async () => {
    throw new Error('mine')
  }).catch((reason) => reason)
  assert.is(failing.message, 'mine')
  assert.is(await withLock(file, 5, async () => 'free'), 'free')
})

test.run()
