// What holds a secret is nobody else's from its first byte on, and not only when it is in its place.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Resource } from '../../../lib/model/resource.ts'
import { passFile } from '../../../lib/platform/pgpass.ts'
import { file } from '../../../lib/resources/file.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { sshArguments } from '../../../lib/ssh/ssh-arguments.ts'
import { masked, Secret } from '../../../lib/std/secret.ts'
import { changesOf } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

/** Makes the change that a resource plans on a bare host: what its candidate was like before it was given to its owner. */
async function made(resource: Resource, host = scratchHost()) {
  const [change] = changesOf([resource], {})
  return { ...(await host.run(change?.script ?? '')), host }
}

test('a file with a secret in it is private while it is written, and has its mode at the end', async () => {
  const seen = sh`ls -l`
  const { code, calls, host } = await made(
    file('/etc/secret', {
      content: 'secret\n',
      mode: '0640',
      group: 'adm',
      validate: { tool: 'sh', script: (path) => sh`stat -c 'validated as %a' ${path}; ${seen} >/dev/null` },
    }),
  )
  assert.is(code, 0)
  assert.equal(calls, ['chown root:adm /etc/.secret.botgarden', 'was 600', 'sync /etc/.secret.botgarden'])
  assert.is(host.mode('/etc/secret'), '640')
  assert.is(host.read('/etc/secret'), 'secret\n')
  assert.equal(host.list('/etc'), ['secret'])
})

test('a candidate that somebody has laid there is not written into', async () => {
  const host = scratchHost()
  await host.run('ln -s /etc/elsewhere /etc/.secret.botgarden')
  const { code } = await made(file('/etc/secret', { content: 'secret\n', mode: '0600' }), host)
  assert.is(code, 0)
  assert.equal(host.list('/etc'), ['secret'])
})

test('what its tool refuses leaves the old file and no candidate', async () => {
  const host = scratchHost()
  host.write('/etc/secret', 'old\n')
  const validate = { tool: 'sh', script: () => sh`echo no good; exit 9` }
  const { code, output } = await made(file('/etc/secret', { content: 'new\n', validate }), host)
  assert.is(code, 9)
  assert.match(output, 'no good')
  assert.is(host.read('/etc/secret'), 'old\n')
  assert.equal(host.list('/etc'), ['secret'])
})

test('a secret that the host makes is private while it is written', async () => {
  const { code, calls, host } = await made(generatedSecret('/etc/password', { owner: '999' }))
  assert.is(code, 0)
  assert.equal(calls.slice(0, 2), ['chown 999:999 /etc/password.new', 'was 600'])
  assert.is(host.mode('/etc/password'), '400')
  assert.match(host.read('/etc/password'), /^[\w-]{43}$/)
})

test('a secret that came out too short is never put in place', async () => {
  const host = scratchHost({ head: 'printf short' })
  const { code } = await made(generatedSecret('/etc/password'), host)
  assert.is(code, 1)
  assert.not.ok(host.there('/etc/password'))
})

test('a pass file is private while it is written', async () => {
  const host = scratchHost()
  host.write('/etc/password', 'secret', 0o400)
  const { code, calls } = await made(passFile('hello', '/etc', 'password'), host)
  assert.is(code, 0)
  assert.equal(calls.slice(0, 2), ['chown --reference /etc/password /etc/pgpass.new', 'was 600'])
  assert.is(host.mode('/etc/pgpass'), '400')
  assert.is(host.read('/etc/pgpass'), '*:*:*:hello:secret\n')
})

test('of two secrets of which one begins the other nothing of the longer one is left to be read', () => {
  const [short, long] = ['begin-of-it', 'begin-of-it-and-the-rest']
  for (const value of [short, long]) new Secret(value)
  assert.is(masked(`${long} ${short}`), '*** ***')
  const [other, part] = ['wholly-other-and-more', 'wholly-other']
  for (const value of [other, part]) new Secret(value)
  assert.is(masked(`${part} ${other}`), '*** ***')
})

test('of a secret of many lines none comes through alone, and no line that is as short as a word', () => {
  new Secret('-----BEGIN-----\nabcdefghij\nxyz\n')
  assert.is(masked('  abcdefghij\n  xyz'), '  ***\n  xyz')
})

test('a login hands on nothing of the operator’s, whatever his ssh_config asks for', () => {
  const args = sshArguments({ name: 'a', ssh: 'ops@a:2222', sshConfig: '/c', acceptNew: false, fresh: true })
  const given = Object.fromEntries(
    args.flatMap((each, i) => (args[i - 1] === '-o' ? [each.split('=') as [string, string]] : [])),
  )
  for (const [keyword, value] of Object.entries({
    ...{ ForwardAgent: 'no', ForwardX11: 'no', ClearAllForwardings: 'yes', RemoteCommand: 'none', RequestTTY: 'no' },
    ...{ StrictHostKeyChecking: 'yes', ControlMaster: 'no', ControlPath: 'none', LogLevel: 'ERROR' },
  }))
    assert.is(given[keyword], value, keyword)
  assert.equal(args.slice(-7), ['-F', '/c', '-l', 'ops', '-p', '2222', 'a'])
})

test.run()
