// crontab(5) once more, by brute force and for tests alone: a field is a set of numbers, and a time is looked at minute by minute.

const words: Readonly<Record<string, number>> = {
  ...Object.fromEntries(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].map((word, i) => [word, i])),
  ...Object.fromEntries(
    ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'].map((word, i) => [
      word,
      i + 1,
    ]),
  ),
}

/** The first times after a moment that cron would start something at, in UTC, as `2026-11-26 09:00`; fewer where none come for a year. */
export function cronTimes(schedule: string, after: Date, count: number): string[] {
  const found: string[] = []
  const minute = 60_000
  const begin = Math.floor(after.getTime() / minute) * minute + minute
  for (let time = begin; found.length < count && time < begin + 366 * 24 * 60 * minute; time += minute) {
    const date = new Date(time)
    if (isDue(schedule, date)) found.push(date.toISOString().slice(0, 16).replace('T', ' '))
  }
  return found
}

export function isDue(schedule: string, date: Date): boolean {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = schedule.split(' ')
  const onDay = matches(day, date.getUTCDate(), 1, 31)
  const onWeekday = matches(weekday, date.getUTCDay(), 0, 7) || (date.getUTCDay() === 0 && matches(weekday, 7, 0, 7))
  const anyDay = !day.includes('*') && !weekday.includes('*') ? onDay || onWeekday : onDay && onWeekday
  return (
    matches(minute, date.getUTCMinutes(), 0, 59) &&
    matches(hour, date.getUTCHours(), 0, 23) &&
    matches(month, date.getUTCMonth() + 1, 1, 12) &&
    anyDay
  )
}

function matches(field: string, value: number, min: number, max: number): boolean {
  return field.split(',').some((part) => {
    const [range = '', step = '1'] = part.split('/')
    const [from = '', to = from] = range === '*' ? [String(min), String(max)] : range.split('-')
    const [first, last] = [from, to].map((each) => words[each.toLowerCase()] ?? Number(each)) as [number, number]
    return value >= first && value <= last && (value - first) % Number(step) === 0
  })
}

/** Schedules of all kinds, the same ones for the same seed. */
export function randomSchedules(seed: number, count: number): string[] {
  let state = seed
  const below = (n: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * n)
  }
  const single = (min: number, max: number) => String(min + below(max - min + 1))
  const range = (min: number, max: number) => {
    const from = min + below(max - min)
    return `${from}-${from + 1 + below(max - from)}`
  }
  const field = (min: number, max: number, anyOften: number): string => {
    const kind = below(10)
    if (kind < anyOften) return '*'
    const step = () => 2 + below(Math.max(2, Math.floor((max - min) / 2)))
    const parts = [
      () => single(min, max),
      () => range(min, max),
      () => `*/${step()}`,
      () => `${range(min, max)}/${step()}`,
      () => `${single(min, max)},${range(min, max)}`,
    ]
    return parts[below(parts.length)]?.() ?? '*'
  }
  return Array.from({ length: count }, () =>
    // Days that every month has, so that a time comes within the year that is looked at.
    [field(0, 59, 2), field(0, 23, 4), field(1, 28, 5), field(1, 12, 6), field(0, 7, 5)].join(' '),
  )
}
