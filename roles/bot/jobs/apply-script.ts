import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { calendarOf } from '../spec/cron.ts'
import type { Spec } from '../spec/spec.ts'
import { jobFiles, type ServingVersion } from './files.ts'
import { jobLayout, jobsLayout } from './layout.ts'

const functions = shellFile(new URL('apply.sh', import.meta.url))

/** Shell functions for what follows. */
export function jobsFunctions(bot: string): Script {
  const { lock, folder, results } = jobsLayout(bot)
  return sh`
    bot=${bot} jobs_lock=${lock} jobs_folder=${folder} jobs_results=${results}
    ${functions}`
}

/** Shell text: fails where this host does not accept the times of a job, such as a time zone that it does not know. */
export function calendarCheck({ jobs = {} }: Pick<Spec, 'jobs'>): Script {
  const times = Object.values(jobs).flatMap(({ schedule, timezone }) => calendarOf(schedule, timezone))
  return lines([...new Set(times)].map((each) => sh`job_calendar ${each}`))
}

/** Shell text: the jobs of the bot are those of this version, and no others. */
export function applyJobs(version: ServingVersion): Script {
  const { bot } = version.instance
  const jobs = Object.entries(version.spec.jobs ?? {})
  const files = jobFiles(version).map(
    ({ path, mode, text }) => sh`job_file ${path} ${mode} ${Buffer.from(text).toString('base64')}`,
  )
  return sh`
    ${jobs.length === 0 ? sh`:` : sh`mkdir -p "$jobs_folder"; (umask 077; mkdir -p "$jobs_results")`}
    ${lines(files)}
    jobs_only ${jobs.map(([name]) => name).join(' ')}
    systemctl daemon-reload
    ${lines(jobs.map(([name, { missed = 'skip' }]) => sh`job_timer ${jobLayout(bot, name).unit} ${missed}`))}`
}

/** Shell text: stops and removes all jobs of a bot, those that run as well. */
export function removeJobs(bot: string): Script {
  return sh`
    for path in /etc/systemd/system/${`botgarden-job-${bot}`}.*.timer; do
      [ -e "$path" ] || continue
      job_unit=\${path##*/}
      systemctl stop "$job_unit" "\${job_unit%.timer}.service" 2>/dev/null || :
    done
    ${jobsFunctions(bot)}
    jobs_only ''
    [ -z "$jobs_changed" ] || systemctl daemon-reload
    docker ps --all --quiet --filter ${`label=botgarden.bot=${bot}`} --filter label=botgarden.job | xargs -r docker rm -f --volumes >/dev/null
    rm -f "$jobs_lock"`
}
