import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local, withInput } from '../../../lib/shell/local.ts'

test('a command reads what it is given on its standard input', async () => {
  const { stdout } = await withInput(local({ nothrow: true })`wc -c`, 'x'.repeat(1e6))
  assert.is(stdout.trim(), '1000000')
  assert.is((await withInput(local({ nothrow: true })`cat`, Buffer.from('ä'))).stdout, 'ä')
})

test('a command that ends without reading its input only has its exit code', async () => {
  const { exitCode } = await withInput(local({ nothrow: true })`exec 0<&-; exit 3`, 'x'.repeat(1e6))
  assert.is(exitCode, 3)
})

test.run()
