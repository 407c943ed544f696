// The lasting files of a bot as a copy has them: read on the operator's machine before anything reaches the host.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { refuseHostile } from '../../../commands/restore/data-archive.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { type Entry, tar } from '../../support/hostile/marks.ts'

const folder: Entry = { name: 'app=data/', type: 'directory' }

async function verdict(...entries: Entry[]): Promise<string> {
  return said(await tar(entries))
}

async function said(archive: Buffer, kind: 'data' | 'cache' = 'data'): Promise<string> {
  try {
    await refuseHostile({ kind, bot: 'hello' }, chunks(archive))
    return 'accepted'
  } catch (error) {
    if (error instanceof HostError) return error.message
    throw error
  }
}

async function* chunks(archive: Buffer): AsyncIterable<Buffer> {
  for (let at = 0; at < archive.length; at += 700) yield archive.subarray(at, at + 700)
}

test('what the host packs is accepted, whatever its files are called', async () => {
  assert.is(
    await verdict(
      folder,
      { name: 'app=data/a\nb \x1b[2J', content: 'x'.repeat(3000) },
      { name: 'app=data/deep/', type: 'directory' },
      { name: 'app=data/deep/up', type: 'symlink', linkname: '../a' },
      { name: 'app=data/deep/here', type: 'symlink', linkname: './x/../y' },
      { name: '.cache/', type: 'directory' },
    ),
    'accepted',
  )
  assert.is(await verdict(), 'accepted')
})

for (const [what, says, ...entries] of [
  ['a path up', /is an unsafe path/, { name: 'app=data/../../etc/cron.d/x' }],
  ['a path from the root', /is an unsafe path/, { name: '/etc/cron.d/x' }],
  ['a path up in an extended header', /is an unsafe path/, { name: 'app=data/x', pax: { path: 'app=data/../../x' } }],
  ['a name that is not UTF-8', /is an unsafe path/, { name: 'app=data/\ufffd' }],
  ['a file in no folder', /is in no folder of a bot/, { name: 'current.json' }],
  ['a link as a folder', /is in no folder of a bot/, { name: 'app=data', type: 'symlink', linkname: 'x' }],
  ['a folder by another name', /is in no folder of a bot/, { name: 'a b/', type: 'directory' }],
  [
    'a link to a path of the host',
    /is a link to "\/etc\/shadow"/,
    { name: 'app=data/x', type: 'symlink', linkname: '/etc/shadow' },
  ],
  ['a link up', /is a link to "\.\.\/\.\.\/x"/, { name: 'app=data/x', type: 'symlink', linkname: '../../x' }],
  [
    'a link to another folder',
    /is a link to "\.\.\/other\/x"/,
    { name: 'app=data/x', type: 'symlink', linkname: '../other/x' },
  ],
  ['a link out and in again', /is a link to/, { name: 'app=data/x', type: 'symlink', linkname: '../app=data/x' }],
  [
    'a link in an extended header',
    /is a link to/,
    { name: 'app=data/x', type: 'symlink', linkname: 'a', pax: { linkpath: '/etc' } },
  ],
  ['a hard link', /is a hard link/, { name: 'app=data/x', type: 'link', linkname: 'app=data/y' }],
  ['a device', /is a character-device/, { name: 'app=data/x', type: 'character-device' }],
  ['a pipe', /is a fifo/, { name: 'app=data/x', type: 'fifo' }],
  [
    'a program of another user',
    /has a mode by which it would run as another user/,
    { name: 'app=data/x', mode: 0o4755 },
  ],
  ['a file twice', /occurs twice/, { name: 'app=data/x' }, { name: 'app=data/x' }],
] as readonly (readonly [string, RegExp, ...Entry[]])[])
  test(`${what} is refused`, async () => {
    const message = await verdict(folder, ...entries)
    assert.match(message, says)
    assert.match(message, /^the data of hello in the backup: .*: nothing was changed$/)
  })

test('a cache has files without a folder, and may lead nowhere either', async () => {
  const of = async (entry: Entry) => said(await tar([entry]), 'cache')
  assert.is(await of({ name: 'temp-rewriteaof-1.aof' }), 'accepted')
  assert.match(
    await of({ name: 'x', type: 'symlink', linkname: 'y' }),
    /^the cache of hello in the backup: "x" is a link/,
  )
})

test('an archive that is cut, or none, is refused', async () => {
  const whole = await tar([folder, { name: 'app=data/x', content: 'y'.repeat(5000) }])
  for (const archive of [whole.subarray(0, 3000), Buffer.alloc(2000, 'x')])
    assert.match(await said(archive), /^the data of hello in the backup is not a valid archive: /)
})

test('what does not match the manifest is refused as that', async () => {
  const broken = async function* () {
    yield await tar([folder])
    throw new HostError('data-hello.tar.age: its decrypted content does not match the manifest')
  }
  const reason = await refuseHostile({ kind: 'data', bot: 'hello' }, broken()).catch((error: Error) => error.message)
  assert.is(reason, 'data-hello.tar.age: its decrypted content does not match the manifest')
})

test.run()
