import {
  becomes,
  type Change,
  type Outputs,
  type Prediction,
  type Resource,
  resource,
} from '../../../lib/model/resource.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import type { SwitchedJobs } from '../release/policy.ts'
import { allocations } from '../spec/allocations.ts'
import type { BotInstance } from '../spec/instance.ts'
import type { Limits } from '../spec/limits.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { applyJobs, calendarCheck, holdJobs } from './apply-script.ts'
import { jobFiles, type ServingVersion } from './files.ts'
import { jobLayout } from './layout.ts'
import { type JobsState, jobsState } from './state.ts'
import { failureOf } from './told.ts'

/** The jobs of a bot are those of the release that serves: their files, and a timer each. Failures are among a run's outputs. */
export function jobs(
  instance: Omit<BotInstance, 'number'>,
  target: Spec | undefined,
  limitsOf: (current: Release | undefined) => Limits,
): Resource {
  const { bot } = instance
  const reads = { now: jobsState(bot), current: currentRelease(bot), taken: allocations }
  return {
    ...resource({
      id: `jobs:${bot}`,
      wants: target?.jobs ?? 'as its release says',
      reads,
      plan: ({ now, current, taken }): readonly Change[] => {
        const release = parseRelease(current)
        const number = taken[bot]
        // Without a release there is nothing to run.
        if (release === undefined || number === undefined) return []
        const { spec, colour } = release
        const version = { instance: { ...instance, number }, spec, colour, limits: limitsOf(release) }
        const differences = differencesOf(version, now)
        if (differences.length === 0) return []
        const script = sh`
          ${calendarCheck(spec)}
          ${holdJobs(bot)}
          ${applyJobs(version)}`
        const shown = `write the jobs of ${bot}: ${Object.keys(spec.jobs ?? {}).join(', ') || 'none'}`
        return [
          { summary: differences.join(', '), script: { text: script.text, shown }, predicts: [jobsBecome(version)] },
        ]
      },
    }),
    outputs: (read) => outputsOf(bot, read(reads.now), parseRelease(read(reads.current))),
  }
}

/** What a release does about the jobs of its bot; undefined where neither version has any. */
export function jobsOfRelease(version: ServingVersion, old: Spec | undefined): SwitchedJobs | undefined {
  const { instance, spec } = version
  if (spec.jobs === undefined && old?.jobs === undefined) return undefined
  return {
    begin: sh`
      ${calendarCheck(spec)}
      ${holdJobs(instance.bot)}`,
    end: applyJobs(version),
    predicts: [jobsBecome(version)],
    validation: calendarCheck(spec),
  }
}

function jobsBecome(version: ServingVersion): Prediction {
  const { spec, instance } = version
  const names = Object.keys(spec.jobs ?? {})
  const timer = { active: true, enabled: true, needsReload: false }
  return becomes(jobsState(instance.bot), (before) =>
    names.length === 0
      ? undefined
      : {
          files: wantedFiles(version),
          timers: Object.fromEntries(names.map((name) => [name, timer])),
          running: before?.running ?? [],
          results: before?.results ?? {},
        },
  )
}

function wantedFiles(version: ServingVersion): Record<string, string> {
  return Object.fromEntries(
    jobFiles(version).map(({ path, mode, text }) => [path, `${mode.slice(1)} 0 ${sha256Of(text)}`]),
  )
}

/** What is to be done, job by job, in words that go on after the id. */
function differencesOf(version: ServingVersion, now: JobsState): string[] {
  const { bot } = version.instance
  const { files = {}, timers = {} } = now ?? {}
  const wanted = wantedFiles(version)
  const names = Object.keys(version.spec.jobs ?? {})
  const ofWanted = names.flatMap((name) => {
    const { compose, script, service, timer } = jobLayout(bot, name)
    const paths = [compose, script, service, timer]
    if (paths.some((path) => files[path] !== wanted[path]))
      return [`${paths.some((path) => path in files) ? 'update' : 'add'} ${name}`]
    const { active = false, enabled = false, needsReload = true } = timers[name] ?? {}
    return active && enabled && !needsReload ? [] : [`start the timer of ${name}`]
  })
  const foreign = Object.keys(files).filter((path) => !(path in wanted))
  return [
    ...ofWanted,
    ...(foreign.length > 0 ? [`remove ${foreign.map((path) => path.split('/').at(-1)).join(', ')}`] : []),
  ]
}

function outputsOf(bot: string, now: JobsState, release: Release | undefined): Outputs {
  const failed = Object.keys(release?.spec.jobs ?? {}).flatMap((name) => {
    const failure = failureOf(now?.results[name], now?.running.includes(name) ?? false)
    return failure === undefined
      ? []
      : [[`${bot} job ${name}`, `${failure}: npx zx playbooks/bot.ts --name ${bot} --jobs`]]
  })
  return Object.fromEntries(failed)
}
