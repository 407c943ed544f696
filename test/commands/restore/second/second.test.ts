// Which second `--at` names, and what it is restored from.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseArchive, newestMoment } from '../../../../commands/restore/second/choose.ts'
import { hasOffset, isMoment, momentOf, zoneScript } from '../../../../commands/restore/second/moment.ts'
import { type ArchiveFile, nextSegment, parseArchivePath } from '../../../../roles/backups/continuous/names.ts'
import { shell } from '../../../support/shell.ts'

const first = '000000010000000000000005'
const at = (time: string) => Date.parse(`2026-11-26T${time}Z`)
const stamp = (time: string) => `20261126T${time.replaceAll(':', '')}Z`

/** A chain with a base, and a segment that was complete at each of these times; `-` is one that is missing. */
function chain(name: string, base: string, times: readonly string[]): ArchiveFile[] {
  let segment = first
  const paths = times.flatMap((time) => {
    const path = `${stamp(name)}/wal-${segment}-${stamp(time === '-' ? name : time)}.gz.age`
    segment = nextSegment(segment)
    return time === '-' ? [] : [path]
  })
  return [`${stamp(name)}/base-${stamp(base)}-${first}-${first}.tar.gz.age`, ...paths].flatMap(
    (path) => parseArchivePath(path) ?? [],
  )
}

const one = chain('10:00:00', '10:01:00', ['10:01:30', '10:05:00', '10:20:00'])
const two = chain('11:00:00', '11:01:00', ['11:01:30', '11:05:00'])
const now = at('12:00:00')
const chosen = (files: readonly ArchiveFile[], time: string, through?: string) => {
  const found = chooseArchive(files, at(time), { now, through: through === undefined ? undefined : at(through) })
  return typeof found === 'string'
    ? found
    : `${new Date(found.base.time).toISOString().slice(11, 19)} ${found.segments.length}`
}

test('a moment is restored from the newest base before it, and WAL that was complete a minute after it', () => {
  assert.is(chosen([...one, ...two], '10:03:00'), '10:01:00 2')
  assert.is(chosen([...one, ...two], '10:04:30'), '10:01:00 3')
  assert.is(chosen([...one, ...two], '11:01:00'), '11:01:00 2')
  assert.is(chosen([...one, ...two], '11:05:00'), '11:01:00 2')
  // Nothing was written since, as the host says.
  assert.is(chosen([...one, ...two], '11:30:00', '11:40:00'), '11:01:00 2')
})

test('other moments are refused, with what is possible', () => {
  const both =
    'possible is 2026-11-26T10:01:00Z to 2026-11-26T10:20:00Z, and 2026-11-26T11:01:00Z to 2026-11-26T11:05:00Z'
  assert.is(chosen([...one, ...two], '10:40:00'), `is in a gap of the archive: ${both}`)
  assert.is(chosen([...one, ...two], '09:00:00'), `is before the first base: ${both}`)
  assert.is(chosen([...one, ...two], '11:30:00'), `is after the end of the archive: ${both}`)
  assert.is(chosen([...one, ...two], '23:00:00', '11:40:00').split(':')[0], 'is in the future')
  assert.match(chosen([], '11:30:00'), 'no moment is possible: there is no base yet')
})

test('segments that were caught up later are all taken, up to the one that is known to reach the moment', () => {
  const late = chain('10:00:00', '10:01:00', ['10:01:30', '10:01:30', '10:01:30', '11:00:00', '11:30:00'])
  const found = chooseArchive(late, at('10:40:00'), { now })
  assert.is(typeof found === 'string' ? found : found.segments.length, 4)
  // In a chain that ended, what is known decides.
  assert.match(chosen([...late.slice(0, 4), ...two], '10:40:00'), 'is in a gap of the archive')
})

test('a segment that is missing ends what can be restored, whatever comes behind it', () => {
  const holed = chain('10:00:00', '10:01:00', ['10:01:30', '-', '10:20:00'])
  assert.match(chosen(holed, '10:10:00', '11:00:00'), 'is after the end of the archive')
  assert.is(newestMoment(holed, at('11:00:00')), at('10:01:30'))
  // A base whose own WAL is missing is none, and neither is one that ended in a segment that is not there, however late others came.
  const torn = chain('10:00:00', '10:01:00', ['10:05:00', '-']).map((file) =>
    file.kind === 'base' ? { ...file, last: nextSegment(first) } : file,
  )
  assert.match(chosen(torn, '10:04:00'), 'no base yet')
  assert.match(chosen(chain('10:00:00', '10:01:00', ['-', '10:05:00']), '10:04:00'), 'no base yet')
})

test('a time is a moment where it names a second', () => {
  for (const text of [
    '2026-11-25 14:03:07',
    '2026-11-25T14:03:07Z',
    '2026-11-25 14:03:07.25+02:00',
    '2026-11-25 14:03:07 +0200',
  ])
    assert.ok(isMoment(text), text)
  for (const text of ['2026-11-25', '2026-11-25 14:03', 'yesterday', "2026-11-25 14:03:07'; x", undefined])
    assert.not.ok(isMoment(text))
  assert.ok(!hasOffset('2026-11-25 14:03:07') && hasOffset('2026-11-25 14:03:07+02:00'))
  assert.is(momentOf('2026-11-25 14:03:07.25 +0200', undefined).time, Date.parse('2026-11-25T12:03:07.250Z'))
  for (const text of ['2026-13-25T14:03:07Z', '2026-02-30T14:03:07Z', '2026-11-31 14:03:07'])
    assert.throws(() => momentOf(text, undefined), 'there is no such time')
})

for (const [text, zone, wanted] of [
  ['2026-11-25 14:03:07', 'Asia/Tokyo', /^1795582987 JST$/],
  ['2026-10-25 02:30:00', 'Europe/Berlin', /^twice$/],
  ['2026-03-29 02:30:00', 'Europe/Berlin', /^wrong$/],
  ['2026-02-30 12:00:00', 'UTC', /^wrong$/],
] as const)
  test(`the zone of the host decides: ${text} in ${zone}`, async () => {
    assert.match((await shell(`TZ=${zone}; export TZ\n${zoneScript(text).text}`)).trim(), wanted)
  })

test('a time that was there twice is asked about, one that was not is refused', () => {
  assert.throws(() => momentOf('2026-10-25 02:30:00', 'twice'), /was there twice .* add an offset/)
  assert.throws(() => momentOf('2026-03-29 02:30:00', 'wrong'), 'there is no such time in the time zone of the host')
  const { time, shown } = momentOf('2026-11-25 14:03:07', '1795582987 JST')
  assert.is(time, 1795582987000)
  assert.is(shown, '2026-11-25 14:03:07 JST, in the time zone of the host (2026-11-25T05:03:07Z)')
})

test.run()
