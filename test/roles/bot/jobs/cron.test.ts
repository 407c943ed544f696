// Schedules of crontab(5) as systemd gets them, against cron by brute force. `test/faults/bots/jobs.test.ts` asks systemd itself.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { calendarOf, scheduleFault } from '../../../../roles/bot/spec/cron.ts'
import { isDue, randomSchedules } from '../../../support/cron.ts'

test('a schedule becomes what systemd calls a calendar event', () => {
  const cases: Record<string, readonly string[]> = {
    '0 9 * * *': ['*-*-* 09:00:00 UTC'],
    '*/15 9-17 * * mon-fri': ['Mon,Tue,Wed,Thu,Fri *-*-* 09..17:00,15,30,45:00 UTC'],
    '5 4 * * 7': ['Sun *-*-* 04:05:00 UTC'],
    '0 0 * * 0-7': ['*-*-* 00:00:00 UTC'],
    '@weekly': ['Sun *-*-* 00:00:00 UTC'],
    '@Hourly': ['*-*-* *:00:00 UTC'],
    '0 0 29 feb *': ['*-02-29 00:00:00 UTC'],
    // Either day will do, but not where one field has a star.
    '0 9 1 * mon': ['*-*-01 09:00:00 UTC', 'Mon *-*-* 09:00:00 UTC'],
    '0 9 30 2 mon': ['*-02-30 09:00:00 UTC', 'Mon *-02-* 09:00:00 UTC'],
    '0 9 */10 * mon': ['Mon *-*-01,11,21,31 09:00:00 UTC'],
    '  0   9 * * *  ': ['*-*-* 09:00:00 UTC'],
  }
  for (const [schedule, lines] of Object.entries(cases)) assert.equal(calendarOf(schedule), lines, schedule)
  assert.equal(calendarOf('@daily', 'Europe/Berlin'), ['*-*-* 00:00:00 Europe/Berlin'])
})

test('its times are those of cron', () => {
  const begin = Date.parse('2027-01-30T00:00:00Z')
  for (const schedule of [...randomSchedules(7, 40), '0 0 1 * mon', '*/7 */5 */3 * sun', '5 4 * * 7']) {
    const lines = calendarOf(schedule).map(eventOf)
    const hours = Array.from({ length: 45 * 24 }, (_, i) => begin + i * 3_600_000)
    for (const hour of hours)
      for (const minute of [0, 1, 7, 20, 30, 45, 59]) {
        const date = new Date(hour + minute * 60_000)
        const ours = lines.some((matches) => matches(date))
        if (ours !== isDue(schedule, date)) assert.unreachable(`${schedule} at ${date.toISOString()}: ${ours}`)
      }
  }
})

test('what is wrong with a schedule is said with its field', () => {
  const faults: Record<string, RegExp> = {
    '60 * * * *': /^minute "60": "60" should be 0 to 59$/,
    '* 24 * * *': /^hour "24": .* 0 to 23/,
    '* * 0 * *': /^day of the month "0": .* 1 to 31/,
    '* * * 13 *': /^month "13": .* 1 to 12, or jan to dec/,
    '* * * * 8': /^day of the week "8": .* 0 to 7, or sun to sat/,
    '1,2,x * * * *': /^minute "1,2,x": "x" should/,
    '*/0 * * * *': /"0" is no step/,
    '*/x * * * *': /"x" is no step/,
    '1,, * * * *': /"" should be \*, a number/,
    '-5 * * * *': /"-5" should be \*, a number/,
    '*-5 * * * *': /"\*-5" should be/,
    '5/10 * * * *': /write 5-59\/10/,
    '30-10 * * * *': /ends before it begins/,
    '0 9 L * *': /"L" should be 1 to 31/,
    '0 0 31 4,6,9,11 *': /day 31 is in none of its months/,
    '': /found 1/,
    '0 9 * * * *': /found 6/,
    '@reboot': /every start of the bot/,
    '@often': /is none of/,
  }
  for (const [schedule, fault] of Object.entries(faults)) {
    assert.match(scheduleFault(schedule) ?? 'accepted', fault, schedule)
    assert.throws(() => calendarOf(schedule), TypeError)
  }
  for (const schedule of ['* * * * *', '@daily', '0-59/5 0,12 1-31 JAN-dec Sun,6'])
    assert.is(scheduleFault(schedule), undefined)
})

test('each month has its days, and its name', () => {
  const lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
  for (const [i, days] of lengths.entries()) {
    const month = String(i + 1).padStart(2, '0')
    assert.equal(calendarOf(`0 0 ${days} ${months[i]} *`), [`*-${month}-${days} 00:00:00 UTC`])
    if (days < 31)
      assert.is(
        scheduleFault(`0 0 ${days + 1} ${i + 1} *`),
        `day ${days + 1} is in none of its months, so it would never run`,
      )
    // By the day of the week it does run.
    assert.is(scheduleFault(`0 0 31 ${i + 1} 1`), undefined)
  }
})

test('each day of the week has its name, and Sunday two numbers', () => {
  const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
  for (const [i, name] of names.entries())
    for (const word of [String(i), name.toLowerCase()])
      assert.equal(calendarOf(`0 0 * * ${word}`), [`${name} *-*-* 00:00:00 UTC`])
  assert.equal(calendarOf('0 0 * * 0-6'), ['*-*-* 00:00:00 UTC'])
})

test('the usual names of schedules', () => {
  for (const [name, calendar] of [
    ['@yearly', '*-01-01 00:00:00 UTC'],
    ['@annually', '*-01-01 00:00:00 UTC'],
    ['@Monthly', '*-*-01 00:00:00 UTC'],
    ['@weekly', 'Sun *-*-* 00:00:00 UTC'],
    ['@daily', '*-*-* 00:00:00 UTC'],
    ['@midnight', '*-*-* 00:00:00 UTC'],
    ['@hourly', '*-*-* *:00:00 UTC'],
  ] as const)
    assert.equal(calendarOf(name), [calendar])
})

/** Whether a time is one of a calendar event of systemd.time(7), as far as ours go: words, lists and ranges. */
function eventOf(line: string): (date: Date) => boolean {
  const [, weekdays, months = '', days = '', hours = '', minutes = ''] =
    /^(?:([A-Z][\w,]*) )?\*-([^ -]+)-([^ ]+) ([^:]+):([^:]+):00 UTC$/.exec(line) ?? []
  if (minutes === '') throw new Error(`not understood: ${line}`)
  const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
  return (date) =>
    (weekdays === undefined || weekdays.split(',').includes(names[date.getUTCDay()] ?? '')) &&
    has(months, date.getUTCMonth() + 1) &&
    has(days, date.getUTCDate()) &&
    has(hours, date.getUTCHours()) &&
    has(minutes, date.getUTCMinutes())
}

function has(list: string, value: number): boolean {
  return list.split(',').some((part) => {
    const [from = '', to = from] = part.split('..')
    return part === '*' || (value >= Number(from) && value <= Number(to))
  })
}

test.run()
