import type { Found, Variable } from './finding.ts'
import { itemsOf, mappingOf, memberOf, textOf } from './untyped.ts'

/** A service of a compose file, as far as it says something about a bot. */
export interface ComposeService {
  readonly name: string
  readonly from: string
  readonly image: string | undefined
  readonly build: Found<ComposeBuild> | undefined
  readonly command: Found<Command> | undefined
  readonly entrypoint: Found<Command> | undefined
  readonly environment: readonly Variable[]
  readonly volumes: readonly Found<ComposeVolume>[]
  /** Ports in the container. */
  readonly ports: readonly Found<ComposePort>[]
  readonly tmpfs: readonly Found<string>[]
  readonly dependsOn: readonly string[]
  readonly memory: Found<string> | undefined
  readonly cpus: Found<number> | undefined
  readonly healthcheck: Found<string> | undefined
  readonly workdir: string | undefined
  readonly init: boolean
  /** Keys that ask for more than a bot gets. */
  readonly powers: readonly Found<string>[]
  readonly labels: readonly Found<string>[]
  /** The name of its container, by which others may reach it. */
  readonly container: string | undefined
}

export interface ComposePort {
  readonly port: number
  readonly published: boolean
  /** The port of the host that leads there. */
  readonly onHost?: number
}

/** Words, or a line for a shell. */
export type Command = string | readonly string[]

export interface ComposeVolume {
  /** A named volume, or a path of the host; undefined for one without a name. */
  readonly source: string | undefined
  readonly target: string
  readonly readOnly: boolean
}

export interface ComposeBuild {
  readonly context: string
  readonly dockerfile: string | undefined
  readonly target: string | undefined
  readonly args: readonly (readonly [name: string, value: string])[]
}

/** Fills in the variables of a text. */
export type Fill = (text: string) => string

/** Where a key of the service stands, or an item of its list. */
type Place = (key?: string, index?: number) => string

const powers = ['privileged', 'devices', 'cap_add', 'network_mode', 'pid', 'ipc', 'runtime', 'gpus', 'extra_hosts']

export function serviceOf(name: string, said: unknown, from: Place, fill: Fill): ComposeService {
  const at = <Value>(key: string, value: Value | undefined) =>
    value === undefined ? undefined : { value, from: from(key) }
  const items = (key: string) => itemsOf(memberOf(said, key)).map((value, i) => ({ value, from: from(key, i) }))
  const limits = memberOf(memberOf(memberOf(said, 'deploy'), 'resources'), 'limits')
  const limit = (key: string, inDeploy: string) =>
    at(key, textOf(memberOf(said, key))) ?? at('deploy', textOf(memberOf(limits, inDeploy)))
  const cpus = limit('cpus', 'cpus')
  return {
    name,
    from: from(),
    image: textOf(memberOf(said, 'image')),
    build: at('build', buildOf(memberOf(said, 'build'))),
    command: at('command', commandIn(memberOf(said, 'command'))),
    entrypoint: at('entrypoint', commandIn(memberOf(said, 'entrypoint'))),
    environment: items('environment').flatMap(variableIn),
    volumes: items('volumes').flatMap(volumeIn),
    ports: [...items('ports').flatMap(portIn(true, fill)), ...items('expose').flatMap(portIn(false, fill))],
    tmpfs: items('tmpfs').flatMap(({ value, from }) => {
      const path = textOf(value)?.split(':')[0]
      return path === undefined ? [] : [{ value: path, from }]
    }),
    dependsOn: itemsOf(memberOf(said, 'depends_on')).flatMap((each) => textOf(each)?.split('=')[0] ?? []),
    memory: limit('mem_limit', 'memory'),
    cpus: cpus === undefined ? undefined : { ...cpus, value: Number(cpus.value) },
    healthcheck: at('healthcheck', healthIn(memberOf(said, 'healthcheck'), fill)),
    workdir: textOf(memberOf(said, 'working_dir')),
    init: memberOf(said, 'init') === true,
    powers: powersIn(said, from),
    labels: labelsIn(said, from, fill),
    container: textOf(memberOf(said, 'container_name')),
  }
}

/** Rules in them are searched. */
const maxLabel = 2000

