import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { circles, crowded, forbidden, homeless, impure, long, writers } from './support/layers.ts'

const root = join(import.meta.dirname, '..')
const isOurs = (name: string) => name !== 'node_modules'
const sourcesOf = (pattern: string) =>
  new Map(
    globSync(pattern, { cwd: root, exclude: (name) => !isOurs(name) })
      .sort()
      .map((path) => [path, readFileSync(join(root, path), 'utf8')] as const),
  )
const sources = sourcesOf('{playbooks,commands,roles,lib,sandbox,bench,bots}/**/*.{ts,js,mjs}')
const ours = new Map([...sources].filter(([path]) => !path.startsWith('bots/')))

test('nothing is imported but through the doors, and every file has a room', () => {
  assert.ok(sources.has('lib/shell/sh.ts'))
  assert.equal(forbidden(sources), [])
  assert.equal(homeless([...sources.keys()]), [])
})

test('no files import each other in a circle', () => assert.equal(circles(ours), []))

test('a role starts no process and sends no request', () => assert.equal(impure(sources), []))

// About 20: there is room for a few more before a folder is divided.
test('no folder has more than 24 files, and no source more than 250 lines', () => {
  const paths = globSync('{playbooks,commands,roles,lib,sandbox,bench,test}/**/*', { cwd: root, withFileTypes: true })
  const files = paths.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  assert.equal(crowded(files, 24), [])
  assert.equal(long(ours, 250), [])
})

