import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  dataWarning,
  history,
  historyText,
  migrationWarning,
  type ReleaseHistoryEntry,
  selectRelease,
} from '../../../commands/deploy/releases.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { connectionTo, scratchHost } from '../../support/scratch-host.ts'

const past = (
  id: string,
  image: string,
  more: Partial<ReleaseHistoryEntry> = {},
  spec: Partial<Spec> = {},
): ReleaseHistoryEntry => ({
  ...{ id, colour: 'blue', secrets: {}, by: 'me', serving: false, hasImage: true },
  spec: { ...specOf(image, {}, {}), ...spec },
  ...more,
})
const serving = { serving: true }

test('back from a version that is not the newest leads further back, never forward again', () => {
  const all = [past('4', 'x:d'), past('3', 'x:c', serving), past('2', 'x:b'), past('1', 'x:a')]
  assert.is(selectRelease('a', all, undefined).id, '2')
  const last = [past('4', 'x:d'), past('3', 'x:c', serving)]
  assert.throws(() => selectRelease('a', last, undefined), /a has no earlier version to go back to/)
})

test('back from a version that serves twice in the list is back from the one that serves now', () => {
  const all = [past('4', 'x:a', serving), past('3', 'x:b'), past('2', 'x:a')]
  assert.is(selectRelease('a', all, undefined).id, '3')
})

test('where nothing serves the newest hasImage was is the one to go back to', () => {
  assert.is(selectRelease('a', [past('2', 'x:b'), past('1', 'x:a')], undefined).id, '2')
})

test('a release that nobody knows is refused with one that is like it, and one without its image with what to do', () => {
  const all = [past('20261124-1', 'x:b', serving), past('20261123-1', 'x:a', { hasImage: false })]
  assert.throws(
    () => selectRelease('a', all, '20261124-2'),
    /a has no release "20261124-2" \(did you mean "20261124-1"\?\): see --releases/,
  )
  assert.throws(
    () => selectRelease('a', all, '20261123-1'),
    /the image of 20261123-1 is no longer on the host: deploy that version again/,
  )
  assert.is(selectRelease('a', all, '20261124-1').spec.image, 'x:b')
  assert.throws(() => selectRelease('a', [], undefined), /a was never released on this host/)
})

test('a rollback says that the data stays, and which copy is as the version left it', () => {
  const data = { data: ['/app/data'] }
  const copied = (number: number, hasCopy = true) => ({ copy: `/d/before.${number}`, hasCopy })
  const [four, three, two, one] = [
    past('4', 'x:d', { ...serving, ...copied(4) }, data),
    past('3', 'x:c', copied(3), data),
    past('2', 'x:b', copied(2, false), data),
    past('1', 'x:a', {}, data),
  ]
  const all = [four, three, two, one] as ReleaseHistoryEntry[]
  const said = 'the data in /app/data stays as it is, and is not rolled back'
  assert.is(
    dataWarning(all, two as ReleaseHistoryEntry),
    `${said}; a copy of it from before 3 is on the host in /d/before.3`,
  )
  // The one from before 2 is gone by now.
  assert.is(
    dataWarning(all, one as ReleaseHistoryEntry),
    `${said}; a copy of it from before 3 is on the host in /d/before.3`,
  )
  assert.is(dataWarning([past('2', 'x:b', serving), past('1', 'x:a', {}, data)], past('1', 'x:a', {}, data)), said)
  assert.is(dataWarning([past('2', 'x:b', serving), past('1', 'x:a')], past('1', 'x:a')), undefined)
})

test('of the dumps from before migrations the one that fits the version is named: the first after it', () => {
  const all = [
    past('4', 'x:d', serving, { migrations: 'c' }),
    past('3', 'x:c', { dump: '/d/3' }, { migrations: 'c' }),
    past('2', 'x:b', { dump: '/d/2' }, { migrations: 'b' }),
    past('1', 'x:a', {}, { migrations: 'a' }),
  ]
  const warning = (at: number) => migrationWarning(all, all[at] as ReleaseHistoryEntry)
  assert.is(
    warning(3),
    'the migrations have changed since 1, and the database is not rolled back; a dump from before them is on the host in /d/2',
  )
  assert.match(warning(2) ?? '', /since 2, .* in \/d\/3$/)
  assert.is(warning(1), undefined)
  assert.is(migrationWarning(all.slice(1), all[3] as ReleaseHistoryEntry), undefined, 'nothing serves')
  const none = [past('2', 'x:b', serving, { migrations: 'b' }), past('1', 'x:a', {}, { migrations: 'a' })]
  assert.is(
    migrationWarning(none, none[1] as ReleaseHistoryEntry),
    'the migrations have changed since 1, and the database is not rolled back',
  )
})

test('a line a release: which serves, whose it is, and whose image is gone', () => {
  assert.is(
    historyText([past('2', 'x:b', serving), past('1', 'x:a', { hasImage: false, by: 'you' }, { mode: 'polling' })]),
    '* 2  webhook  x:b  by me\n  1  polling  x:a  by you  (image removed)\n',
  )
  assert.is(
    historyText([past('3', 'x:c', { ...serving, commit: '0123456789abcdef0123456789abcdef01234567' })]),
    '* 3  webhook  x:c  by me  commit 0123456789ab\n',
  )
  assert.is(historyText([]), 'no release yet\n')
})

test('the past of a bot is read from its host, with what it still has the images of', async () => {
  const host = scratchHost()
  assert.equal(await history('a', connectionTo(host)), [])
  const [one, two, three] = ['1', '2', '3'].map((id) => ({
    ...{ id, spec: specOf(`x:${id}`, {}, {}), colour: 'blue', secrets: {}, by: 'me' },
  }))
  host.write(
    '/var/lib/botgarden/bots/a/releases',
    [one, two, three].map((each) => `${JSON.stringify(each)}\n`).join(''),
  )
  host.write('/var/lib/botgarden/bots/a/current.json', `${JSON.stringify(two)}\n`)
  for (const name of ['x:2', 'x:3']) host.note(`images/${name}`, '')
  const all = await history('a', connectionTo(host))
  assert.equal(
    all.map(({ id, serving, hasImage }) => [id, serving, hasImage]),
    [
      ['3', false, true],
      ['2', true, true],
      ['1', false, false],
    ],
  )
})

test.run()
