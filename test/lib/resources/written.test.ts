// What the scripts of the kinds that write files do, on real files.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Resource } from '../../../lib/model/resource.ts'
import { passFile } from '../../../lib/platform/pgpass.ts'
import { authorizedKeys, type KeyFile, keyFiles } from '../../../lib/resources/authorized-keys.ts'
import { startedWith } from '../../../lib/resources/config-stamp.ts'
import { cron, noCron } from '../../../lib/resources/cron.ts'
import { absentFile, directory, file } from '../../../lib/resources/file.ts'
import { fileState, programExists, textOf } from '../../../lib/resources/file-state.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { runFolder } from '../../../lib/resources/runtime-directory.ts'
import { symlink } from '../../../lib/resources/symlink.ts'
import { local } from '../../../lib/shell/local.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { type Bench, bench, changesOf } from '../../support/bench.ts'
import { rejects } from '../../support/errors.ts'

const test = suite('scripts that write, run by a real sh')
const owner = (await local`id -un`).stdout.trim()
const group = (await local`id -gn`).stdout.trim()
const mine = { owner, group }
// Whoever may, gives files away.
const theirs = process.getuid?.() === 0 ? { owner: 'daemon', group: 'daemon' } : mine
let host: Bench
test.before.each(() => {
  host = bench(['/etc', '/opt', '/run', '/home'])
})
test.after.each(() => host.remove())

const modeOf = (path: string) => (lstatSync(host.at(path)).mode & 0o7777).toString(8).padStart(4, '0')

test('a file appears with content and mode, and is as wanted then', async () => {
  const wanted = file('/etc/x', { content: "it's\nsome `text` $HOME\n", mode: '0640', ...theirs })
  assert.equal(await host.apply(wanted), ['file:/etc/x: create'])
  assert.is(host.text('/etc/x'), "it's\nsome `text` $HOME\n")
  assert.is(modeOf('/etc/x'), '0640')
  assert.equal(readdirSync(host.at('/etc')), ['x'])
  assert.equal(await host.apply(wanted), [])
})

test('a file is replaced whole: its content, a mode, a link that stands there', async () => {
  host.write('/etc/x', 'old', 0o600)
  assert.equal(await host.apply(file('/etc/x', { content: 'new', ...mine })), [
    'file:/etc/x: content, mode 0600 → 0644',
  ])
  assert.equal([host.text('/etc/x'), modeOf('/etc/x')], ['new', '0644'])
  assert.equal(await host.apply(file('/etc/x', { content: 'new', mode: '0400', ...theirs })), [
    `file:/etc/x: mode 0644 → 0400${theirs === mine ? '' : `, owner ${owner}:${group} → daemon:daemon`}`,
  ])
  assert.equal(await host.apply(file('/etc/x', { content: 'new', mode: '0400', ...theirs })), [])
  assert.is(modeOf('/etc/x'), '0400')
  host.write('/etc/other', 'of others')
  symlinkSync('other', host.at('/etc/link'))
  assert.equal(await host.apply(file('/etc/link', { content: 'own', ...mine })), [
    'file:/etc/link: replace a symbolic link',
  ])
  assert.equal([host.text('/etc/link'), host.text('/etc/other')], ['own', 'of others'])
})

test('a file that is written with its own text sees what is there', async () => {
  host.write('/etc/x', 'one\n')
  const more = file('/etc/x', { content: (now = '') => `${now.replace(/two\n/, '')}two\n`, ...mine })
  assert.equal(await host.apply(more), ['file:/etc/x: content'])
  assert.is(host.text('/etc/x'), 'one\ntwo\n')
  assert.equal(await host.apply(more), [])
})

test('a candidate that its tool refuses leaves the old file, and nothing beside it', async () => {
  host.write('/etc/x', 'old')
  const proof = (candidate: Script) => sh`grep -q good ${candidate}`
  const of = (content: string) => file('/etc/x', { content, validate: { tool: 'sh', script: proof }, ...mine })
  assert.match((await host.apply(of('bad'))).join(), /^file:\/etc\/x: content ended with 1/)
  assert.equal([host.text('/etc/x'), readdirSync(host.at('/etc'))], ['old', ['x']])
  assert.equal(await host.apply(of('good')), ['file:/etc/x: content'])
  assert.is(host.text('/etc/x'), 'good')
})

