// What a host says of its backups, in the records that come from there: nothing is followed that is not as it should be.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { settingsOf } from '../../../roles/backups/backup-settings.ts'
import { lastBackup } from '../../../roles/backups/last-backup.ts'
import { missingParts, parseManifest, partFiles, partName, subjectOf } from '../../../roles/backups/manifest.ts'
import { parseStatus } from '../../../roles/backups/run-status.ts'
import { scratchHost } from '../../support/scratch-host.ts'

type Json = Readonly<Record<string, unknown>>
const sum = 'a'.repeat(64)
const encrypted = { size: 2, sha256: sum }
const partOf = (more: Json): Json => ({ size: 0, sha256: sum, encrypted, ...more })
const named = (name: string): Json =>
  partOf({ kind: 'database', database: name, owner: 'one', tables: { users: 0 }, file: `database-${name}.dump.age` })
const globals = partOf({ kind: 'globals', file: 'globals.sql.age' })
const files = partOf({ kind: 'files', file: 'files.tar.age', entries: 0 })
const data = (bot: string): Json => partOf({ kind: 'data', bot, file: `data-${bot}.tar.age`, entries: 2, content: sum })
const lost = { kind: 'database', database: 'two', file: 'database-two.dump.age', reason: 'locked' }
const manifest: Json = {
  ...{ format: 1, host: 'vps1', time: '2026-11-24T03:17:00Z', only: null, server: '18.6', recipients: ['age1x'] },
  ...{ warnings: ['odd'], parts: [named('one'), globals, files] },
}
const read = (more: Json) => parseManifest(JSON.stringify({ ...manifest, ...more }))
const withPart = (more: Json) => ({ parts: [{ ...named('one'), ...more }, globals, files] })
const without = (from: Json, key: string) => Object.fromEntries(Object.entries(from).filter(([name]) => name !== key))

test('a manifest that is whole is read as it is, and without its list of what failed as one where nothing did', () => {
  assert.equal(read({}), { ...manifest, failed: [] })
  const one = { only: 'one', parts: [named('one')] }
  assert.equal(read(one), { ...manifest, ...one, failed: [] })
  const incomplete = {
    format: 2,
    parts: [named('one'), globals],
    failed: [lost, { kind: 'files', file: 'files.tar.age', reason: '' }],
  }
  assert.equal(read(incomplete), { ...manifest, ...incomplete })
  assert.equal(missingParts(read(incomplete)), ['two', 'files'])
  assert.is(partName({ ...lost, kind: 'database', database: undefined }), 'database-two.dump.age')
  const there = ['database-one.dump.age', 'globals.sql.age']
  assert.equal(partFiles(JSON.stringify({ ...manifest, ...incomplete })), {
    there,
    failed: [lost.file, 'files.tar.age'],
  })
  assert.is(partFiles('{}'), undefined)
})

for (const key of Object.keys(manifest))
  test(`a manifest without its ${key} is none`, () => {
    assert.throws(() => parseManifest(JSON.stringify(without(manifest, key))))
    assert.throws(() => read({ [key]: 7 }))
  })

for (const key of Object.keys(named('one')))
  test(`a database without its ${key} is none`, () => {
    assert.throws(() => read({ parts: [without(named('one'), key), globals, files] }))
    assert.throws(() => read(withPart({ [key]: null })))
  })

for (const key of Object.keys(data('one')))
  test(`data without its ${key} is none`, () => {
    assert.not.throws(() => read({ parts: [data('one'), globals, files] }))
    assert.throws(() => read({ parts: [without(data('one'), key), globals, files] }))
  })

test('data goes by the name of the database of its bot', () => {
  const only = { only: 'my_bot', parts: [named('my_bot'), data('my-bot')] }
  assert.equal(read(only).parts.map(subjectOf), ['my_bot', 'my_bot'])
  const failed = [{ kind: 'data', bot: 'my-bot', file: 'data-my-bot.tar.age', reason: 'locked' }]
  assert.equal(missingParts(read({ format: 2, failed })), ['data of my-bot'])
})

for (const [what, more] of [
  ...['../x', 'x/y', 'X', ''].map(
    (bot) => [`data of a bot called "${bot}"`, { parts: [data(bot), globals, files] }] as const,
  ),

  ['a size below nothing', withPart({ size: -1 })],
  ['half a byte', withPart({ size: 0.5 })],
  ['half a row', withPart({ tables: { users: 0.5 } })],
  ['a checksum of too many signs', withPart({ sha256: `${sum}a` })],
  ['a checksum in capitals', withPart({ sha256: sum.toUpperCase() })],
  ['no size of what is encrypted', withPart({ encrypted: { sha256: sum } })],
  ['no checksum of what is encrypted', withPart({ encrypted: { size: 2 } })],
  ['an owner of 64 bytes', withPart({ owner: 'ö'.repeat(32) })],
  ['a file that is not encrypted', withPart({ file: 'database-one.dump' })],
  ['a file by a path', withPart({ file: 'x/database-one.dump.age' })],
  ['a file that is hidden', withPart({ file: '.age' })],
  ['files that count nothing', { parts: [named('one'), globals, without(files, 'entries')] }],
  ['globals by another name', { parts: [named('one'), { ...globals, file: 'files.tar.age' }, without(files, 'x')] }],
  ['a time that is none', { time: 'yesterday' }],
  ['what failed and no reason', { format: 2, failed: [without(lost, 'reason')] }],
  ['what failed and no file', { format: 2, failed: [without(lost, 'file')] }],
  ['what failed of no kind', { format: 2, failed: [without(lost, 'kind')] }],
] as const)
  test(`a manifest with ${what} is none`, () => assert.throws(() => read(more)))

