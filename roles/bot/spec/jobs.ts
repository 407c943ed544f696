import * as v from 'valibot'
import { scheduleFault } from './cron.ts'
import { megabytes } from './size.ts'

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
type JobsSettings = v.InferOutput<typeof jobsKeys>

/** One thing that a version of a bot does at times. */
export interface Job {
  /** As of crontab(5). */
  readonly schedule: string
  /** Left out: UTC. */
  readonly timezone?: string
  readonly command: readonly string[]
  /** Seconds. */
  readonly timeout: number
  /** A time that passed unused is made up for, once. */
  readonly missed?: 'run'
  /** The limit of its container in MiB; left out: that of the bot. */
  readonly memoryMB?: number
}

/** By name. */
export type Jobs = Readonly<Record<string, Job>>

/** The jobs that a manifest lists; undefined where there are none. */
export function jobsIn(jobs: JobsSettings = {}): Jobs | undefined {
  const all = Object.entries(jobs).sort(([one], [other]) => (one < other ? -1 : 1))
  return all.length === 0 ? undefined : Object.fromEntries(all.map(([name, said]) => [name, jobOf(said)]))
}

function jobOf({ schedule, timezone, command, timeout = '1h', missed, memory }: JobsSettings[string]): Job {
  return {
    schedule,
    ...(timezone !== undefined && { timezone }),
    command,
    timeout: seconds(timeout),
    ...(missed === 'run' && { missed }),
    ...(memory !== undefined && { memoryMB: megabytes(memory) }),
  }
}

/** The seconds of a time like `90s`, `10m` or `2h`. */
function seconds(time: string): number {
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