test('a check proves the candidate elsewhere, where the tool is there', async () => {
  const validate = { tool: 'sh', script: (candidate: Script) => sh`grep -q good ${candidate}` }
  for (const [content, code] of [
    ['good', 0],
    ['bad', 1],
  ] as const) {
    const [change] = changesOf([file('/etc/x', { content, validate })], { 'program:sh': true })
    const dir = host.at('/run')
    assert.is((await host.run(`set -e\ndir=${dir}\n${change?.validation?.text}`)).code, code)
    assert.is(readFileSync(`${dir}/candidate`, 'utf8'), content)
  }
  const [change] = changesOf([file('/etc/x', { content: 'bad', validate })], { 'program:sh': false })
  assert.is(change?.validation, undefined)
  assert.not.ok(existsSync(host.at('/etc/x')))
})

test('what follows a file runs in the same step, after it is there', async () => {
  await host.apply(file('/etc/x', { content: 'new', afterwards: sh`cat /etc/x >/run/seen`, ...mine }))
  assert.is(host.text('/run/seen'), 'new')
})

test('the content of a file is in no message, its place and its test are', () => {
  const script = (candidate: Script) => sh`visudo -c ${candidate}`
  const [change] = changesOf([file('/etc/x', { content: 'hidden', validate: { tool: 'visudo', script } })], {})
  assert.is(change?.script.shown, 'write /etc/x; visudo -c /etc/.x.botgarden')
  assert.is(changesOf([file('/etc/x', { content: 'hidden' })], {})[0]?.script.shown, 'write /etc/x')
})

test('a diff says what becomes of the text and of the attributes', () => {
  const now = { type: 'file', mode: '0600', owner: 'root', group: 'root', uid: 0, gid: 0, sha256: '0' }
  const state = { 'file:/etc/x': now, 'text:/etc/x': 'old\n' }
  const diff = changesOf([file('/etc/x', { content: 'new\n' })], state)[0]?.diff?.() ?? ''
  assert.match(diff, /^-old$/m)
  assert.match(diff, /^\+new$/m)
  assert.match(diff, /^mode 0600 → 0644$/m)
  const gone = changesOf([absentFile('/etc/x')], state)[0]?.diff?.() ?? ''
  assert.match(gone, /^-old$/m)
})

test('two wants of one file are told apart by all that they want', () => {
  const wants = (more: object) => JSON.stringify(file('/etc/x', { content: 'a', ...more }).wants)
  const different = [{}, { content: 'b' }, { mode: '0600' }, { owner: 'bin' }, { group: 'bin' }].map(wants)
  assert.is(new Set(different).size, 5)
  assert.equal(file('/etc/x', { content: () => 'a', wants: [1] }).wants, {
    ...{ mode: '0644', owner: 'root', group: 'root' },
    content: [1],
  })
  assert.equal(directory('/etc/x', { mode: '0700' }).wants, { mode: '0700', owner: 'root', group: 'root' })
})

test('owners are compared by name or by number', () => {
  const now = { type: 'directory', mode: '0755', owner: 'UNKNOWN', group: 'UNKNOWN', uid: 20_001, gid: 20_002 }
  const planned = (owner: string, group: string) =>
    changesOf([directory('/x', { owner, group })], { 'file:/x': now }).map(({ summary }) => summary)
  assert.equal(planned('20001', '20002'), [])
  assert.equal(planned('20001', '7'), ['owner UNKNOWN:UNKNOWN → 20001:7'])
  assert.equal(planned('7', '20002'), ['owner UNKNOWN:UNKNOWN → 7:20002'])
})

test('a file is removed, and a directory in its place is refused', async () => {
  host.write('/etc/x', 'old')
  assert.equal(await host.apply(absentFile('/etc/x')), ['file:/etc/x: remove'])
  assert.not.ok(existsSync(host.at('/etc/x')))
  assert.equal(await host.apply(absentFile('/etc/x')), [])
  mkdirSync(host.at('/etc/x'))
  for (const wanted of [absentFile('/etc/x'), file('/etc/x', { content: '' })])
    await rejects(host.apply(wanted), '/etc/x: should be a file and is a directory: move it away')
})

test('a directory is made and mended, and a file in its place is refused', async () => {
  const wanted = directory('/etc/d', { mode: '0710', ...theirs })
  assert.equal(await host.apply(wanted), ['directory:/etc/d: create'])
  assert.is(modeOf('/etc/d'), '0710')
  assert.equal(await host.apply(directory('/etc/d', { mode: '0755', ...theirs })), [
    'directory:/etc/d: mode 0710 → 0755',
  ])
  assert.is(modeOf('/etc/d'), '0755')
  assert.equal(await host.apply(directory('/etc/d', { mode: '0755', ...theirs })), [])
  host.write('/etc/f', '')
  await rejects(host.apply(directory('/etc/f', mine)), '/etc/f: should be a directory and is a file: move it away')
})

