import { type JobsSettings, seconds } from './job-keys.ts'
import { megabytes } from './size.ts'

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
