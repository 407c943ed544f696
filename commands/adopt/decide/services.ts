import { dirname, join, normalize } from 'node:path/posix'
import { textOf } from '../read/command-line.ts'
import type { ComposeService } from '../read/compose-service.ts'
import { type ImageKind, imageKind } from './images.ts'
import { isTokenName } from './names.ts'

/** The services of a compose file, by what they are to a bot. */
export interface Services {
  readonly bot: ComposeService | undefined
  /** Services that run once, before the bot. */
  readonly migrations: readonly ComposeService[]
  /** Further processes of the same repository. */
  readonly others: readonly ComposeService[]
  readonly known: readonly { readonly service: ComposeService; readonly kind: ImageKind }[]
  /** Images of somebody else's that say nothing to us. */
  readonly foreign: readonly ComposeService[]
}

/** `text` reads a file of the repository: a service may be built from nothing but `FROM redis`. */
export function arrange(services: readonly ComposeService[], text: (path: string) => string | undefined): Services {
  const read = new Map<string, string | undefined>()
  // Services share their Dockerfiles.
  const once = (path: string) => {
    if (!read.has(path)) read.set(path, fromLines(text(path)))
    return read.get(path)
  }
  const known = services.flatMap((service) => {
    const kind = kindOf(service, once)
    return kind === undefined ? [] : [{ service, kind }]
  })
  const rest = services.filter((service) => !known.some((each) => each.service === service))
  const built = new Set(rest.flatMap(({ build, image }) => (build === undefined ? [] : (image ?? []))))
  const isOwn = ({ build, image = '' }: ComposeService) =>
    build !== undefined || built.has(image) || !/[/.]/.test(image.replace(/:.*$/, ''))
  const own = rest.filter(isOwn)
  const migrations = own.filter(migrates)
  const processes = own.filter((service) => !migrates(service))
  const best = Math.max(...processes.map(score))
  const bot = processes.find((service) => score(service) === best)
  return {
    ...{ bot, migrations, known },
    others: processes.filter((service) => service !== bot),
    foreign: rest.filter((service) => !isOwn(service)),
  }
}

/** All of a compose file. */
export function allServices({ bot, migrations, others, known, foreign }: Services): readonly ComposeService[] {
  return [
    ...(bot === undefined ? [] : [bot]),
    ...migrations,
    ...others,
    ...known.map(({ service }) => service),
    ...foreign,
  ]
}

/** The Dockerfile of a service, as a path in the repository; undefined where it is outside of it. */
export function dockerfileOf({ build }: ComposeService): { context: string; path: string } | undefined {
  if (build === undefined) return undefined
  const context = normalize(build.value.context).replace(/^\.\/|\/$/g, '')
  const folder = context === '.' ? '' : context
  const path = normalize(join(folder, build.value.dockerfile ?? 'Dockerfile'))
  const isOutside = [folder, path].some((each) => each.startsWith('..') || each.startsWith('/') || each.includes('$'))
  return isOutside || /^(https?:|git@|git:)/.test(build.value.context) ? undefined : { context: folder, path }
}

export function migrates({ name, command, entrypoint }: ComposeService): boolean {
  const runs = `${textOf(entrypoint?.value)} ${textOf(command?.value)}`
  return /migrat/.test(name) || (/\b(alembic|migrate|migration|db:push)\b/.test(runs) && !/[;&|]/.test(runs))
}

/** The lines that say what stages are made from. */
function fromLines(text: string | undefined): string | undefined {
  return text
    ?.split('\n')
    .filter((line) => /^[ \t]*FROM[ \t]/i.test(line))
    .join('\n')
}

function kindOf(service: ComposeService, text: (path: string) => string | undefined): ImageKind | undefined {
  if (service.build === undefined) return imageKind(service.image ?? '')
  const path = dockerfileOf(service)?.path
  const bases = [...((path && text(path)) ?? '').matchAll(/^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)/gim)]
  const kinds = bases.map(([, base = '']) => imageKind(base))
  // A bot is built from node, python or golang, never from a server; a front end may be built, and served by one.
  return kinds[0] ?? (kinds.at(-1) === 'proxy' ? 'proxy' : undefined)
}

function score({ name, environment, build, command }: ComposeService): number {
  const says = `${name} ${textOf(command?.value)}`.toLowerCase()
  return (
    (/bot|telegram|(^|[_-])tg/.test(name.toLowerCase()) ? 4 : 0) +
    (/^(app|main|server|backend|web)$/.test(name) ? 1 : 0) -
    (/worker|schedul|celery|beat|cron|queue|stream|admin|front|webapp|mini-?app|panel|docs|test|dev\b/.test(says)
      ? 5
      : 0) +
    (environment.some((variable) => isTokenName(variable.name)) ? 3 : 0) +
    (build !== undefined && /^\.?\/?$/.test(dirname(build.value.dockerfile ?? '.')) ? 1 : 0)
  )
}