test('what belongs to somebody else is given to its owner, and nothing else of it changes', async () => {
  host.write('/etc/x', 'text', 0o600)
  mkdirSync(host.at('/etc/d'), { mode: 0o700 })
  host.write('/etc/s', 'secret', 0o400)
  const given = theirs === mine ? [] : [`owner ${owner}:${group} → daemon:daemon`]
  for (const wanted of [
    file('/etc/x', { content: 'text', mode: '0600', ...theirs }),
    directory('/etc/d', { mode: '0700', ...theirs }),
    generatedSecret('/etc/s', theirs),
  ]) {
    assert.equal(
      await host.apply(wanted),
      given.map((summary) => `${wanted.id}: ${summary}`),
    )
    assert.equal(await host.apply(wanted), [])
  }
  assert.equal(
    [modeOf('/etc/x'), modeOf('/etc/d'), modeOf('/etc/s'), host.text('/etc/s')],
    ['0600', '0700', '0400', 'secret'],
  )
})

test('a later change plans on the file as it will be', () => {
  const follower = symlink('/etc/l', '/etc/x')
  const again = file('/etc/x', { content: 'a' })
  assert.equal(changesOf([file('/etc/x', { content: 'a' }), again, follower], {}).length, 2)
  assert.equal(changesOf([absentFile('/etc/x'), absentFile('/etc/x')], { 'file:/etc/x': { type: 'file' } }).length, 1)
  assert.equal(changesOf([directory('/x'), directory('/x')], {}).length, 1)
})

test('a link is made, led elsewhere, and put in the place of a file', async () => {
  const link = symlink('/etc/l', 'target')
  assert.equal(await host.apply(link), ['symlink:/etc/l: create, to target'])
  assert.is(readlinkSync(host.at('/etc/l')), 'target')
  assert.equal(await host.apply(link), [])
  assert.equal(await host.apply(symlink('/etc/l', 'other')), ['symlink:/etc/l: target → other'])
  assert.is(readlinkSync(host.at('/etc/l')), 'other')
  host.write('/etc/f', 'x')
  assert.equal(await host.apply(symlink('/etc/f', 'other')), ['symlink:/etc/f: a file → other'])
  assert.is(readlinkSync(host.at('/etc/f')), 'other')
})

test('a secret is made once, of 43 characters, for its owner alone', async () => {
  const secret = generatedSecret('/etc/secret', theirs)
  assert.equal(await host.apply(secret), ['secret:/etc/secret: generate'])
  const first = host.text('/etc/secret')
  assert.match(first ?? '', /^[\w-]{43}$/)
  assert.is(modeOf('/etc/secret'), '0400')
  assert.equal(readdirSync(host.at('/etc')), ['secret'])
  assert.equal(await host.apply(secret), [])
  host.write('/etc/secret', first ?? '', 0o644)
  assert.equal(await host.apply(secret), ['secret:/etc/secret: mode 0644 → 0400'])
  assert.equal(await host.apply(secret), [])
  assert.equal([modeOf('/etc/secret'), host.text('/etc/secret')], ['0400', first])
  assert.is(secret.credential, '/etc/secret')
  mkdirSync(host.at('/etc/folder'))
  await rejects(
    host.apply(generatedSecret('/etc/folder')),
    '/etc/folder: should be a file and is a directory: move it away',
  )
})

test('a secret that did not come out whole is not put in place, and another is never the same', async () => {
  const [change] = changesOf([generatedSecret('/etc/a', { owner })], {})
  const { code } = await host.run(`set -e\nhead() { printf short; }\n${change?.script.text}`)
  assert.is(code, 1)
  assert.not.ok(existsSync(host.at('/etc/a')))
  await host.apply(generatedSecret('/etc/a', { owner }), generatedSecret('/etc/b', { owner }))
  assert.is.not(host.text('/etc/a'), host.text('/etc/b'))
})

test('the candidate of a secret is nobody else’s at any moment', async () => {
  const [change] = changesOf([generatedSecret('/etc/a', { owner })], {})
  const watch = `chown() { stat -c %a /etc/a.new; command chown "$@"; }`
  assert.is((await host.run(`set -e\numask 022\n${watch}\n${change?.script.text}`)).output, '600\n')
})

