import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { calendarOf } from '../spec/cron.ts'
import type { Spec } from '../spec/spec.ts'
import { jobFiles, type ServingVersion } from './files.ts'
import { jobLayout, jobsLayout } from './layout.ts'

const part = (name: string) => shellFile(new URL(`${name}.sh`, import.meta.url))
const [calendar, lock, only, apply] = [part('calendar'), part('lock'), part('only'), part('apply')]

/** Shell text: fails where this host does not accept the times of a job, such as a time zone that it does not know. */
export function calendarCheck({ jobs = {} }: Pick<Spec, 'jobs'>): Script {
  const times = Object.values(jobs).flatMap(({ schedule, timezone }) => calendarOf(schedule, timezone))
  if (times.length === 0) return sh`:`
  return sh`
    ${calendar}
    ${lines([...new Set(times)].map((each) => sh`job_calendar ${each}`))}`
}

/** Shell text: from here on no job of the bot begins, up to `jobs_started` or the end of this shell. */
export function holdJobs(bot: string): Script {
  return sh`
    bot=${bot} jobs_lock=${jobsLayout(bot).lock}
    ${lock}
    jobs_begin`
}

/** Shell text behind that of `holdJobs`: the jobs of the bot are those of this version, and no others. They may begin again. */
export function applyJobs(version: ServingVersion): Script {
  const { bot } = version.instance
  const jobs = Object.entries(version.spec.jobs ?? {})
  const files = jobFiles(version).map(
    ({ path, mode, text }) => sh`job_file ${path} ${mode} ${Buffer.from(text).toString('base64')}`,
  )
  return sh`
    ${jobsFolders(bot)}
    ${
      jobs.length === 0
        ? sh`:`
        : sh`${apply}
    mkdir -p "$jobs_folder"; (umask 077; mkdir -p "$jobs_results")`
    }
    ${lines(files)}
    jobs_only ${jobs.map(([name]) => name).join(' ')}
    systemctl daemon-reload
    ${lines(jobs.map(([name, { missed = 'skip' }]) => sh`job_timer ${jobLayout(bot, name).unit} ${missed}`))}
    jobs_started`
}

function jobsFolders(bot: string): Script {
  const { folder, results } = jobsLayout(bot)
  return sh`
    jobs_folder=${folder} jobs_results=${results}
    ${only}`
}

/** Shell text: stops and removes all jobs of a bot, those that run as well. */
export function removeJobs(bot: string): Script {
  return sh`
    for path in /etc/systemd/system/${`botgarden-job-${bot}`}.*.timer; do
      [ -e "$path" ] || continue
      job_unit=\${path##*/}
      systemctl stop "$job_unit" "\${job_unit%.timer}.service" 2>/dev/null || :
    done
    bot=${bot}
    ${jobsFolders(bot)}
    jobs_only ''
    [ -z "$jobs_changed" ] || systemctl daemon-reload
    docker ps --all --format '{{.Names}}' --filter ${`name=^botgarden-${bot}[.][a-z0-9-]+[.]job$`} | xargs -r docker rm -f --volumes >/dev/null
    rm -f ${jobsLayout(bot).lock}`
}
