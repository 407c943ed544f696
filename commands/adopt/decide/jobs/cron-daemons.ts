import { basename } from 'node:path/posix'
import { textOf } from '../../read/command-line.ts'
import type { ComposeService } from '../../read/compose-service.ts'
import type { Timed } from '../../read/crontab.ts'
import { type DockerImage, dockerImage } from '../../read/dockerfile.ts'
import type { Note } from '../../read/finding.ts'
import type { Repository } from '../../read/repository.ts'
import type { Project } from '../../read/survey.ts'
import type { Build } from '../build.ts'
import { dockerfileOf, type Services } from '../services.ts'
import { type Container, crontabsOf } from './crontabs.ts'
import { isOfTheBot, onlyCron, runsText, startsCron, zoneOf } from './scheduled-services.ts'

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
    const place = { volumes: service.volumes, image, folder: file?.context ?? build.folder }
    const runs = runsText(service) || imageRuns(image)
    if (!take(runs, { ...place, workdir: service.workdir ?? image?.workdir ?? workdir }, service.from, service))
      continue
    if (!isOfTheBot(service, services))
      found.notes.push(
        `${service.from}: "${service.name}" has an image of its own: see that the image of the bot has what its jobs run`,
      )
  }
  if (services.bot === undefined && services.others.length === 0)
    for (const [name, { value, from }] of project.processes) take(value, own, from, { name, environment: [] })
  const { command, entrypoint } = services.bot ?? {}
  const said = command ?? entrypoint ?? build.image?.command ?? build.image?.entrypoint
  take(runsText({ command, entrypoint }) || imageRuns(build.image), own, said?.from ?? '')
  return found

  /** Services share their Dockerfiles. */
  function imageOf(path: string, target: string | undefined): DockerImage | undefined {
    const key = `${path} ${target ?? ''}`
    const text = images.has(key) ? undefined : repository.text(path)
    if (!images.has(key)) images.set(key, text === undefined ? build.image : dockerImage(text, path, target))
    return images.get(key)
  }

  /** Whether it starts cron. `service`: what is not needed any more where it does nothing else; left out: the bot. */
  function take(
    runs: string,
    place: Omit<Container, 'script'>,
    from: string,
    service?: Pick<ComposeService, 'name' | 'environment'>,
  ): boolean {
    const script = scriptOf(runs, repository)
    const all = script === undefined ? runs : script.text
    if (!startsCron(all)) return false
    const times = crontabsOf(all, { ...place, script }, repository)
    const zone = service ?? services.bot
    found.times.push(
      ...times.map((each) => ({ ...each, timezone: each.timezone ?? (zone === undefined ? undefined : zoneOf(zone)) })),
    )
    if (service !== undefined && onlyCron(all)) found.asJobs.push(service.name)
    else
      found.notes.push(
        `${script?.file ?? from}: ${service === undefined ? 'the bot' : `"${service.name}"`} starts cron beside it: there is none in a container here, so have it run without`,
      )
    if (times.length === 0)
      found.notes.push(`${from}: runs cron, and its crontab was not found: list what it runs under "jobs:"`)
    return true
  }
}

function imageRuns(image: DockerImage | undefined): string {
  return `${textOf(image?.entrypoint?.value)} ${textOf(image?.command?.value)}`.trim()
}

const maxScript = 20_000

/** The script of the repository that a command is, without its comments. */
function scriptOf(runs: string, { files, text }: Repository): Container['script'] {
  const [script] = /[\w./-]+\.sh\b/.exec(runs.slice(0, 1000)) ?? []
  const name = script === undefined ? undefined : basename(script)
  const file = files.find((each) => name !== undefined && (each === name || each.endsWith(`/${name}`)))
  const content = file === undefined ? undefined : text(file)
  if (file === undefined || content === undefined || content.length > maxScript) return undefined
  // The lines keep their numbers.
  return { file, text: content.replaceAll(/^[ \t]*#.*$/gm, '') }
}
