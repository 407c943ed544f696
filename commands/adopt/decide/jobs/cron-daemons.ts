import { textOf } from '../../read/command-line.ts'
import type { Timed } from '../../read/crontab.ts'
import { type DockerImage, dockerImage } from '../../read/dockerfile.ts'
import type { Note } from '../../read/finding.ts'
import type { Repository } from '../../read/repository.ts'
import type { Project } from '../../read/survey.ts'
import type { Build } from '../build.ts'
import { dockerfileOf, type Services } from '../services.ts'
import { type Container, crontabsOf } from './crontabs.ts'
import { isOfTheBot, runsText, startsCron, zoneOf } from './scheduled-services.ts'

/** What is known of a repository when its jobs are looked for. */
export interface Sight {
  readonly repository: Repository
  readonly services: Services
  readonly project: Project
  readonly build: Build
  readonly workdir: string
  readonly polls: boolean
}

/** Services and lines that run cron, and the bot itself where it starts cron beside it. */
export function cronTimes({ repository, services, project, build, workdir }: Sight): {
  times: readonly Timed[]
  notes: readonly Note[]
  asJobs: readonly string[]
} {
  const found = { times: [] as Timed[], notes: [] as Note[], asJobs: [] as string[] }
  const own = { volumes: services.bot?.volumes ?? [], image: build.image, folder: build.folder, workdir }
  const images = new Map<string, DockerImage | undefined>()
  for (const service of services.others) {
    const file = dockerfileOf(service)
    const image = file === undefined ? build.image : imageOf(file.path, service.build?.value.target)
    const runs = runsText(service) || textOf(image?.command?.value)
    if (!startsCron(runs)) continue
    const folder = file?.context ?? build.folder
    take(
      runs,
      { volumes: service.volumes, image, folder, workdir: service.workdir ?? image?.workdir ?? workdir },
      service.from,
      service.name,
    )
    if (!isOfTheBot(service, services) && found.asJobs.includes(service.name))
      found.notes.push(
        `${service.from}: "${service.name}" has an image of its own: see that the image of the bot has what its jobs run`,
      )
  }
  for (const [name, { value, from }] of services.bot === undefined && services.others.length === 0
    ? project.processes
    : [])
    if (startsCron(value)) take(value, own, from, name)
  const bot = runsText(services.bot ?? { entrypoint: undefined, command: undefined })
  const runs = bot || `${textOf(build.image?.entrypoint?.value)} ${textOf(build.image?.command?.value)}`
  if (startsCron(runs)) {
    const from = services.bot?.command?.from ?? build.image?.command?.from ?? build.image?.entrypoint?.from ?? ''
    found.notes.push(
      `${from}: the bot starts cron beside it: there is none in a bot's container, so set "command:" without it`,
    )
    take(runs, own, from)
  }
  return found

  /** Services share their Dockerfiles. */
  function imageOf(path: string, target: string | undefined): DockerImage | undefined {
    const key = `${path} ${target ?? ''}`
    const text = images.has(key) ? undefined : repository.text(path)
    if (!images.has(key)) images.set(key, text === undefined ? build.image : dockerImage(text, path, target))
    return images.get(key)
  }

  function take(runs: string, container: Container, from: string, name?: string): void {
    const times = crontabsOf(runs, container, repository)
    const zone = services.others.find((each) => each.name === name) ?? services.bot
    found.times.push(
      ...times.map((each) => ({ ...each, timezone: each.timezone ?? (zone === undefined ? undefined : zoneOf(zone)) })),
    )
    if (name !== undefined) found.asJobs.push(name)
    if (times.length === 0)
      found.notes.push(`${from}: runs cron, and its crontab was not found: list what it runs under "jobs:"`)
  }
}
