import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { upload } from '../../../lib/ssh/upload.ts'
import { rejects } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { shell } from '../../support/shell.ts'

const folder = mkdtempSync(join(tmpdir(), 'upload-test-'))
test.after(() => rmSync(folder, { recursive: true }))

/** A host that is this machine's own shell; it may change what it is told. */
function host(change = (script: string) => script): Connection {
  const connection: Connection = {
    facts,
    roundTrips: 0,
    fresh: async () => connection,
    close: async () => {},
    request: async (script, { text }) => {
      text?.(Buffer.from(await shell(change(script('N')))))
      return 0
    },
  }
  return connection
}

async function* source(...parts: Buffer[]) {
  yield* parts
}

test('every byte arrives, in a file of root alone, whatever the size of its pieces', async () => {
  const path = join(folder, 'private/file')
  const all = Buffer.concat([Buffer.alloc(5 * 2 ** 20, 7), Buffer.from([0, 10, 255])])
  const told: number[] = []
  await upload(host(), path, source(all.subarray(0, 3), all.subarray(3)), (bytes) => told.push(bytes))
  assert.ok(readFileSync(path).equals(all))
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.is(statSync(join(folder, 'private')).mode & 0o777, 0o700)
  assert.is(told.at(-1), all.length)
})

test('what did not arrive whole is not left there', async () => {
  const path = join(folder, 'cut')
  const lossy = host((script) => script.replace('base64 -d', 'head -c 4 | base64 -d'))
  await rejects(upload(lossy, path, source(Buffer.from('many bytes'))), /is not what was sent/)
  assert.throws(() => statSync(path), /ENOENT/)
})

test('small pieces travel together, large ones by themselves', async () => {
  const sizes: number[] = []
  const counting = host((script) => {
    sizes.push(script.length)
    return script
  })
  const small = Array.from({ length: 100 }, () => Buffer.alloc(1000, 1))
  await upload(counting, join(folder, 'small'), source(...small))
  assert.is(sizes.length, 3)
  const large = Array.from({ length: 3 }, () => Buffer.alloc(5 * 2 ** 20, 1))
  await upload(counting, join(folder, 'large'), source(...large))
  assert.is(sizes.length, 3 + 5)
})

test.run()