test('nothing is written to the terminal but by lib/std/output.ts, which makes harmless what others have written', () => {
  const writing = sourcesOf('{playbooks,commands,roles,lib}/**/*.ts')
  assert.ok(writing.delete('lib/std/output.ts'))
  assert.equal(writers(writing), [])
  const handing = [...writing].flatMap(([file, source]) => (source.includes('handedOver') ? [file] : []))
  assert.equal(handing, ['lib/ssh/interactive.ts'])
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

for (const source of [
  `import { local } from '../../lib/shell/local.ts'`,
  `import { execFileSync } from 'node:child_process'`,
  `const { spawn } = await import('child_process')`,
  `import { $ } from 'zx'`,
  `import { request } from 'node:https'`,
  `await fetch('https://example.org')`,
])
  test(`finds what a role may not do: ${source}`, () => {
    assert.equal(impure(new Map([['roles/ufw/index.ts', source]])), ['roles/ufw/index.ts'])
    assert.equal(impure(new Map([['commands/deploy/index.ts', source]])), [])
  })

/** From each room one import that is forbidden in each direction there is, and what is allowed next to it. */
const imports: [file: string, target: string, isAllowed: boolean][] = [
  ['playbooks/site.ts', 'commands/deploy/index.ts', true],
  ['playbooks/site.ts', 'roles/index.ts', true],
  ['playbooks/site.ts', 'sandbox/index.ts', true],
  ['playbooks/site.ts', 'lib/cli/play.ts', true],
  ['playbooks/site.ts', 'test/support/plan-of.ts', false],
  ['playbooks/site.ts', 'bench/run.ts', false],
  ['commands/deploy/index.ts', 'lib/cli/session.ts', true],
  ['commands/deploy/index.ts', 'roles/bot/index.ts', true],
  ['commands/deploy/index.ts', 'playbooks/bot.ts', false],
  ['commands/deploy/index.ts', 'commands/backup/index.ts', false],
  ['commands/deploy/index.ts', 'sandbox/index.ts', false],
  ['commands/restore/index.ts', 'commands/backup/verify.ts', true],
  ['commands/restore/index.ts', 'commands/deploy/index.ts', false],
  ['commands/backup/index.ts', 'commands/restore/index.ts', false],
  ['commands/adopt/index.ts', 'commands/adopt/read/repository.ts', true],
  ['commands/adopt/read/repository.ts', 'lib/std/errors.ts', true],
  ['commands/adopt/read/repository.ts', 'lib/shell/local.ts', false],
  ['commands/adopt/read/repository.ts', 'commands/adopt/decide/bot.ts', false],
  ['commands/adopt/decide/bot.ts', 'commands/adopt/read/repository.ts', true],
  ['commands/adopt/decide/bot.ts', 'lib/shell/local.ts', false],
  ['commands/adopt/decide/bot.ts', 'commands/adopt/write/manifest.ts', false],
  ['commands/adopt/write/manifest.ts', 'commands/adopt/decide/bot.ts', true],
  ['commands/adopt/write/manifest.ts', 'lib/shell/local.ts', false],
  ['roles/index.ts', 'roles/docker/index.ts', true],
  ['roles/ufw/index.ts', 'roles/ufw/rules.ts', true],
  ['roles/ufw/index.ts', 'roles/docker/index.ts', false],
  ['roles/ufw/index.ts', 'roles/index.ts', false],
  ['roles/ufw/index.ts', 'commands/deploy/index.ts', false],
  ['roles/ufw/index.ts', 'sandbox/index.ts', false],
  ['roles/ufw/index.ts', 'lib/shell/sh.ts', true],
  ['roles/ufw/index.ts', 'lib/platform/nginx.ts', true],
  ['roles/ufw/index.ts', 'lib/ssh/exec.ts', false],
  ['roles/ufw/index.ts', 'lib/cli/session.ts', false],
  ['roles/ufw/index.ts', 'lib/engine/plan.ts', false],
  ['roles/ufw/index.ts', 'lib/report/result.ts', false],
  ['roles/ufw/index.ts', 'lib/inventory/inventory.ts', false],
  ['roles/bot/index.ts', 'roles/bot/spec/spec.ts', true],
  ['roles/bot/release/resource.ts', 'roles/bot/telegram/webhook.ts', true],
  ['roles/bot/telegram/webhook.ts', 'roles/bot/release/resource.ts', false],
  ['roles/bot/spec/spec.ts', 'roles/bot/telegram/webhook.ts', false],
  ['roles/bot/spec/spec.ts', 'roles/bot/index.ts', false],
  ['lib/std/secret.ts', 'lib/shell/sh.ts', false],
  ['lib/shell/sh.ts', 'lib/std/secret.ts', true],
  ['lib/shell/sh.ts', 'lib/model/role.ts', false],
  ['lib/model/role.ts', 'lib/shell/sh.ts', true],
  ['lib/model/role.ts', 'lib/ssh/read-facts.ts', false],
  ['lib/model/role.ts', 'lib/resources/file.ts', false],
  ['lib/resources/file.ts', 'lib/model/resource.ts', true],
  ['lib/resources/file.ts', 'lib/platform/nginx.ts', false],
  ['lib/resources/file.ts', 'lib/engine/plan.ts', false],
  ['lib/platform/nginx.ts', 'lib/resources/file.ts', true],
  ['lib/platform/nginx.ts', 'lib/ssh/exec.ts', false],
  ['lib/inventory/inventory.ts', 'lib/model/role.ts', true],
  ['lib/inventory/inventory.ts', 'lib/shell/sh.ts', false],
  ['lib/ssh/connection.ts', 'lib/shell/local.ts', true],
  ['lib/ssh/connection.ts', 'lib/engine/plan.ts', false],
  ['lib/ssh/connection.ts', 'lib/inventory/inventory.ts', false],
  ['lib/engine/plan.ts', 'lib/ssh/connection.ts', true],
  ['lib/engine/plan.ts', 'lib/resources/file.ts', false],
  ['lib/engine/plan.ts', 'lib/report/result.ts', false],
  ['lib/report/result.ts', 'lib/engine/plan.ts', true],
  ['lib/report/result.ts', 'lib/cli/play.ts', false],
  ['lib/cli/play.ts', 'lib/report/result.ts', true],
  ['lib/cli/play.ts', 'commands/deploy/index.ts', false],
  ['lib/cli/play.ts', 'roles/ufw/index.ts', false],
  ['lib/cli/play.ts', 'playbooks/site.ts', false],
  ['lib/cli/play.ts', 'sandbox/index.ts', false],
  ['sandbox/up.ts', 'sandbox/vps/index.ts', true],
  ['sandbox/up.ts', 'roles/index.ts', false],
  ['sandbox/up.ts', 'commands/deploy/index.ts', false],
  ['sandbox/machine/apt.ts', 'lib/std/errors.ts', true],
  ['sandbox/machine/apt.ts', 'sandbox/images/image.ts', false],
  ['sandbox/machine/apt.ts', 'sandbox/up.ts', false],
  ['sandbox/images/image.ts', 'sandbox/services/index.ts', false],
  ['sandbox/services/index.ts', 'sandbox/vps/index.ts', false],
  ['sandbox/services/index.ts', 'sandbox/telegram/main.ts', false],
  ['sandbox/vps/index.ts', 'sandbox/cli/chat.ts', false],
  ['sandbox/cli/chat.ts', 'sandbox/telegram/client.ts', true],
  ['sandbox/telegram/webhook/webhook.ts', 'sandbox/telegram/state/world.ts', true],
  ['sandbox/telegram/webhook/webhook.ts', 'sandbox/vps/index.ts', false],
  ['sandbox/telegram/webhook/webhook.ts', 'lib/std/errors.ts', false],
  ['bench/run.ts', 'sandbox/index.ts', true],
  ['bench/run.ts', 'roles/index.ts', true],
  ['bench/run.ts', 'commands/deploy/index.ts', false],
  ['bots/a/src/index.ts', 'bots/a/src/c.ts', true],
  ['bots/a/src/index.ts', 'bots/b/src/index.ts', false],
  ['bots/a/src/index.ts', 'lib/shell/sh.ts', false],
  ['test/a.test.ts', 'sandbox/index.ts', true],
]
for (const [file, target, isAllowed] of imports) {
  const source = `import type { x } from '${'../'.repeat(file.split('/').length - 1)}${target}'`
  test(`${isAllowed ? 'allows' : 'finds'} ${target} in ${file}`, () => {
    assert.equal(forbidden(new Map([[file, source]])), isAllowed ? [] : [`${file} → ${target}`])
  })
}

const ways: [source: string, bad: boolean][] = [
  [`import { ufw } from '../../roles/ufw/index.ts'`, true],
  [`export * from '../../roles/ufw/index.ts'`, true],
  [`await import('../../roles/ufw/index.ts')`, true],
  [`import type {\n  Ufw,\n} from "../../roles/ufw/index.ts"`, true],
  [`let ufw: import('../../roles/ufw/index.ts').Ufw`, true],
  [`import './b.ts'`, false],
  [`import { x } from 'roles'`, false],
]
for (const [source, bad] of ways)
  test(`${bad ? 'finds' : 'allows'} ${source.replaceAll('\n', ' ')}`, () => {
    assert.equal(forbidden(new Map([['lib/std/a.ts', source]])), bad ? ['lib/std/a.ts → roles/ufw/index.ts'] : [])
  })

test('finds a file that is in no room', () =>
  assert.equal(
    homeless(['lib/a.ts', 'lib/std/a.ts', 'tools/a.ts', 'commands/a.ts', 'commands/new/index.ts', 'test/a.ts']),
    ['lib/a.ts', 'tools/a.ts', 'commands/a.ts'],
  ))

test('finds each circle, whatever kind of import closes it', () => {
  const files = {
    'lib/std/a.ts': `import { b } from './b.ts'\nimport { d } from './d.ts'`,
    'lib/std/b.ts': `import { c } from './c.ts'`,
    'lib/std/c.ts': `import type { A } from './a.ts'\nimport { d } from './d.ts'`,
    'lib/std/d.ts': `import type { D } from './d.ts'`,
  }
  assert.equal(circles(new Map(Object.entries(files))), [
    'lib/std/a.ts → lib/std/b.ts → lib/std/c.ts → lib/std/a.ts',
    'lib/std/d.ts → lib/std/d.ts',
  ])
  const straight = new Map(Object.entries({ ...files, 'lib/std/c.ts': '', 'lib/std/d.ts': '' }))
  assert.equal(circles(straight), [])
})

test('counts the files of a folder and the lines of a file', () => {
  assert.equal(crowded(['a/1.ts', 'a/2.ts', 'a/b/1.ts', 'c/1.ts'], 1), ['a: 2'])
  assert.equal(long(new Map(Object.entries({ 'a.ts': '1\n2\n', 'b.ts': '1\n' })), 1), ['a.ts: 2'])
})

test.run()
