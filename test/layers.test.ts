import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { forbidden, writers } from './support/layers.ts'

const root = join(import.meta.dirname, '..')

test('playbooks import roles, roles import lib, and nothing points back', () => {
  const paths = globSync('{playbooks,roles,lib,sandbox,bench,bots}/**/*.{ts,js,mjs}', {
    cwd: root,
    exclude: (name) => name === 'node_modules',
  })
  assert.ok(paths.includes('lib/shell/sh.ts'))
  assert.equal(forbidden(new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))), [])
})

test('nothing is written to the terminal but by lib/std/output.ts, which makes harmless what others have written', () => {
  const paths = globSync('{playbooks,roles,lib}/**/*.ts', { cwd: root }).filter((path) => path !== 'lib/std/output.ts')
  assert.equal(writers(new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]))), [])
})

for (const source of [
  'process.stdout.write(x)',
  'const { stderr } = process',
  "process['stdout'].write(x)",
  'console.log(x)',
  `import { stdout } from 'node:process'`,
  `import tty from 'node:tty'`,
  `spawn('x', { stdio: 'inherit' })`,
  'streams.err.write(x)',
  `writeFileSync('/dev/tty', x)`,
])
  test(`finds what writes to the terminal: ${source}`, () => {
    assert.equal(writers(new Map([['roles/a/index.ts', source]])), ['roles/a/index.ts'])
  })

const samples: [file: string, source: string, bad: string | undefined][] = [
  ['lib/a.ts', `import { ufw } from '../roles/ufw/index.ts'`, 'roles/ufw/index.ts'],
  ['lib/a.ts', `export * from '../sandbox/index.ts'`, 'sandbox/index.ts'],
  ['lib/a.ts', `await import('../playbooks/site.ts')`, 'playbooks/site.ts'],
  ['lib/a.ts', `import type {\n  Ufw,\n} from "../roles/ufw/index.ts"`, 'roles/ufw/index.ts'],
  ['lib/a.ts', `import './b.ts'`, undefined],
  ['lib/a.ts', `import { x } from 'roles'`, undefined],
  ['roles/ufw/index.ts', `import { docker } from '../docker/index.ts'`, 'roles/docker/index.ts'],
  ['roles/ufw/index.ts', `import { allRoles } from '../index.ts'`, 'roles/index.ts'],
  ['roles/ufw/index.ts', `import { up } from '../../sandbox/index.ts'`, 'sandbox/index.ts'],
  ['roles/ufw/index.ts', `import { a } from './rules.ts'\nimport { sh } from '../../lib/sh.ts'`, undefined],
  ['roles/index.ts', `import { docker } from './docker/index.ts'`, undefined],
  [
    'playbooks/site.ts',
    `import { up } from '../sandbox/index.ts'\nimport { docker } from '../roles/index.ts'`,
    undefined,
  ],
  ['playbooks/site.ts', `import { planOf } from './support/plan-of.ts'`, 'test/support/plan-of.ts'],
  ['sandbox/up.ts', `import { docker } from '../roles/index.ts'`, 'roles/index.ts'],
  ['bots/a/src/index.ts', `import { sh } from '../../../lib/sh.ts'`, 'lib/sh.ts'],
  ['bots/a/src/index.ts', `import { b } from '../../b/src/index.ts'`, 'bots/b/src/index.ts'],
  ['bots/a/src/index.ts', `import { c } from './c.ts'`, undefined],
  ['test/a.test.ts', `import { up } from '../sandbox/index.ts'`, undefined],
]
for (const [file, source, bad] of samples) {
  test(`${bad === undefined ? 'allows' : 'finds'} in ${file}: ${source.replaceAll('\n', ' ')}`, () => {
    assert.equal(forbidden(new Map([[file, source]])), bad === undefined ? [] : [`${file} → ${bad}`])
  })
}

test.run()
