import * as v from 'valibot'
import { scheduleFault } from './cron.ts'

const schedule = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const message = dataset.typed ? scheduleFault(dataset.value) : undefined
    if (message !== undefined) addIssue({ message })
  }),
  v.description('five fields as of crontab(5), in quotes'),
)

const timezone = v.pipe(
  v.string(),
  v.check(isTimezone, 'a time zone like Europe/Berlin, or UTC'),
  v.description('a time zone like Europe/Berlin'),
)

/** One thing that a bot does at times: a command in a container of its own. */
const jobKeys = v.strictObject({
  /** As of crontab(5): `0 9 * * *`, or @daily and the like. */
  schedule,
  /** Left out: UTC. */
  timezone: v.optional(timezone),
  /** What its container runs instead of the command of its image. */
  command: v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.minLength(1)),
  /** How long it may take; left out: an hour. */
  timeout: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,4}[smh]$/),
      v.check((value) => seconds(value) <= 86_400),
      v.description('a time like 90s, 10m or 2h, at most 24h'),
    ),
  ),
  /** A time that passed while the host was down, or while the job still ran: `run` runs it once afterwards, `skip` leaves it. */
  missed: v.optional(v.picklist(['run', 'skip'])),
  /** The limit of its container; left out: that of the bot. */
  memory: v.optional(v.pipe(v.string(), v.regex(/^[1-9]\d*[mg]$/), v.description('a size like 160m or 1g'))),
})

export const jobsKeys = v.record(
  v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,29}$/, 'the name of a job, in small letters')),
  jobKeys,
)
export type JobsSettings = v.InferOutput<typeof jobsKeys>

/** The seconds of a time like `90s`, `10m` or `2h`. */
export function seconds(time: string): number {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }
  return Number.parseInt(time, 10) * (units[time.slice(-1)] ?? 1)
}

function isTimezone(name: string): boolean {
  try {
    // systemd knows no offsets; Node knows them and other spellings of names.
    return /^[A-Z][\w+-]*(\/[\w+-]+)*$/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
