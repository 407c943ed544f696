import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { type JobsState, jobsState } from '../../roles/bot/jobs/state.ts'
import { isGood, resultText, timeText } from '../../roles/bot/jobs/told.ts'
import type { Job, Jobs } from '../../roles/bot/spec/jobs.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { parseRelease } from '../../roles/bot/spec/release-record.ts'

/** The jobs of a bot as they are on its host. */
export interface JobsOnHost {
  readonly jobs: Jobs
  readonly state: JobsState
}

/** Reads the jobs of the release that serves. Throws a `UsageError` where the bot was never released. */
export async function jobsOnHost(bot: string, connection: Connection): Promise<JobsOnHost> {
  const { kind, name } = jobsState(bot)
  const record = await ask(connection, sh`cat ${layoutOf(bot).current} 2>/dev/null`)
  const release = parseRelease(record === '' ? undefined : record)
  if (release === undefined) throw new UsageError(`${bot} has no release on this host: deploy it first`)
  const state = kind.parse(await ask(connection, kind.script([name])), [name]).get(name) as JobsState
  return { jobs: release.spec.jobs ?? {}, state }
}

/** A line for each job: its times, when it runs next, and how it went the last time, with what it printed where it failed. */
export function jobsText({ jobs, state }: JobsOnHost): string {
  const all = Object.entries(jobs)
  if (all.length === 0) return 'no jobs: bot.yaml lists them under "jobs:"\n'
  const width = Math.max(...all.map(([name]) => name.length))
  return all.map(([name, job]) => lineOf(name.padEnd(width), job, name, state)).join('')
}

function lineOf(label: string, { schedule, timezone = 'UTC' }: Job, name: string, state: JobsState): string {
  const next = state?.timers[name]?.next
  const result = state?.results[name]
  const isRunning = state?.running.includes(name) ?? false
  const last = isRunning ? 'running now' : result === undefined ? 'not run yet' : `last: ${resultText(result)}`
  const failed = result !== undefined && !isRunning && !isGood(result) ? (result.output ?? '') : ''
  const lines = failed.split('\n').filter(Boolean)
  return `${label}  ${schedule} ${timezone}  next: ${next === undefined ? 'never, its timer does not run' : timeText(next)}  ${last}\n${lines.map((line) => `    ${line}\n`).join('')}`
}

/** Throws a `UsageError` where the bot has no job of this name. */
export function refuseUnknown(bot: string, job: string, { jobs }: JobsOnHost): void {
  if (Object.hasOwn(jobs, job)) return
  const names = Object.keys(jobs)
  throw new UsageError(
    names.length === 0
      ? `${bot} has no jobs on this host: list them under "jobs:" in its bot.yaml, and release it`
      : `${bot} has no job "${job}"${suggest(job, names)}: it has ${names.join(', ')}`,
  )
}
