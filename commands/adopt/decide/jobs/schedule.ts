import { scheduleFault } from '../../../../roles/bot/spec/cron.ts'

/** A schedule of another program as bot.yaml takes it; or why it has none. */
export function scheduleOf(said: string): { schedule: string; timezone?: string } | { fault: string } {
  const [, timezone, rest = ''] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/s.exec(said.trim()) ?? []
  const schedule = withoutSeconds(everyOf(rest.trim()).replaceAll('?', '*'))
  const fault = scheduleFault(schedule)
  if (fault !== undefined) return { fault }
  return { schedule, ...(timezone !== undefined && { timezone }) }
}

/** `@every 2h`, as programs in Go have it: where a day has room for whole ones, the same times every day. */
function everyOf(text: string): string {
  const [, number = '', unit] = /^@every\s+(\d{1,4})([mh])(?:0s|0m0s)?$/.exec(text) ?? []
  const minutes = Number(number) * (unit === 'h' ? 60 : 1)
  if (number === '' || minutes === 0) return text
  if (minutes < 60 && 60 % minutes === 0) return minutes === 1 ? '* * * * *' : `*/${minutes} * * * *`
  if (minutes % 60 !== 0 || 24 % (minutes / 60) !== 0) return text
  return minutes === 60 ? '@hourly' : minutes === 1440 ? '@daily' : `0 */${minutes / 60} * * *`
}

/** Six fields begin with the seconds; at the beginning of a minute they say no more than five. */
function withoutSeconds(text: string): string {
  const fields = text.split(/\s+/)
  return fields.length === 6 && /^0+$/.test(fields[0] ?? '') ? fields.slice(1).join(' ') : text
}
