import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hardening, withSetting } from '../../../roles/base/hardening.ts'
import { changesOf, planOf } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const packages = ['apt-listchanges', 'libpam-pwquality', 'libpam-tmpdir', 'debsums', 'aide']
const aide = [
  'directory:/etc/aide: create',
  'file:/etc/aide/aide.conf: create',
  'file:/etc/systemd/system/botgarden-changes.service: create',
  'file:/etc/systemd/system/botgarden-changes.timer: create',
  'unit:botgarden-changes.timer: enable',
  'unit:botgarden-changes.timer: start',
]

test('a bare host gets packages first, then files, then the daily report', () => {
  assert.equal(planOf(hardening(), {}), [
    ...packages.map((name) => `package:${name}: install`),
    'file:/etc/security/limits.d/botgarden.conf: create',
    'directory:/etc/systemd/coredump.conf.d: create',
    'file:/etc/systemd/coredump.conf.d/botgarden.conf: create',
    'directory:/etc/modprobe.d: create',
    'file:/etc/modprobe.d/botgarden.conf: create',
    'file:/etc/default/debsums: create',
    'file:/etc/login.defs: create',
    'file:/etc/profile.d/botgarden.sh: create',
    'file:/etc/issue: create',
    'file:/etc/issue.net: create',
    ...aide,
  ])
})

test("a host with Debian's own configuration of aide keeps it", () => {
  const there = Object.fromEntries(packages.map((name) => [`package:${name}`, { version: '1' }]))
  const plan = planOf(hardening(), { ...there, 'package:aide-common': { version: '0.19' } })
  assert.equal(
    plan.filter((line) => line.includes('aide') || line.includes('botgarden-changes')),
    [],
  )
})

test('files come with their modes, and of login.defs one setting changes', async () => {
  const loginDefs = 'UMASK 022\nSHA_CRYPT_MIN_ROUNDS\t5000\nUSERGROUPS_ENAB yes\n'
  const host = scratchHost()
  for (const folder of ['security/limits.d', 'default', 'profile.d', 'systemd/system']) host.folder(`/etc/${folder}`)
  host.write('/etc/login.defs', loginDefs)
  const there = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: 'other' }
  const files = hardening().filter(({ id }) => /^(file|directory):/.test(id))
  const state = { 'file:/etc/login.defs': there, 'text:/etc/login.defs': loginDefs }
  const calls: string[] = []
  for (const { script } of changesOf(files, state)) {
    const done = await host.run(script)
    assert.is(done.code, 0, done.output)
    calls.push(...done.calls)
  }
  assert.is(host.read('/etc/login.defs'), 'UMASK 022\nSHA_CRYPT_MIN_ROUNDS 65536\nUSERGROUPS_ENAB yes\n')
  for (const [path, mode] of [
    ['/etc/modprobe.d', '755'],
    ['/etc/modprobe.d/botgarden.conf', '644'],
    ['/etc/profile.d/botgarden.sh', '644'],
    ['/etc/aide', '755'],
    ['/etc/aide/aide.conf', '600'],
  ] as const)
    assert.is(host.mode(path), mode, path)
  assert.ok(calls.includes('systemctl daemon-reload'))
})

for (const [what, before, after] of [
  ['set elsewhere', '# KEY 1\nA 1\nKEY\t5000\nB 2', '# KEY 1\nA 1\nKEY 65536\nB 2'],
  ['only in a comment', '#KEY 5000\nMYKEY 1\n', '#KEY 5000\nMYKEY 1\nKEY 65536\n'],
  ['nowhere, in a file without a last line break', 'A 1', 'A 1\nKEY 65536\n'],
  ['in no file', '', 'KEY 65536\n'],
  ['as wanted', 'A 1\nKEY 65536\n', 'A 1\nKEY 65536\n'],
] as const)
  test(`a setting that is ${what} leaves the rest as it is`, () => {
    assert.is(withSetting(before, 'KEY', '65536'), after)
  })

test.run()
