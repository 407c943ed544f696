import { basename, dirname } from 'node:path/posix'
import { type DockerImage, dockerImage } from '../read/dockerfile.ts'
import type { Note } from '../read/finding.ts'
import type { Repository } from '../read/repository.ts'
import { imageKind } from './images.ts'
import { interpolated } from './interpolate.ts'
import { dockerfileOf, type Services } from './services.ts'

/** What the image of the bot is built from. */
export interface Build {
  /** The folder that is the source, from the repository; empty: the repository itself. */
  readonly folder: string
  /** From that folder; undefined where there is none. */
  readonly dockerfile: string | undefined
  readonly target: string | undefined
  readonly args: Readonly<Record<string, string>>
  readonly from: string
  readonly image: DockerImage | undefined
  readonly notes: readonly Note[]
}

export function buildOf(repository: Repository, { bot, others }: Services, known: ReadonlyMap<string, string>): Build {
  const nothing = {
    folder: '',
    dockerfile: undefined,
    target: undefined,
    args: {},
    from: '',
    image: undefined,
    notes: [] as Note[],
  }
  const own = bot === undefined ? undefined : dockerfileOf(bot)
  const text = own === undefined ? undefined : repository.text(own.path)
  if (bot?.build !== undefined && own !== undefined && text !== undefined) {
    const { target, args } = bot.build.value
    const path = within(own.context, own.path)
    const values = Object.fromEntries(args.map(([name, value]) => [name, interpolated(value, known)]))
    if (path !== undefined)
      return {
        ...nothing,
        folder: own.context,
        dockerfile: path,
        target,
        args: values,
        from: bot.build.from,
        image: dockerImage(text, own.path, target),
      }
    nothing.notes.push(
      `${bot.build.from}: the Dockerfile ${own.path} is outside of its context ${own.context}: move it there, and name it by "dockerfile:"`,
    )
  }
  const elsewhere = new Set(others.flatMap((service) => dockerfileOf(service)?.path ?? []))
  const [found, ...more] = dockerfilesIn(repository).filter((path) => !elsewhere.has(path) || path === 'Dockerfile')
  if (found === undefined) return nothing
  const folder = contextFor(repository, found)
  const notes = more.length === 0 ? [] : [`further Dockerfiles, of which nothing is taken: ${more.join(', ')}`]
  return {
    ...{ ...nothing, folder, from: `${found} is there`, notes: [...nothing.notes, ...notes] },
    dockerfile: within(folder, found),
    image: dockerImage(repository.text(found) ?? '', found),
  }
}

/** The likely ones first. Those of servers are none. */
function dockerfilesIn(repository: Repository): readonly string[] {
  const rank = (path: string) =>
    (path === 'Dockerfile' ? -20 : 0) +
    path.split('/').length * 2 +
    (/^Dockerfile$/.test(basename(path)) ? 0 : 1) +
    (/bot|prod/i.test(path) ? -1 : 0) +
    (/test|dev|local|front|admin|migrat|worker/i.test(path) ? 20 : 0)
  return repository.files
    .filter((path) => /^(Dockerfile|Containerfile)([.-][\w.-]+)?$|^[\w.-]+\.Dockerfile$/i.test(basename(path)))
    .filter((path) => path.split('/').length <= 3 && !/\.dockerignore$/.test(path))
    .filter(
      (path) =>
        imageKind(/^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)/im.exec(repository.text(path) ?? '')?.[1] ?? '') ===
        undefined,
    )
    .sort((a, b) => rank(a) - rank(b))
}

/** The folder that a Dockerfile copies from: its own, or the repository where its files are only there. */
function contextFor(repository: Repository, path: string): string {
  const folder = dirname(path)
  if (folder === '.') return ''
  const copied = [
    ...(repository.text(path) ?? '').matchAll(/^[ \t]*(?:COPY|ADD)[ \t]+((?:--chown=\S+[ \t]+)*)([\w./-]+)\s/gim),
  ]
    .map(([, , source = '']) => source.replace(/^(\.\/|\.\.\/)+/, '').replace(/\/$/, ''))
    .filter((source) => !['', '.', '..'].includes(source))
  const isThere = (prefix: string) => (source: string) =>
    repository.files.some((file) => file === prefix + source || file.startsWith(`${prefix}${source}/`))
  const inFolder = copied.filter(isThere(`${folder}/`)).length
  if (copied.length > 0) return inFolder >= copied.filter(isThere('')).length ? folder : ''
  return /^(\.?docker|build|buildfiles|deploy|deployment|infra|ops|ci)$/.test(folder.split('/')[0] ?? '') ? '' : folder
}

function within(folder: string, path: string): string | undefined {
  if (folder === '') return path
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined
}