for (const [what, more, said] of [
  ['whole, and says what failed', { failed: [lost] }, 'its format contradicts its list of failed parts'],
  ['whole without globals and files', { parts: [named('one')] }, 'has no globals and no files'],
  [
    'of one database, and has another',
    { only: 'two', parts: [named('one')] },
    'should contain only the database two, and the data of its bot',
  ],
  [
    'of one database, and has the data of another bot',
    { only: 'one', parts: [named('one'), data('two')] },
    'should contain only the database one, and the data of its bot',
  ],
  [
    'with data by another name',
    { parts: [{ ...data('one'), file: 'x.age' }, globals, files] },
    'x.age: should be named data-one.tar.age',
  ],
  ['with a part by another name', withPart({ file: 'x.age' }), 'x.age: should be named database-one.dump.age'],
  [
    'with a part twice',
    { parts: [named('one'), named('one'), globals, files] },
    'database-one.dump.age: is listed twice',
  ],
] as const)
  test(`a manifest that is ${what} says so`, () =>
    assert.throws(
      () => read(more),
      (error: Error) => error.message === said,
    ))

test('a name that is more than letters has its bytes in the name of its file; one of 63 bytes is none too long', () => {
  for (const [name, file] of [
    ['A_1', 'database-A_1.dump.age'],
    ['a-b', 'database-=612d62.dump.age'],
    ['ö', 'database-=c3b6.dump.age'],
    ['x'.repeat(63), `database-${'x'.repeat(63)}.dump.age`],
  ] as const)
    assert.is(read(withPart({ database: name, file })).parts[0]?.file, file)
  assert.throws(() => read(withPart({ database: 'x'.repeat(64), file: `database-${'x'.repeat(64)}.dump.age` })))
})

const status: Json = { format: 1, result: 'ok', at: '2026-11-25T03:17:00Z', seconds: 3, reason: '', warnings: ['odd'] }

for (const [what, said] of [
  ...Object.keys(status).map((key) => [`without its ${key}`, without(status, key)] as const),
  ...Object.keys(status).map((key) => [`with another ${key}`, { ...status, [key]: {} }] as const),
  ['with a last good one that is no name', { ...status, lastGood: 7 }],
  ['with bytes that are no number', { ...status, bytes: '7' }],
  ['with a part that failed for no reason', { ...status, failed: [without(lost, 'reason')] }],
  ['with one that was taken and has no name', { ...status, taken: { bytes: 7 } }],
  ['with one that was taken and has no size', { ...status, taken: { name: 'x' } }],
] as const)
  test(`a status ${what} is a doubt`, () => {
    const read = parseStatus(`gone\n${JSON.stringify(said)}`)
    const doubt =
      '/opt/botgarden/backups/status.json cannot be parsed: the result of the last run is unknown; the next run rewrites it'
    assert.equal(read, { format: 1, result: 'ok', at: '', seconds: 0, reason: '', failed: [], warnings: [doubt] })
  })

test('a status has of the last good one and of one that was taken what is known', () => {
  const more = { lastGood: 'a', bytes: 7, taken: { name: 'b', bytes: 8 }, failed: [lost] }
  assert.equal(parseStatus(JSON.stringify({ ...status, ...more })), { ...status, ...more })
  assert.equal(parseStatus(JSON.stringify({ ...status, lastGood: null, bytes: null })), { ...status, failed: [] })
  const running = { ...status, result: 'running' }
  assert.equal(parseStatus(`alive\n${JSON.stringify(running)}`), { ...running, failed: [] })
  const reason = 'it was started then, and was killed or the host went down before it ended'
  for (const word of ['gone\n', ''])
    assert.equal(parseStatus(`${word}${JSON.stringify(running)}`), { ...running, result: 'failed', reason, failed: [] })
  for (const nothing of ['', '\n', 'gone', 'gone\n', 'alive\n \n']) assert.is(parseStatus(nothing), undefined)
})

for (const [what, more, told] of [
  [
    'that is under way',
    { result: 'running', process: '123 456', lastGood: '2026-11-25T031700Z', bytes: 1 },
    ['last good one 9 h old (2026-11-25T031700Z, 1 kB)', 'one is running since 2026-11-25T03:17:00Z', 'odd'],
  ],
  [
    'that lacks something',
    { result: 'incomplete', reason: 'locked', taken: { name: 'b', bytes: 8 } },
    ['no good one yet', 'FAILED in part at 2026-11-25T03:17:00Z: locked; the rest is in b', 'odd'],
  ],
  [
    'that nobody knows of',
    { seconds: 'x' },
    [
      '/opt/botgarden/backups/status.json cannot be parsed: the result of the last run is unknown; the next run rewrites it',
    ],
  ],
] as const)
  test(`a run of site.ts tells of a backup ${what}, as it reads it on the host`, async () => {
    const host = scratchHost({ date: 'echo 1795608000' })
    host.write('/proc/123/stat', `123 ${'0 '.repeat(20)}456 0\n`)
    host.write('/opt/botgarden/backups/status.json', JSON.stringify({ ...status, ...more }))
    const resource = lastBackup(settingsOf({}).schedule)
    const [reading] = resource.reads
    // A backup that is taken meanwhile is no reason to plan once more.
    assert.is(reading?.kind.volatile, true)
    assert.ok(reading)
    const state = await host.reads(reading)
    assert.equal(resource.outputs?.((() => state) as never), { backups: told })
    assert.equal([resource.id, resource.wants, resource.plan((() => state) as never)], ['backups:last', 'told', []])
  })

test.run()
