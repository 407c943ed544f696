// The examples of CONTRIBUTING.md, in a copy of the project.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../lib/shell/local.ts'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
const examples = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```/gms)].map(([, path = '', text = '']) => ({
  path,
  text,
}))
const copy = mkdtempSync(join(tmpdir(), 'contributing-test-'))
test.after(() => rmSync(copy, { recursive: true }))

test.before(() => {
  for (const path of ['lib', 'roles', 'commands', 'sandbox', 'playbooks', 'inventory', 'test/support', 'package.json'])
    cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const { path, text } of examples) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), text)
  }
})

test('the tests of the examples pass', async () => {
  const tests = examples.filter(({ path }) => path.startsWith('test/'))
  assert.is(tests.length, 3)
  const uvu = join(root, 'node_modules/uvu/bin.js')
  const { exitCode, stdout } = await local({
    cwd: copy,
    quiet: true,
    nothrow: true,
  })`${process.execPath} ${uvu} test ${'\\.test\\.ts$'}`
  assert.is(exitCode, 0, stdout)
  assert.match(stdout, /Passed: +5/)
})

test('its playbook says what it does', async () => {
  const { stdout } = await local({ cwd: copy, quiet: true })`${process.execPath} playbooks/uptime.ts --help`
  assert.match(stdout, 'prints how long each host has been up')
})

test.run()
