import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lastCheckOf, noteChecks } from '../../../lib/cli/last-check.ts'

const folder = mkdtempSync(join(tmpdir(), 'last-check-'))
test.after(() => rmSync(folder, { recursive: true }))
const env = { XDG_CACHE_HOME: folder }

test('what a check has found is there until the next, for each host and inventory', () => {
  noteChecks('a.yaml', [{ host: 'vps1', differences: ['file:/x'] }], env, 5)
  noteChecks('b.yaml', [{ host: 'vps1', differences: [] }], env, 6)
  assert.equal(lastCheckOf('a.yaml', 'vps1', env), { at: 5, differences: ['file:/x'] })
  assert.equal(lastCheckOf('./b.yaml', 'vps1', env), { at: 6, differences: [] })
  assert.is(lastCheckOf('a.yaml', 'vps2', env), undefined)
  noteChecks('a.yaml', [{ host: 'vps1', differences: [] }], env, 7)
  assert.equal(lastCheckOf('a.yaml', 'vps1', env), { at: 7, differences: [] })
})

test('a note that is torn or says something else is none, and one that cannot be written stops nothing', () => {
  noteChecks('c.yaml', [{ host: 'vps1', differences: [] }], env)
  const checks = join(folder, 'botgarden/checks')
  for (const text of ['', '{"at":', '{"at":"now","differences":[]}', '[]', '{"at":1,"differences":[1]}']) {
    for (const each of readdirSync(checks)) writeFileSync(join(checks, each, 'vps1.json'), text)
    assert.is(lastCheckOf('c.yaml', 'vps1', env), undefined)
  }
  const blocked = { XDG_CACHE_HOME: join(folder, 'file') }
  writeFileSync(blocked.XDG_CACHE_HOME, '')
  noteChecks('c.yaml', [{ host: 'vps1', differences: [] }], blocked)
  assert.is(lastCheckOf('c.yaml', 'vps1', blocked), undefined)
})

test('it is bounded', () => {
  noteChecks('d.yaml', [{ host: 'vps1', differences: Array.from({ length: 5000 }, (_, i) => `id:${i}`) }], env)
  assert.is(lastCheckOf('d.yaml', 'vps1', env)?.differences.length, 2000)
})

test.run()
