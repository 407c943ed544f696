import type { Note } from '../../read/finding.ts'
import type { Project } from '../../read/survey.ts'

const packages =
  /^(node-cron|cron|node-schedule|croner|bree|agenda|toad-scheduler|cron-job-manager|@nestjs\/schedule|apscheduler|schedule|aiocron|rocketry|aioschedule|github\.com\/robfig\/cron(\/v\d)?|github\.com\/go-co-op\/gocron(\/v\d)?)$/i

/** Libraries that start things at times inside a process. */
export function schedulersInside(
  { node, python, go }: Pick<Project, 'node' | 'python' | 'go'>,
  polls: boolean,
): Note[] {
  const found = [node, python, go]
    .flatMap((each) => [...(each?.dependencies ?? [])])
    .filter(([name]) => packages.test(name))
  return found.slice(0, 3).map(([name, from]) => {
    const twice = polls
      ? 'no job is made of it; a bot that polls never runs twice'
      : 'no job is made of it. During a release two versions of the bot run for a while: where that would do things twice, start it in a process of its own with "single: true", or make a job of it'
    return `${from}: ${name} keeps running inside the process: ${twice}`
  })
}
