/** One of the five fields of crontab(5). */
interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Words for its numbers, from the least. */
  readonly words?: readonly string[]
}

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31 },
  {
    ...{ name: 'month', min: 1, max: 12 },
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  // 7 is Sunday as well.
  { name: 'day of the week', min: 0, max: 7, words: weekdays },
]

const names: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** The days that a month can have, from January. */
const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** What is wrong with a schedule of crontab(5), as the end of «schedule: …»; undefined where nothing is. */
export function scheduleFault(schedule: string): string | undefined {
  const parsed = parse(schedule)
  return typeof parsed === 'string' ? parsed : undefined
}

/**
 * A schedule of crontab(5) as values of OnCalendar, systemd.time(7). There are two where it names days of the month and days of the
 * week: cron runs on either. Throws a `TypeError` for one that has a fault.
 */
export function calendarOf(schedule: string, timezone = 'UTC'): readonly string[] {
  const parsed = parse(schedule)
  if (typeof parsed === 'string') throw new TypeError(`${schedule}: ${parsed}`)
  const [minutes, hours, days, months, week] = parsed.map(({ text }) => text) as [
    string,
    string,
    string,
    string,
    string,
  ]
  const at = `${hours}:${minutes}:00 ${timezone}`
  const onWeekdays = week === '*' ? '' : `${week} `
  const [, , ofMonth, , ofWeek] = parsed
  if (ofMonth?.isRestricted && ofWeek?.isRestricted)
    return [`*-${months}-${days} ${at}`, `${onWeekdays}*-${months}-* ${at}`]
  return [`${onWeekdays}*-${months}-${days} ${at}`]
}

interface ParsedField {
  readonly values: readonly number[]
  /** As systemd writes them. */
  readonly text: string
  /** Has no `*`: of two such fields of days either will do. */
  readonly isRestricted: boolean
}

function parse(schedule: string): readonly ParsedField[] | string {
  if (schedule.toLowerCase() === '@reboot')
    return 'a job runs at times of the day; what is to run with every start of the bot belongs into the bot'
  const known = names[schedule.toLowerCase()]
  if (schedule.startsWith('@') && known === undefined)
    return `"${schedule}" is none of ${Object.keys(names).join(', ')}`
  const words = (known ?? schedule).trim().split(/\s+/)
  if (words.length !== fields.length)
    return `should be five fields (minute, hour, day of the month, month, day of the week), found ${words.length}${words.length === 6 ? ': cron knows no seconds' : ''}`
  const parsed = fields.map((field, i) => parseField(words[i] ?? '', field))
  const fault = parsed.find((each) => typeof each === 'string')
  if (fault !== undefined) return fault as string
  const all = parsed as ParsedField[]
  return neverFault(all) ?? all
}

function neverFault([, , days, months, week]: readonly ParsedField[]): string | undefined {
  const latest = Math.max(...(months?.values ?? []).map((month) => longest[month - 1] ?? 31))
  const first = days?.values[0] ?? 1
  const byWeekday = days?.isRestricted && week?.isRestricted
  return first > latest && !byWeekday ? `day ${first} is in none of its months, so it would never run` : undefined
}

function parseField(word: string, field: Field): ParsedField | string {
  const found = new Set<number>()
  for (const part of word.split(',')) {
    const range = parseRange(part, field)
    if (typeof range === 'string') return `${field.name} "${word}": ${range}`
    for (let value = range.from; value <= range.to; value += range.step) found.add(value)
  }
  const ofWeek = field.words === weekdays
  const values = [...new Set([...found].map((value) => (ofWeek ? value % 7 : value)))].sort((a, b) => a - b)
  const text = ofWeek ? weekdayText(values) : numberText(values, field)
  return { values, text, isRestricted: !word.includes('*') }
}

interface Range {
  readonly from: number
  readonly to: number
  readonly step: number
}

function parseRange(part: string, field: Field): Range | string {
  const [, from = '', to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\w+))?$/.exec(part) ?? []
  if (from === '' || (from === '*' && to !== undefined))
    return `"${part}" should be *, a number, a range like 1-5, or one of these with a step like */15`
  if (step !== undefined && from !== '*' && to === undefined)
    return `a step goes with a range: write ${from}-${field.max}/${step}`
  const by = step === undefined ? 1 : Number(step)
  if (!Number.isInteger(by) || by < 1) return `"${step}" is no step: a whole number of at least 1`
  // A Sunday that is 7 would come twice.
  if (from === '*') return { from: field.min, to: field.words === weekdays ? 6 : field.max, step: by }
  const [first, last] = [from, to ?? from].map((each) => numberOf(each, field))
  if (typeof first === 'string' || first === undefined) return first ?? ''
  if (typeof last === 'string' || last === undefined) return last ?? ''
  if (last < first) return `the range ${from}-${to} ends before it begins: write it as two, with a comma`
  return { from: first, to: last, step: by }
}

function numberOf(text: string, { min, max, words = [] }: Field): number | string {
  const named = words.indexOf(text.toLowerCase())
  const value = named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  const orWords = words.length === 0 ? '' : `, or ${words[0]} to ${words.at(-1)}`
  return `"${text}" should be ${min} to ${max}${orWords}`
}

/** Without the steps of OnCalendar: systemd passes over the first day of a year where days have one (`*-*-01/7`). */
function numberText(values: readonly number[], { min, max }: Field): string {
  if (values.length === max - min + 1) return '*'
  const [first = min] = values
  const inRow = values.length > 2 && values.every((value, i) => value === first + i)
  return inRow ? `${padded(first)}..${padded(values.at(-1) ?? max)}` : values.map(padded).join(',')
}

function weekdayText(values: readonly number[]): string {
  const all = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
  return values.length === 7 ? '*' : values.map((value) => all[value]).join(',')
}

function padded(value: number): string {
  return String(value).padStart(2, '0')
}