/** As NAME=VALUE; those of a stack are in "deploy". */
function labelsIn(said: unknown, from: Place, fill: Fill): Found<string>[] {
  const own = itemsOf(memberOf(said, 'labels')).map((value, i) => ({ value, from: from('labels', i) }))
  const ofStack = itemsOf(memberOf(memberOf(said, 'deploy'), 'labels')).map((value) => ({
    value,
    from: from('deploy'),
  }))
  return [...own, ...ofStack].flatMap(({ value, from }) => {
    const text = textOf(value)
    return text === undefined || text.length > maxLabel ? [] : [{ value: fill(text), from }]
  })
}

function buildOf(said: unknown): ComposeBuild | undefined {
  const context = textOf(said)
  if (context !== undefined) return { context, dockerfile: undefined, target: undefined, args: [] }
  if (mappingOf(said) === undefined) return undefined
  return {
    context: textOf(memberOf(said, 'context')) ?? '.',
    dockerfile: textOf(memberOf(said, 'dockerfile')),
    target: textOf(memberOf(said, 'target')),
    args: itemsOf(memberOf(said, 'args')).flatMap((each) => {
      const [, name, rest = ''] = /^(\w+)(?:=(.*))?$/s.exec(textOf(each) ?? '') ?? []
      return name === undefined ? [] : [[name, rest] as const]
    }),
  }
}

function commandIn(said: unknown): Command | undefined {
  if (Array.isArray(said)) return said.length === 0 ? undefined : said.map(String)
  return textOf(said)?.replaceAll('\n', ' ').trim() || undefined
}

function variableIn({ value, from }: Found<unknown>): Variable[] {
  const [, name, , said] = /^([A-Za-z_]\w*)(=(.*))?$/s.exec(textOf(value) ?? '') ?? []
  return name === undefined ? [] : [{ name, value: said, from }]
}

function volumeIn({ value, from }: Found<unknown>): Found<ComposeVolume>[] {
  const target = textOf(memberOf(value, 'target'))
  if (target !== undefined) {
    if (memberOf(value, 'type') === 'tmpfs') return []
    const readOnly = memberOf(value, 'read_only') === true
    return [{ value: { source: textOf(memberOf(value, 'source')), target, readOnly }, from }]
  }
  // A variable has colons of its own: ${DIR:-./data}:/app/data
  const pieces = /^((?:\$\{[^}]*\}|\$(?!\{)|[^:$])+)(?::([^:]+))?(?::(.*))?$/s.exec(textOf(value) ?? '')
  if (pieces === null) return []
  const [, first = '', second, mode = ''] = pieces
  const place = second === undefined ? { source: undefined, target: first } : { source: first, target: second }
  return [{ value: { ...place, readOnly: mode.split(',').includes('ro') }, from }]
}

function portIn(published: boolean, fill: Fill) {
  return ({ value, from }: Found<unknown>) => {
    const said = fill(textOf(memberOf(value, 'target')) ?? textOf(value) ?? '')
    const port = Number(/(\d+)(?:\/tcp)?$/.exec(said)?.[1] ?? Number.NaN)
    const onHost = Number(textOf(memberOf(value, 'published')) ?? /(\d+):\d+(?:\/tcp)?$/.exec(said)?.[1] ?? Number.NaN)
    const place = { port, published, ...(onHost > 0 && { onHost }) }
    return port > 0 && port < 65_536 ? [{ value: place, from }] : []
  }
}

function healthIn(said: unknown, fill: Fill): string | undefined {
  const test = memberOf(said, 'test')
  const text = Array.isArray(test) ? test.map(String).join(' ') : textOf(test)
  return text === undefined ? undefined : fill(text)
}

function powersIn(said: unknown, from: Place): Found<string>[] {
  const reserved = memberOf(memberOf(memberOf(said, 'deploy'), 'resources'), 'reservations')
  return [
    ...powers
      .filter((key) => asksFor(key, memberOf(said, key)))
      .map((key) => ({ value: `${key}: ${itemsOf(memberOf(said, key)).join(', ')}`, from: from(key) })),
    ...(memberOf(reserved, 'devices') === undefined
      ? []
      : [{ value: 'reserved devices (a GPU)', from: from('deploy') }]),
  ]
}

function asksFor(key: string, said: unknown): boolean {
  if (said === undefined || said === null || said === false) return false
  return key !== 'network_mode' || said === 'host'
}
