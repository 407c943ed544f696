// The rule by which backups go, as hosts and operators apply it: the awk program itself, on backups made up at random.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { expired } from '../../../commands/backup/retention.ts'
import { type BackupName, parseBackupName, timestampOf } from '../../../roles/backups/backup-name.ts'

const day = 86_400_000
const keep = { daily: 7, weekly: 5, monthly: 6 }
const now = Date.parse('2026-11-24T03:17:00Z')
const at = (time: number, only?: string) =>
  parseBackupName(`${timestampOf(time)}${only ? `-${only}` : ''}`) as BackupName
const days = (count: number, until = now) => Array.from({ length: count }, (_, i) => at(until - i * day))
const kept = async (backups: readonly BackupName[], rule = keep, clock = now) => {
  const { remove } = await expired(backups, rule, clock)
  return backups.filter(({ name }) => !remove.includes(name)).map(({ name }) => name.slice(0, 10))
}

test('a year of nights leaves seven days, five weeks and six months', async () => {
  assert.equal(await kept(days(365)), [
    ...['2026-11-24', '2026-11-23', '2026-11-22', '2026-11-21', '2026-11-20', '2026-11-19', '2026-11-18'],
    // Sundays, and the last of each month.
    ...['2026-11-15', '2026-11-08', '2026-11-01', '2026-10-31', '2026-09-30', '2026-08-31', '2026-07-31', '2026-06-30'],
  ])
})

test('of several of one day the newest stays, but all of today and yesterday', async () => {
  const backups = [0, 1, 24, 25, 48, 49, 50].map((hours) => at(now - hours * 3_600_000))
  assert.equal((await expired(backups, keep, now)).remove, [backups[5]?.name, backups[6]?.name])
})

test('time alone removes nothing: who comes back after years finds what was there', async () => {
  const old = days(7)
  assert.is((await kept(old, keep, now + 3000 * day)).length, 7)
})

test('what a wrong clock has named stays, is told, and takes no place of a good one', async () => {
  const future = [at(now + 4000 * day), at(now + 3000 * day)]
  const verdict = await expired([...days(20), ...future], keep, now)
  assert.equal(
    verdict.future,
    future.map(({ name }) => name),
  )
  assert.equal(verdict.remove, (await expired(days(20), keep, now)).remove)
})

test('a clock that has fallen back lets the backup stay that it has just named', async () => {
  const past = Date.parse('1970-01-01T00:01:00Z')
  assert.equal(await expired([...days(20), at(past)], keep, past), {
    remove: [],
    future: days(20)
      .map(({ name }) => name)
      .sort()
      .reverse(),
  })
})

test('the backups of one database do not take the places of whole ones, nor of another one’s', async () => {
  const single = (only: string) => days(9, now + 1000).map(({ time }) => at(time, only))
  const verdict = await expired(
    [...days(9), ...single('one'), ...single('two')],
    { daily: 7, weekly: 1, monthly: 1 },
    now + day,
  )
  for (const only of ['Z', '-one', '-two']) assert.is(verdict.remove.filter((name) => name.endsWith(only)).length, 2)
})

test('a part that is missing from many has its own series: what holds it stays as if there were no other', async () => {
  const sum = 'a'.repeat(64)
  const files = { globals: 'globals.sql.age', files: 'files.tar.age' }
  const parts = Object.entries(files).map(([kind, file]) => ({
    ...{ kind, file, size: 1, sha256: sum, encrypted: { size: 1, sha256: sum }, entries: 1 },
  }))
  const file = 'database-one.dump.age'
  const one = { ...parts[0], kind: 'database', database: 'one', owner: 'one', tables: {}, file }
  const failed = [{ kind: 'database', database: 'one', file, reason: 'locked' }]
  const base = {
    format: 1,
    host: 'x',
    time: '2026-11-24T03:17:00Z',
    only: null,
    server: '',
    recipients: [],
    warnings: [],
  }
  const whole = JSON.stringify({ ...base, parts: [...parts, one] })
  const lacking = JSON.stringify({ ...base, format: 2, parts, failed })
  // It has failed for a month.
  const backups = days(90).map((each, i) => ({ ...each, manifest: i < 30 ? lacking : whole }))
  const good = backups.filter(({ manifest }) => manifest === whole)
  const { remove } = await expired(backups, keep, now)
  const left = backups.filter(({ name }) => !remove.includes(name))
  const alone = (await expired(good, keep, now)).remove
  assert.equal(
    left.filter(({ manifest }) => manifest === whole).filter(({ name }) => alone.includes(name)),
    [],
  )
  for (const each of good.slice(0, 7)) assert.ok(left.includes(each), each.name)
  // Gone for good, it keeps nothing.
  const without = JSON.stringify({ ...base, parts })
  const later = [at(now + day), ...backups].map((each, i) => (i === 0 ? { ...each, manifest: without } : each))
  assert.equal(
    (await expired(later, keep, now + day)).remove,
    (await expired([at(now + day), ...days(90)], keep, now + day)).remove,
  )
})

test('with any backups and any rule: the newest stays, so does the newest of each counted period, and no more', async () => {
  const random = generator(20_261_124)
  const upTo = (most: number) => 1 + Math.floor(random() * most)
  for (let round = 0; round < 60; round++) {
    const rule = { daily: upTo(9), weekly: upTo(6), monthly: upTo(13) }
    const backups = Array.from({ length: upTo(120) }, () => at(now + Math.floor((random() * 400 - 380) * day)))
    const { remove, future } = await expired(backups, rule, now)
    const expected = wantedBy(backups, rule)
    const left = backups.filter(({ name }) => !remove.includes(name) && !future.includes(name))
    assert.equal([...new Set(left.map(({ name }) => name))].sort(), [...expected].sort(), `round ${round}`)
    assert.equal(
      [...new Set(future)].sort(),
      backups
        .filter(({ time }) => time > now)
        .map(({ name }) => name)
        .sort(),
    )
    assert.equal((await expired(left, rule, now)).remove, [], 'a second time nothing goes')
  }
})

/** The same rule, said by the calendar of JavaScript. */
function wantedBy(backups: readonly BackupName[], rule: typeof keep): Set<string> {
  const past = backups.filter(({ time }) => time <= now).toSorted((one, other) => other.time - one.time)
  const monday = (time: number) => Math.floor((time / day + 3) / 7)
  const periods = {
    daily: (time: number) => Math.floor(time / day),
    weekly: monday,
    monthly: (time: number) => new Date(time).toISOString().slice(0, 7),
  }
  const newest = (['daily', 'weekly', 'monthly'] as const).flatMap((kind) => {
    const groups = Map.groupBy(past, ({ time }) => periods[kind](time))
    return [...groups.values()].slice(0, rule[kind]).flatMap(([first]) => first?.name ?? [])
  })
  const dayOf = ({ time }: BackupName) => periods.daily(time)
  const fresh = past.filter((each) => dayOf(each) >= dayOf(past[0] as BackupName) - 1).map(({ name }) => name)
  return new Set([...fresh, ...newest])
}

/** Random numbers that are the same ones each time. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

test.run()
