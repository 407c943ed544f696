// The shell text itself, in a real sh; only the database server is a stand-in.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dumpFunction } from '../../../lib/platform/database-dump.ts'
import { local } from '../../../lib/shell/local.ts'

/** Runs `take_dump` in a folder with these dumps; `docker` and `date` do as they are told. */
async function taking(before: readonly string[], { docker = '', now = '20261125-181000', call = '' } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'dump-test-'))
  const folder = join(root, 'dumps/hello')
  const bin = join(root, 'bin')
  mkdirSync(folder, { recursive: true })
  mkdirSync(bin)
  for (const name of before) writeFileSync(join(folder, name), 'old')
  const stand = (name: string, text: string) => writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  stand('docker', `${docker}\ncase "$*" in *pg_dump*) echo "dump of $*" ;; *pg_restore*) cat >/dev/null ;; esac`)
  stand('date', `echo ${now}`)
  const script = `set -e\n${dumpFunction.text}\n${call || `take_dump hello '${folder}' '' 3`}\necho "taken $taken"`
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` }
  const { exitCode, stdout } = await local({ env, nothrow: true, quiet: true })`sh -c ${script}`
  const taken = /^taken (.*)$/m.exec(stdout)?.[1] ?? ''
  const content = taken && readFileSync(taken, 'utf8')
  const mode = taken && (statSync(taken).mode & 0o777).toString(8)
  const result = {
    exitCode,
    stdout,
    content,
    mode,
    there: readdirSync(folder).sort(),
    taken: taken.slice(folder.length + 1),
  }
  rmSync(root, { recursive: true })
  return result
}

test('half a dump of a run that was cut is removed', async () => {
  const { there } = await taking(['20261120-000000.4.dump', '20261121-000000.5.dump.new'])
  assert.equal(there, ['20261120-000000.4.dump', '20261125-181000.5.dump'])
})

test('a dump is whole, root’s only, and bears the next number', async () => {
  const { exitCode, taken, content, mode, there } = await taking(['20261120-000000.4.dump'])
  assert.equal([exitCode, taken, mode], [0, '20261125-181000.5.dump', '600'])
  assert.match(content, /pg_dump -U postgres -Fc hello/)
  assert.equal(there, ['20261120-000000.4.dump', '20261125-181000.5.dump'])
})

test('what was just made stays where a clock that once ran ahead has dated others later', async () => {
  const future = ['20991231-000001.dump', '20991231-000002.dump', '20991231-000003.dump', '20991231-000004.dump']
  const { taken, there } = await taking(future)
  assert.equal(there, [taken, '20991231-000003.dump', '20991231-000004.dump'])
})

test('the next ones push those out, whatever their dates: the newest three by number stay', async () => {
  const { there } = await taking(['20991231-000003.dump', '20261125-181000.1.dump', '20261125-181100.2.dump'], {
    now: '20200101-000000',
  })
  assert.equal(there, ['20200101-000000.3.dump', '20261125-181000.1.dump', '20261125-181100.2.dump'])
})

test('two of one second are two', async () => {
  const { there } = await taking(['20261125-181000.dump', '20261125-181000.1.dump'])
  assert.equal(there, ['20261125-181000.1.dump', '20261125-181000.2.dump', '20261125-181000.dump'])
})

for (const [what, docker] of [
  ['pg_dump fails', 'case "$*" in *pg_dump*) echo half; exit 1 ;; esac'],
  ['it does not read to its end', 'case "$*" in *pg_restore*) exit 1 ;; esac'],
] as const)
  test(`where ${what} there is no dump, nothing goes, and whoever asked ends`, async () => {
    const before = [
      '20261101-000000.1.dump',
      '20261102-000000.2.dump',
      '20261103-000000.3.dump',
      '20261104-000000.4.dump',
    ]
    const { exitCode, stdout, there } = await taking(before, { docker })
    assert.is(exitCode, 1)
    assert.match(stdout, /no dump of the database hello could be made/)
    assert.equal(there, before)
  })

test('dumps of another kind in the folder are not counted, and without a number to keep nothing goes', async () => {
  const others = ['before-restore-20261101-000000.9.dump', 'notes.txt']
  const { there, taken } = await taking(others)
  assert.is(taken, '20261125-181000.1.dump')
  assert.equal(there.length, 3)
})

test.run()
