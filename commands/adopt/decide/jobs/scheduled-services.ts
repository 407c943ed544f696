import { commandOf, textOf } from '../../read/command-line.ts'
import type { ComposeService } from '../../read/compose-service.ts'
import type { Timed } from '../../read/crontab.ts'
import type { Note } from '../../read/finding.ts'
import { allServices, dockerfileOf, type Services } from '../services.ts'

/** What labels have run at times: of Ofelia, and of swarm-cronjob, which starts the service itself. */
export function labelledTimes(services: Services): { times: Timed[]; notes: Note[]; asJobs: string[] } {
  const found = { times: [] as Timed[], notes: [] as Note[], asJobs: [] as string[] }
  for (const service of allServices(services)) {
    for (const job of ofeliaJobs(service)) {
      const place = `${job.from}: the job "${job.name}" of Ofelia`
      const { schedule, command, from, name } = job
      if (job.kind !== 'exec')
        found.notes.push(
          `${place} runs ${job.kind === 'local' ? 'on the machine itself' : `in a container of ${job.image || 'its own'}`}: not mapped; a job runs in the image of the bot`,
        )
      else if (!isOfTheBot(containerOf(services, job.container ?? service.name), services))
        found.notes.push(
          `${place} runs in the container of "${job.container ?? service.name}", which is not that of the bot: not mapped`,
        )
      else if (schedule === '' || command === '')
        found.notes.push(`${place} has no ${schedule === '' ? 'schedule' : 'command'}: not mapped`)
      else found.times.push({ schedule, command, timezone: zoneOf(service), from, name })
    }
    const schedule = labelOf(service, 'swarm.cronjob.schedule')
    if (schedule === undefined || !isOfTheBot(service, services) || service === services.bot) continue
    const words = [service.entrypoint, service.command].flatMap((each) =>
      each === undefined ? [] : commandOf(each.value),
    )
    if (words.length === 0) continue
    found.asJobs.push(service.name)
    found.times.push({
      ...{ schedule, command: words, timezone: zoneOf(service) },
      name: service.name,
      from: service.from,
    })
  }
  return found
}

/** Whether a service runs in the image that the bot runs in. */
export function isOfTheBot(service: ComposeService | undefined, { bot }: Services): boolean {
  if (service === undefined || bot === undefined) return false
  if (service === bot) return true
  if (service.build === undefined || bot.build === undefined)
    return service.image !== undefined && service.image === bot.image
  const [one, other] = [dockerfileOf(service), dockerfileOf(bot)]
  return one !== undefined && one.path === other?.path && service.build.value.target === bot.build.value.target
}

/** The time zone that the programs in a container go by. */
export function zoneOf({ environment }: Pick<ComposeService, 'environment'>): string | undefined {
  return environment.find(({ name }) => name === 'TZ')?.value
}

/** Runs cron, and is no program of the bot's own that is called so. */
export function startsCron(command: string): boolean {
  return /(?:^|[;&|(\n][ \t]*|\bexec[ \t]+|-c[ \t]+["']?)(?:[\w./-]*\/)?(?:(?:supercronic|crond|cron|busybox crond)(?=[\s;&|]|$)|service cron start)/.test(
    command.trim(),
  )
}

/** Whether it does nothing else that anybody would miss. */
export function onlyCron(command: string): boolean {
  const steps = command.split(/[\n;&|()]+/).map((step) =>
    step
      .replace(/^\s*(?:(?:\/bin\/)?(?:ba)?sh -[a-z]*c|exec)\s+/, '')
      .replaceAll(/["']/g, '')
      .trim(),
  )
  const harmless =
    /^(?:[\w./-]*\/)?(?:supercronic|crond?|busybox|service cron|tail|printenv|env|export|touch|echo|cat|chmod|mkdir|crontab|set|sleep|if|then|else|fi|true|:|\[)(?=\s|$)|^\d>?$|^$/
  return steps.every((step) => harmless.test(step))
}

export function runsText({ entrypoint, command }: Pick<ComposeService, 'entrypoint' | 'command'>): string {
  return `${textOf(entrypoint?.value)} ${textOf(command?.value)}`.trim()
}

interface OfeliaJob {
  readonly kind: string
  readonly name: string
  readonly schedule: string
  readonly command: string
  readonly container: string | undefined
  readonly image: string | undefined
  readonly from: string
}

function ofeliaJobs({ labels }: ComposeService): OfeliaJob[] {
  const jobs = new Map<string, { kind: string; name: string; from: string; keys: Map<string, string> }>()
  for (const { value, from } of labels) {
    const [, kind = '', name = '', key = '', said = ''] =
      /^(?:ofelia|chadburn)\.job-(exec|run|local|service-run)\.([^.=]+)\.([\w-]+)=(.*)$/s.exec(value) ?? []
    if (name === '') continue
    const job = jobs.get(`${kind}.${name}`) ?? { kind, name, from, keys: new Map() }
    jobs.set(`${kind}.${name}`, job)
    job.keys.set(key, said.trim())
  }
  return [...jobs.values()].map(({ kind, name, from, keys }) => ({
    ...{ kind, name, from, schedule: keys.get('schedule') ?? '', command: keys.get('command') ?? '' },
    ...{ container: keys.get('container'), image: keys.get('image') },
  }))
}

function containerOf(services: Services, name: string): ComposeService | undefined {
  return allServices(services).find((each) => each.name === name || each.container === name)
}

function labelOf({ labels }: ComposeService, key: string): string | undefined {
  return labels.find(({ value }) => value.startsWith(`${key}=`))?.value.slice(key.length + 1)
}