test('libpq’s password file has the password of the host, and follows it', async () => {
  host.write('/etc/secrets/password', 's3cret', 0o400)
  const wanted = passFile('hello', '/etc/secrets', 'password')
  assert.equal(await host.apply(wanted), ['command:pgpass-hello: write /etc/secrets/pgpass'])
  assert.is(host.text('/etc/secrets/pgpass'), '*:*:*:hello:s3cret\n')
  assert.is(modeOf('/etc/secrets/pgpass'), '0400')
  assert.equal(readdirSync(host.at('/etc/secrets')).sort(), ['password', 'pgpass'])
  assert.equal(await host.apply(wanted), [])
  for (const change of [() => host.write('/etc/secrets/pgpass', '*:*:*:hello:s3cret\n', 0o444), rotate]) {
    change()
    assert.equal(await host.apply(wanted), ['command:pgpass-hello: write /etc/secrets/pgpass'])
  }
  function rotate() {
    host.write('/etc/secrets/password', 'n3w', 0o400)
  }
})

test('a key is added below those of others, for sshd to trust', async () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC'
  const state: KeyFile = {
    path: '/home/ops/.ssh/authorized_keys',
    ...{ own: true, directory: 'absent', file: 'absent', keys: [] },
  }
  const added = async (now: KeyFile, keys: string[]) => {
    for (const { script } of changesOf([authorizedKeys(owner, keys)], { [`keys:${owner}`]: [now] }))
      assert.equal(await host.run(`set -e\numask 022\n${script.text}`), { code: 0, output: '' })
  }
  mkdirSync(host.at('/home/ops'))
  await added(state, [key])
  assert.is(host.text('/home/ops/.ssh/authorized_keys'), `${key}\n`)
  assert.equal([modeOf('/home/ops/.ssh'), modeOf('/home/ops/.ssh/authorized_keys')], ['0700', '0600'])
  // Its last line has no end.
  host.write('/home/ops/.ssh/authorized_keys', 'ssh-rsa AAAAB3 other')
  await added({ ...state, directory: `0700 ${owner}`, file: `0600 ${owner}` }, [key, `${key}= two`])
  assert.is(host.text('/home/ops/.ssh/authorized_keys'), `ssh-rsa AAAAB3 other\n${key}\n${key}= two\n`)
  assert.is(modeOf('/home/ops/.ssh/authorized_keys'), '0600')
  assert.equal(readdirSync(host.at('/home/ops/.ssh')), ['authorized_keys'])
  // Modes that sshd would not trust are mended.
  host.write('/home/ops/.ssh/authorized_keys', key, 0o664)
  await added({ ...state, directory: '0777 x', file: `0664 ${owner}`, keys: [{ key, options: '' }] }, [key])
  assert.equal([modeOf('/home/ops/.ssh'), modeOf('/home/ops/.ssh/authorized_keys')], ['0700', '0600'])
  if (process.getuid?.() !== 0) return
  await added({ ...state, path: '/etc/ssh/keys/ops', own: false }, [key])
  assert.equal([modeOf('/etc/ssh/keys'), modeOf('/etc/ssh/keys/ops')], ['0755', '0644'])
})

test('sshd is asked where it looks for keys, with its words for home, user and number', async () => {
  host.remove()
  const answer = 'printf "port 22\\nauthorizedkeysfile .ssh/authorized_keys /etc/keys/%%u none %%h/%%U\\n"'
  const entry = '[ "$2" = ops ] && echo "ops:x:1001:1001::/home/ops:/bin/sh"'
  host = bench(['/etc', '/home', '/usr/sbin'], { getent: entry, sshd: answer })
  host.write('/usr/sbin/sshd', '#!/bin/sh\nexec sshd "$@"\n', 0o755)
  const key = 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC'
  host.write('/home/ops/.ssh/authorized_keys', `${key} a\n`, 0o640)
  mkdirSync(host.at('/etc/keys'))
  const [first, second, third, ...rest] = await host.read(keyFiles('ops'))
  assert.equal(rest, [])
  assert.equal(first, {
    ...{ path: '/home/ops/.ssh/authorized_keys', own: true, directory: `0755 ${owner}`, file: `0640 ${owner}` },
    keys: [{ key, options: '' }],
  })
  assert.equal(second, {
    ...{ path: '/etc/keys/ops', own: false, directory: `0755 ${owner}`, file: 'absent', keys: [] },
  })
  assert.is(third?.path, '/home/ops/1001')
  // Whom nobody knows has a home to be.
  assert.equal((await host.read(keyFiles('new')))[0]?.path, '/home/new/.ssh/authorized_keys')
})

