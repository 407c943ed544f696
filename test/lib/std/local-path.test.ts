import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tokenOf } from '../../../commands/deploy/secret-sources.ts'
import { secretReader } from '../../../lib/cli/secret-reader.ts'
import { checkout, localPath, operatorFolder, startPathsAt } from '../../../lib/std/local-path.ts'

const garden = mkdtempSync(join(tmpdir(), 'garden-'))
test.after(() => rmSync(garden, { recursive: true }))
test.after.each(() => startPathsAt(join(checkout, 'inventory/sandbox.yaml')))

test('paths of an inventory in this checkout start at the checkout', () => {
  for (const file of ['inventory/production.yaml', join(checkout, 'x.yaml'), '.sandbox/inventory.yaml']) {
    startPathsAt(file)
    assert.equal([operatorFolder(), localPath('bots/x')], [checkout, join(checkout, 'bots/x')])
  }
})

test('those of one elsewhere start beside it, and at the checkout for what is only there', () => {
  mkdirSync(join(garden, 'bots/shop'), { recursive: true })
  startPathsAt(join(garden, 'inventory.yaml'))
  assert.is(operatorFolder(), garden)
  assert.is(localPath('bots/shop'), join(garden, 'bots/shop'))
  assert.is(localPath('bots/hello-bot'), join(checkout, 'bots/hello-bot'))
  assert.is(localPath('nowhere'), join(garden, 'nowhere'))
  assert.is(localPath('/etc'), '/etc')
})

test('a folder whose name begins like that of the checkout is elsewhere', () => {
  startPathsAt(`${checkout}-garden/inventory.yaml`)
  assert.is(operatorFolder(), `${checkout}-garden`)
})

test('variables of the .env there are secrets as those of the environment are, which come first; commands run there', async () => {
  const token = `1:${'a'.repeat(30)}`
  writeFileSync(join(garden, '.env'), `SHOP_TOKEN=${token}\nKEY=from file\nOTHER=from file\n`)
  startPathsAt(join(garden, 'inventory.yaml'))
  process.env.OTHER = 'from environment'
  const read = secretReader()
  assert.equal(
    [await read({ env: 'KEY' }, 'k'), await read({ env: 'OTHER' }, 'k'), await read({ command: 'pwd -P' }, 'k')],
    ['from file', 'from environment', garden],
  )
  delete process.env.OTHER
  const entry = { name: 'shop', where: 'x:1:1', settings: {} }
  assert.is((await tokenOf(entry, undefined, read))?.reveal(), token)
})

test.run()
