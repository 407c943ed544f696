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
const folders = ['lib', 'roles', 'commands', 'sandbox', 'playbooks', 'inventory']
const copy = mkdtempSync(join(tmpdir(), 'contributing-test-'))
test.after(() => rmSync(copy, { recursive: true }))

test.before(() => {
  for (const path of [...folders, 'test/support', 'package.json', 'tsconfig.json', 'biome.json', '.gitignore'])
    cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const { path, text } of examples) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), text)
  }
})

const bin = (name: string) => join(root, 'node_modules/.bin', name)
const run = local({ cwd: copy, quiet: true, nothrow: true })

test('the tests of the examples pass', async () => {
  const { exitCode, stdout } = await run`${process.execPath} ${bin('uvu')} test ${'\\.test\\.ts$'}`
  assert.is(exitCode, 0, stdout)
  assert.match(stdout, /Passed: +5/)
})

test('the examples have their types, and are formatted', async () => {
  const paths = examples.map(({ path }) => path)
  writeFileSync(join(copy, 'examples.json'), JSON.stringify({ extends: './tsconfig.json', include: paths }))
  const types = await run`${process.execPath} ${bin('tsc')} -p examples.json`
  assert.is(types.exitCode, 0, types.stdout)
  const format = await run`${process.execPath} ${bin('biome')} check ${paths}`
  assert.is(format.exitCode, 0, `${format.stdout}${format.stderr}`)
})

test('the playbook of the examples says what it does', async () => {
  const { stdout } = await run`${process.execPath} playbooks/uptime.ts --help`
  assert.match(stdout, 'uptime: prints how long each host has been up\n')
})

test.run()
