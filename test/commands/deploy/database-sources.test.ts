import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dumpAt, initOf } from '../../../commands/deploy/database-sources.ts'
import { InventoryError, UsageError } from '../../../lib/std/errors.ts'
import { rejects } from '../../support/errors.ts'
import { sha256 } from '../../support/sha256.ts'

const folder = mkdtempSync(join(tmpdir(), 'database-sources-test-'))
test.after(() => rmSync(folder, { recursive: true }))
const fileOf = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

test('a script comes from the source, by its name and checksum', async () => {
  mkdirSync(join(folder, 'sql'))
  fileOf('sql/init.sql', 'create table a ();\n')
  assert.equal(await initOf(folder, 'sql/init.sql', 'x'), {
    name: 'init.sql',
    sql: 'create table a ();\n',
    checksum: sha256('create table a ();\n'),
  })
})

test('a script that cannot be run is told with its key', async () => {
  const told = (path: string, from: string | undefined = folder) => initOf(from, path, 'x.yaml:2:3: bots.a')
  await rejects(told('none.sql'), /^x\.yaml:2:3: bots\.a\.database\.init: .* has no file none\.sql$/, InventoryError)
  await rejects(initOf(undefined, 'init.sql', 'k'), /this bot has an image: leave it out$/, InventoryError)
  fileOf('large.sql', 'x'.repeat(2 ** 20 + 1))
  await rejects(told('large.sql'), /larger than 1 MB: bring data in with bot\.ts --import FILE/)
  fileOf('latin.sql', Buffer.from([0x2d, 0x2d, 0xe4, 0x0a]))
  await rejects(told('latin.sql'), /latin\.sql is not text in UTF-8$/)
  fileOf('nul.sql', 'a\0b')
  await rejects(told('nul.sql'), /not text/)
})

const tar = (name: string) =>
  Buffer.concat([Buffer.from(name.padEnd(257, '\0')), Buffer.from('ustar\0'), Buffer.alloc(300)])

test('a dump is told by what it begins with', async () => {
  const plain = fileOf('old.sql', '--\n-- PostgreSQL database dump\n--\n')
  const { kind, name, path, checksum, bytes } = await dumpAt(plain)
  assert.equal([kind, name, path, bytes], ['plain', 'old.sql', plain, 34])
  assert.is(checksum, sha256('--\n-- PostgreSQL database dump\n--\n'))
  assert.is((await dumpAt(fileOf('old.dump', 'PGDMP\x01\x10'))).kind, 'archive')
  assert.is((await dumpAt(fileOf('old.tar', tar('toc.dat')))).kind, 'archive')
})

for (const [what, content, said] of [
  ['compressed', gzipSync('x'), /is compressed: gunzip it first/],
  ['another archive', tar('a.txt'), /not of pg_dump --format tar/],
  ['of SQLite', 'SQLite format 3\0', /is a database of SQLite, no dump of PostgreSQL/],
  ['empty', '', /is empty$/],
  ['something else', Buffer.from([1, 0, 2]), /neither SQL nor an archive/],
] as const)
  test(`what is no dump is refused: ${what}`, () => rejects(dumpAt(fileOf('x', content)), said, UsageError))

test('a folder or nothing is no dump', async () => {
  await rejects(dumpAt(folder), /is not a file: dump with pg_dump --format custom/, UsageError)
  await rejects(dumpAt(join(folder, 'gone')), /--import: no file /, UsageError)
})

test.run()
