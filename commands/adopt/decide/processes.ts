import { commandOf } from '../read/command-line.ts'
import type { ComposeService } from '../read/compose-service.ts'
import type { Found, Note } from '../read/finding.ts'
import type { Project } from '../read/survey.ts'
import type { Build } from './build.ts'
import { healthIn, limitsIn } from './container.ts'
import type { Entry } from './entry.ts'
import { interpolated } from './interpolate.ts'
import { dockerfileOf, type Services } from './services.ts'
import { botProcess } from './start.ts'

/** A further process of the bot, as bot.yaml has it; or why it cannot be one. */
export type Further =
  | { readonly name: string; readonly keys: Readonly<Record<string, unknown>>; readonly from: string }
  | { readonly note: Note }

/** Services of the compose file, or lines of the Procfile, that run beside the bot from the same source. */
export function furtherProcesses(
  { others, bot }: Services,
  { processes }: Pick<Project, 'processes'>,
  build: Build,
  known: ReadonlyMap<string, string>,
  isThere: (path: string) => boolean,
): readonly Further[] {
  const own = botProcess(processes)
  const lines = others.length > 0 || bot !== undefined ? [] : [...processes]
  return [
    ...others.map((service) => ofService(service, build, known, bot?.command !== undefined, isThere)),
    ...lines.filter(([name]) => name !== own && name !== 'release').map(([name, said]) => ofLine(name, said, build)),
  ]
}

/** The process that a service of the compose file became. */
export function processNamed(
  all: readonly Further[],
  service: string,
): Extract<Further, { readonly name: string }> | undefined {
  return all.flatMap((each) => ('keys' in each && each.name === named(service) ? [each] : []))[0]
}

/** With where they listen, of those that did not say so. */
export function withPorts(all: readonly Further[], ports: ReadonlyMap<string, Found<number>>): readonly Further[] {
  return all.map((each) => {
    const port = 'keys' in each ? ports.get(each.name) : undefined
    return 'keys' in each && port !== undefined
      ? { ...each, keys: { ...each.keys, port: each.keys.port ?? port.value } }
      : each
  })
}

/** The key, and what is to be said of the others. `most`: so many a bot may have. */
export function processKey(all: readonly Further[], most: number): { entries: Entry[]; notes: Note[] } {
  const found = all.flatMap((each) => ('keys' in each ? [each] : []))
  const taken = found.slice(0, most)
  const notes = [
    ...all.flatMap((each) => ('note' in each ? [each.note] : [])),
    ...found.slice(most).map(({ name, from }) => `${from}: "${name}" is a process too many: this bot may have ${most}`),
  ]
  if (taken.length === 0) return { entries: [], notes }
  const value = Object.fromEntries(taken.map(({ name, keys }) => [name, keys]))
  return { entries: [{ key: 'processes', value, why: taken.map(({ from }) => from).join(', ') }], notes }
}

function ofService(
  service: ComposeService,
  build: Build,
  known: ReadonlyMap<string, string>,
  botIsTold: boolean,
  isThere: (path: string) => boolean,
): Further {
  const { name, from, command, entrypoint } = service
  const file = dockerfileOf(service)
  const prefix = build.folder === '' ? '' : `${build.folder}/`
  if (
    service.build !== undefined &&
    (file === undefined || file.context !== build.folder || !file.path.startsWith(prefix))
  )
    return { note: `${from}: "${name}" is built from another folder than the bot: not mapped; the bot runs without it` }
  const dockerfile = file?.path.slice(prefix.length)
  const isOther = dockerfile !== undefined && dockerfile !== (build.dockerfile ?? 'Dockerfile')
  if (isOther && !isThere(`${prefix}${dockerfile}`))
    return { note: `${from}: "${name}" is built from ${dockerfile}, which is not there: not mapped` }
  const said = [entrypoint, command].flatMap((each) => (each === undefined ? [] : commandOf(each.value)))
  // What the image runs, where the bot itself runs something else of it.
  const inherited =
    !isOther && botIsTold && build.image?.command !== undefined ? commandOf(build.image.command.value) : []
  const words = said.length > 0 ? said : inherited
  const { target } = service.build?.value ?? {}
  if (!isOther && words.length === 0 && (target === undefined || target === build.target))
    return { note: `${from}: "${name}" runs what the bot runs: not mapped; say what else it is` }
  const health = healthIn(service.healthcheck)
  const port = health?.port ?? service.ports[0]?.value.port
  return {
    name: named(name),
    from,
    keys: {
      ...(isOther && { dockerfile }),
      ...(target !== undefined && { target }),
      ...(words.length > 0 && { command: words.map((word) => interpolated(word, known)) }),
      ...(port !== undefined && { port }),
      ...(health !== undefined && port !== undefined && { health: health.path }),
      ...Object.fromEntries(limitsIn(service).flatMap(({ key, value }) => (key === 'init' ? [] : [[key, value]]))),
      ...once(`${name} ${words.join(' ')}`),
    },
  }
}

function ofLine(name: string, { value, from }: Found<string>, { image }: Build): Further {
  if (image?.entrypoint !== undefined)
    return {
      note: `${from}: the process "${name}" would be an argument of the ENTRYPOINT of ${image.file}: not mapped`,
    }
  return { name: named(name), from, keys: { command: commandOf(value), ...once(`${name} ${value}`) } }
}

/** Two schedulers do everything twice. */
function once(says: string): { single?: true } {
  return /schedul|\bbeat\b|cron|clock/i.test(says) ? { single: true } : {}
}

function named(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^[^a-z]+|-$/g, '')
      .slice(0, 32)
      .replace(/-$/, '') || 'process'
  )
}

/** Variables that name a process by its name in the compose file: `http://api:8000`. */
export function withProcesses(
  environment: readonly Entry[],
  all: readonly Further[],
  keys: readonly Entry[],
): readonly Entry[] {
  const [key] = keys
  if (key === undefined) return environment
  const names = all.flatMap((each) =>
    'keys' in each && each.keys.port !== undefined && Object.hasOwn(Object(key.value), each.name) ? [each.name] : [],
  )
  return environment.map((entry) => {
    const [, host = '', rest = ''] = /^https?:\/\/([\w-]+)(?::\d+)?(\/.*)?$/.exec(String(entry.value)) ?? []
    return names.includes(named(host)) ? { ...entry, value: `\${process.${named(host)}.url}${rest}` } : entry
  })
}
