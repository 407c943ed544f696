import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sshArguments } from '../../../lib/ssh/ssh-arguments.ts'

const { TMPDIR, XDG_RUNTIME_DIR, BOTGARDEN_CONTROL_PERSIST } = process.env
const folder = mkdtempSync(join(tmpdir(), 'run-'))
// As long as macOS makes them.
const long = join(folder, 'zz', 'zyxvpxvq6csfxvn_n0000000000000', 'T')
mkdirSync(long, { recursive: true })

test.after.each(() => set({ TMPDIR, XDG_RUNTIME_DIR, BOTGARDEN_CONTROL_PERSIST }))
test.after(() => rmSync(folder, { recursive: true }))

for (const [how, env, base] of [
  ['where the system keeps what lasts for a login', { XDG_RUNTIME_DIR: folder, TMPDIR: long }, folder],
  ['where temporary files are', { XDG_RUNTIME_DIR: join(folder, 'gone'), TMPDIR: folder }, folder],
  ['in /tmp where both are too long for a socket', { XDG_RUNTIME_DIR: long, TMPDIR: long }, '/tmp'],
  ['in /tmp where the one there is is too long', { XDG_RUNTIME_DIR: undefined, TMPDIR: long }, '/tmp'],
] as const) {
  test(`keeps connections ${how}`, () => {
    set({ ...env, BOTGARDEN_CONTROL_PERSIST: undefined })
    assert.is(controlPath(), `${base}/botgarden-${process.getuid?.()}/%C`)
  })
}

test('a path that ssh lengthens until it listens is never too long for a socket', () => {
  for (let length = folder.length + 2; length < 60; length++) {
    const place = join(folder, 'x'.repeat(length - folder.length - 1))
    mkdirSync(place, { recursive: true })
    set({ XDG_RUNTIME_DIR: place, TMPDIR: place, BOTGARDEN_CONTROL_PERSIST: undefined })
    assert.ok(controlPath().replace('%C', 'c'.repeat(40)).length + 17 < 104, place)
  }
})

function controlPath(): string {
  const args = sshArguments({ name: 'vps1', ssh: 'vps1', sshConfig: undefined, acceptNew: false })
  return args.find((each) => each.startsWith('ControlPath='))?.replace('ControlPath=', '') ?? ''
}

function set(env: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(env))
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
}

test.run()
