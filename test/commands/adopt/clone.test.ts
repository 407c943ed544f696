// With the real git, over a stand-in for ssh that serves a repository of this machine.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { clone, isAddress } from '../../../commands/adopt/clone.ts'
import { repository } from './support.ts'

test('the newest commit is cloned, and neither hooks nor submodules have their way', async () => {
  const place = repository({
    ssh: '#!/bin/sh\nfor command; do :; done\neval "exec $command"\n',
    'templates/hooks/post-checkout': '#!/bin/sh\ntouch "$TRACE"\n',
  })
  const trace = join(place, 'was-run')
  const origin = join(place, 'origin')
  execFileSync('chmod', ['+x', join(place, 'ssh'), join(place, 'templates/hooks/post-checkout')])
  mkdirSync(origin)
  writeFileSync(
    join(place, 'config'),
    `[init]\ntemplateDir = ${join(place, 'templates')}\n[user]\nname = a\nemail = a@example.org\n[submodule]\nrecurse = true\n[protocol "file"]\nallow = always\n`,
  )
  const env = {
    GIT_CONFIG_GLOBAL: join(place, 'config'),
    GIT_CONFIG_NOSYSTEM: '1',
    TRACE: trace,
    GIT_SSH_COMMAND: join(place, 'ssh'),
    GIT_SSH_VARIANT: 'simple',
  }
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', origin, '-c', 'core.hooksPath=/dev/null', ...words], {
      env: { ...process.env, ...env },
      stdio: 'pipe',
    })
  git('init', '--quiet')
  for (const text of ['old', 'new']) {
    writeFileSync(join(origin, 'a.py'), text)
    git('add', '-A')
    git('commit', '--quiet', '--message', text)
  }
  git('submodule', '--quiet', 'add', origin, 'inner')
  git('commit', '--quiet', '--message', 'submodule')
  const before = { ...process.env }
  Object.assign(process.env, env)
  try {
    await clone(`ssh://git.example.org${origin}`, join(place, 'copy'))
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, before)
  }
  assert.equal(readdirSync(join(place, 'copy')).sort(), ['.git', '.gitmodules', 'a.py', 'inner'])
  assert.equal(readdirSync(join(place, 'copy/inner')), [])
  assert.not(existsSync(trace))
  assert.is(
    execFileSync('git', ['-C', join(place, 'copy'), 'rev-list', '--count', 'HEAD'], { encoding: 'utf8' }),
    '1\n',
  )
})

for (const [place, expected] of [
  ['https://a/b', true],
  ['git@a.org:b/c', true],
  ['ext::sh', true],
  ['FTP://a', true],
  ['../shop', false],
  ['/srv/shop', false],
  ['shop@2', false],
  ['C:shop', false],
] as const)
  test(`${place} is ${expected ? 'an address' : 'a folder'}`, () => assert.is(isAddress(place), expected))

test.run()
