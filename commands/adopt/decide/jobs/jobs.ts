import { basename, join } from 'node:path/posix'
import { commandOf } from '../../read/command-line.ts'
import { type Timed, workflowTimes } from '../../read/crontab.ts'
import type { Note } from '../../read/finding.ts'
import { appJsonTimes, vercelTimes } from '../../read/platform-files.ts'
import type { Entry } from '../entry.ts'
import { cronTimes, type Sight } from './cron-daemons.ts'
import { crontabFiles } from './crontabs.ts'
import { labelledTimes } from './scheduled-services.ts'
import { schedulersInside } from './schedulers-inside.ts'
import { writtenJobs } from './written-jobs.ts'

export interface FoundJobs {
  readonly entries: readonly Entry[]
  readonly notes: readonly Note[]
  /** Services and lines of a Procfile that do nothing else. */
  readonly asJobs: ReadonlySet<string>
}

/** What the bot does at times, of what runs it elsewhere. `hasData`: a job would write to the data beside the bot. */
export function jobsOf(sight: Sight, hasData: boolean): FoundJobs {
  const found = [labelledTimes(sight.services), cronTimes(sight), ofAppJson(sight)]
  const times = found.flatMap((each) => each.times)
  const { jobs, notes } = writtenJobs(times, sight.workdir)
  const value = Object.fromEntries(jobs.map(({ name, keys }) => [name, keys]))
  const doubt = jobs.length === 0 ? undefined : doubtOf(sight, hasData)
  const entry: Entry = {
    ...{ key: 'jobs', value, why: '', whys: Object.fromEntries(jobs.map(({ name, from }) => [name, from])) },
    ...(doubt !== undefined && { optional: true as const }),
  }
  return {
    entries: jobs.length === 0 ? [] : [entry],
    notes: [
      ...[...found.flatMap((each) => each.notes), ...notes],
      ...(doubt === undefined ? [] : [doubt]),
      ...elsewhere(sight, times),
    ],
    asJobs: new Set(found.flatMap((each) => each.asJobs)),
  }
}

/** Why the jobs cannot simply be taken. */
function doubtOf({ build: { image, folder }, repository }: Sight, hasData: boolean): Note | undefined {
  const { entrypoint } = image ?? {}
  const words = entrypoint === undefined ? [] : commandOf(entrypoint.value)
  const isPassedOn = words.some(
    (word) =>
      /(^|\/)(tini|dumb-init|catatonit)$/.test(word) ||
      /exec\s+"\$@"/.test(repository.text(join(folder, basename(word))) ?? ''),
  )
  if (entrypoint !== undefined && !isPassedOn)
    return `${entrypoint.from}: the command of a job would be an argument of this ENTRYPOINT: make a CMD of it, and take the # from "jobs:"`
  return hasData
    ? 'a job would write to "data:" while the bot does: write data: { paths: […], shared: true } if both may, as with SQLite, and take the # from "jobs:"'
    : undefined
}

function ofAppJson({ repository, build }: Sight) {
  const path = build.folder === '' ? 'app.json' : `${build.folder}/app.json`
  return { times: [...appJsonTimes(repository.text(path) ?? '', path)], notes: [], asJobs: [] }
}

/** What runs at times and is no job: with its line, and what to do. */
function elsewhere({ repository, project, build, polls }: Sight, times: readonly Timed[]): Note[] {
  const vercel = build.folder === '' ? 'vercel.json' : `${build.folder}/vercel.json`
  const workflows = repository.files.filter((file) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(file)).slice(0, 50)
  const isRead = (file: string) => times.some(({ from }) => from.startsWith(`${file}:`))
  return [
    ...vercelTimes(repository.text(vercel) ?? '', vercel).map(
      ({ value: { path, schedule }, from }) =>
        `${from}: Vercel asks for ${path} at '${schedule}': make a program of what that does, and list it under "jobs:" with this schedule`,
    ),
    ...workflows.flatMap((file) =>
      workflowTimes(repository.text(file) ?? '', file).map(
        ({ value, from }) =>
          `${from}: GitHub runs this at '${value}': if it is a part of the bot, list what it runs under "jobs:"`,
      ),
    ),
    ...crontabFiles(repository.files)
      .filter((file) => !isRead(file))
      .slice(0, 5)
      .map(
        (file) =>
          `${file}: a crontab that nothing here starts: there is no cron in a bot's container; list under "jobs:" what of it runs in the image of the bot`,
      ),
    ...schedulersInside(project, polls),
  ]
}