test('without an answer of sshd its own default is where keys are', async () => {
  host.remove()
  host = bench(['/home', '/usr/sbin'], { getent: 'exit 2' })
  assert.equal(
    (await host.read(keyFiles('ops'))).map(({ path }) => path),
    ['/home/ops/.ssh/authorized_keys', '/home/ops/.ssh/authorized_keys2'],
  )
})

test('a cron entry is there, or not', async () => {
  mkdirSync(host.at('/etc/cron.d'))
  const changes = changesOf([cron('job', { schedule: '@daily', command: 'run 5%', user: 'bin' })], {})
  assert.is(changes.length, 1)
  const entry = cron('job', { schedule: '@daily', command: 'run 5%', user: 'bin' })
  const content = contentOf(entry)
  assert.match(
    content,
    /^# Written by botgarden; changes made here are overwritten\.\nPATH=\S*\/usr\/sbin\S*\n@daily bin run 5\\%\n$/,
  )
  host.write('/etc/cron.d/botgarden-job', content)
  assert.equal(await host.apply(noCron('job')), ['file:/etc/cron.d/botgarden-job: remove'])
  assert.equal(await host.apply(noCron('job')), [])
})

test('reads programs and texts as they are', async () => {
  assert.equal(
    [await host.read(programExists('cat')), await host.read(programExists('no-such-program'))],
    [true, false],
  )
  host.write('/etc/large', 'x'.repeat(262_145))
  await rejects(host.read(textOf('/etc/large')), /large: is larger than 256 KiB.*: move it away/)
  host.write('/etc/large', 'x'.repeat(262_144))
  assert.is((await host.read(textOf('/etc/large')))?.length, 262_144)
  host.write('/etc/mode', '', 0o4755)
  const state = await host.read(fileState('/etc/mode'))
  assert.is(state === 'absent' ? '' : state.mode, '4755')
  assert.is(state === 'absent' ? '' : `${state.uid} ${state.gid}`, `${process.getuid?.()} ${process.getgid?.()}`)
  assert.is(statSync(host.at('/etc/mode')).size, 0)
})

test('a folder below /run is made at every boot as it is now', async () => {
  const [entry, folder] = runFolder('x', { mode: '0750', owner })
  const lines = contentOf(entry).split('\n')
  assert.equal(lines.slice(1, 3), ['d /run/botgarden 0700 root root -', `d /run/botgarden/x 0750 ${owner} ${owner} -`])
  assert.is(entry?.id, 'file:/etc/tmpfiles.d/botgarden-x.conf')
  assert.equal([folder?.id, folder?.wants], ['directory:/run/botgarden/x', { mode: '0750', owner, group: owner }])
  assert.match(lines[0] ?? '', /^# .*botgarden/)
})

test('a unit notes at its start what it is configured with, in a way that never keeps it down', async () => {
  const { mark, dropIn } = startedWith('x.service', 'x', '/etc/x.conf /etc/none', { reloads: true, more: 'Nice=5\n' })
  assert.is(mark.name, '/run/botgarden/x.started-with')
  const content = contentOf(dropIn.at(-1))
  const [start = '', reload = ''] = content.split('\n').filter((line) => /^Exec/.test(line))
  assert.equal([start.split('=')[0], reload.split('=')[0]], ['ExecStartPre', 'ExecReload'])
  assert.match(content, /^# .*botgarden.*\n\[Service\]\n/)
  assert.ok(content.endsWith('\nNice=5\n'))
  host.write('/etc/x.conf', 'a=1\n')
  for (const line of [start, reload]) {
    assert.match(line, /=-\/bin\/sh/)
    assert.is((await host.run(line.replace(/^\w+=-/, ''))).code, 0)
    const sum = await host.run("cat /etc/x.conf | sha256sum | cut -c 1-64; stat -c '%a' /run/botgarden")
    assert.is(`${await host.read(mark)}700\n`, sum.output)
  }
  const bare = contentOf(startedWith('x.service', 'x', '/etc/x.conf').dropIn.at(-1))
  assert.not.match(bare, 'ExecReload')
})

function contentOf(resource: Resource | undefined): string {
  return (resource?.wants as { content?: string })?.content ?? ''
}

test.run()
