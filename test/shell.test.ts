// Every script that a plan or a procedure can make is given to shellcheck and to the shell that hosts have.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { shellchecked, unparsed } from './support/shellcheck/check.ts'
import { everyScript } from './support/shellcheck/index.ts'
import { shell } from './support/shellcheck/scripts.ts'
import { isIn, templatesIn } from './support/shellcheck/templates.ts'
import { exceptions, isExcepted } from './support/shellcheck-exceptions.ts'

const root = join(import.meta.dirname, '..')
const scripts = await everyScript()
const lines = scripts.reduce((sum, { text }) => sum + text.split('\n').length, 0)
process.stdout.write(`${scripts.length} scripts of ${lines} lines for shellcheck\n`)

test('shellcheck finds nothing but what has a reason', async () => {
  const findings = await shellchecked(scripts)
  const left = findings.filter((finding) => !exceptions.some((each) => isExcepted(each, finding)))
  const shown = left.map(
    ({ place, code, message, line }) => `${place}: SC${code} ${message}\n    ${line.slice(0, 240)}`,
  )
  assert.is([...new Set(shown)].join('\n'), '')
  const unused = exceptions.filter((each) => !findings.some((finding) => isExcepted(each, finding)))
  assert.equal(unused, [], 'exceptions that nothing needs any more')
})

test('dash can parse each of them', async () => assert.equal(await unparsed(scripts), []))

test('every text that is tagged with sh is in one of them', () => {
  const unseen = globSync('{lib,roles,commands}/**/*.ts', { cwd: root }).flatMap((path) =>
    templatesIn(readFileSync(join(root, path), 'utf8'))
      .filter((template) => !scripts.some(({ text }) => isIn(text, template)))
      .map(({ line }) => `${path}:${line}`),
  )
  assert.equal(unseen, [], 'texts that no script of test/support/shellcheck has')
})

test('every file of shell that is put into scripts is in one of them', () => {
  const unseen = globSync('{lib,roles,commands}/**/*.sh', { cwd: root }).filter((path) => {
    const lines = readFileSync(join(root, path), 'utf8')
      .replace(/^# shellcheck .*\n/, '')
      .split('\n')
    // What is read from another file on the host has that in its place.
    const parts = lines.map((line) => line.trim()).filter((line) => !line.startsWith('. "$home/'))
    const template = { line: 1, parts }
    return !scripts.some(({ text }) => isIn(text, template))
  })
  assert.equal(unseen, [], 'files that no script of test/support/shellcheck has')
})

test('what is wrong is found, at its place', async () => {
  const wrong = { ...shell('a', 'echo ok\nrm $1'), parts: [{ place: 'step x', text: 'rm $1' }] }
  const [finding, ...rest] = await shellchecked([wrong, shell('b', 'rm "$1"')])
  assert.equal([finding?.place, finding?.code, finding?.line, rest], ['step x', 2086, 'rm $1', []])
  assert.equal((await unparsed([shell('c', 'if true; then')])).length, 1)
  assert.not.ok(isIn('rm -f x; ls', { line: 1, parts: ['ls', 'rm'] }))
})

test.run()
