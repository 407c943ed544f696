import { stringify } from 'yaml'
import { postgresContainer } from '../../../lib/platform/postgres-client.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { cacheLayout } from '../cache/layout.ts'
import { containerOf, limitKeys } from '../release/service.ts'
import { variablesFunction } from '../release/variables.ts'
import { calendarOf } from '../spec/cron.ts'
import type { BotInstance } from '../spec/instance.ts'
import type { Job } from '../spec/jobs.ts'
import type { Colour } from '../spec/layout.ts'
import type { Limits } from '../spec/limits.ts'
import type { Spec } from '../spec/spec.ts'
import { jobLayout, jobsLayout } from './layout.ts'

/** A version of a bot that serves in this colour, with the limits of its container. */
export interface ServingVersion {
  readonly instance: BotInstance
  readonly colour: Colour
  readonly spec: Spec
  readonly limits: Limits
}

export interface JobFile {
  readonly path: string
  readonly mode: '0600' | '0644'
  readonly text: string
}

const header = '# Written by botgarden; changes made here are overwritten.\n'
const program = shellFile(new URL('job.sh', import.meta.url))

/** The files of the jobs of a version. */
export function jobFiles(version: ServingVersion): readonly JobFile[] {
  return Object.entries(version.spec.jobs ?? {}).flatMap(([name, job]) => filesOf(version, name, job))
}

function filesOf(version: ServingVersion, name: string, job: Job): readonly JobFile[] {
  const { bot } = version.instance
  const layout = jobLayout(bot, name)
  return [
    { path: layout.compose, mode: '0600', text: composeText(version, name, job) },
    { path: layout.script, mode: '0600', text: scriptText(version, name, job) },
    { path: layout.service, mode: '0644', text: serviceText(bot, name) },
    { path: layout.timer, mode: '0644', text: timerText(bot, name, job) },
  ]
}

/** The container of a job: that of the bot, with a command and a name of its own, at any address that is free. */
function composeText({ instance, colour, spec, limits }: ServingVersion, name: string, job: Job): string {
  const { container, variables } = jobLayout(instance.bot, name)
  const own = { image: spec.image, command: job.command, port: spec.port }
  const { version, more } = containerOf(instance, colour, spec, own)
  const service = {
    ...version,
    container_name: container,
    // A command as it is does not hear SIGTERM as the first process.
    init: true,
    ...(version.env_file !== undefined && { env_file: [variables] }),
    ...limitKeys({ memoryMB: job.memoryMB ?? limits.memoryMB, cpus: limits.cpus }),
    labels: { ...version.labels, 'botgarden.job': name },
  }
  // A dot is in no name of a project.
  const project = `botgarden-${instance.bot}_${name}`
  return `${header}${stringify({ name: project, ...more, services: { job: service } })}`
}

function scriptText({ instance, colour, spec }: ServingVersion, name: string, { timeout }: Job): string {
  const { bot } = instance
  const { container, compose, variables } = jobLayout(bot, name)
  const { lock, results } = jobsLayout(bot)
  const servers = [...(spec.database ? [postgresContainer] : []), ...(spec.cache ? [cacheLayout(bot).container] : [])]
  const { text } = sh`
    export LC_ALL=C
    bot=${bot} job=${name} image=${spec.image} container=${container} compose=${compose}
    results=${results} lock=${lock} limit=${timeout} servers=${servers.join(' ')}
    ${waiting}
    ${variablesFunction(instance, colour, spec, variables)}
    ${program}`
  return `${header}${text}\n`
}

function serviceText(bot: string, name: string): string {
  const { script, unit } = jobLayout(bot, name)
  return `${header}[Unit]
Description=botgarden: the job ${name} of ${bot}
After=docker.service

[Service]
Type=oneshot
SyslogIdentifier=${unit}
ExecStart=/bin/sh ${script}
# The container has 20 seconds to end.
TimeoutStopSec=60
`
}

function timerText(bot: string, name: string, { schedule, timezone, missed }: Job): string {
  const times = calendarOf(schedule, timezone).map((each) => `OnCalendar=${each}\n`)
  const makeUp =
    missed === 'run'
      ? 'Persistent=true'
      : '# A time at which the job still runs is passed over.\nDeferReactivation=true'
  return `${header}[Unit]
Description=botgarden: the times of the job ${name} of ${bot}

[Timer]
# ${schedule}${timezone === undefined ? '' : ` ${timezone}`}
${times.join('')}AccuracySec=1s
${makeUp}

[Install]
WantedBy=timers.target
`
}
