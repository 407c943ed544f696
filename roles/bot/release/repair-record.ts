import * as v from 'valibot'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Change, type Resource, resource } from '../../../lib/model/resource.ts'
import { configLabel } from '../../../lib/resources/container.ts'
import { textOf } from '../../../lib/resources/file-state.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { allocations, type Colour, placesOf } from '../allocation.ts'
import type { Limits, Spec } from '../spec/spec.ts'
import { type Seat, serviceFile } from './compose-file.ts'

/** What the host has recorded of the version that serves. */
export interface Release {
  /** `20261124-221530-3f2a9c1d7b44`: when, in UTC, and the tag of the image. */
  readonly id: string
  readonly spec: Spec
  readonly colour: Colour
  /** SHA-256 of each secret as the container has read it. */
  readonly secrets: Readonly<Record<string, string>>
  readonly by: string
  /** What it may take where the inventory does not say so. */
  readonly limits?: Limits
  /** The dump that was taken before its migrations ran, on the host. */
  readonly dump?: string
}

/** The release that serves; undefined where there was none yet. */
export function currentRelease(bot: string): Reading<string | undefined> {
  return textOf(placesOf(bot).current)
}

/** Undefined where there is none, or what is there is no whole record: `tornBecause` says so. */
export function parseRelease(text: string | undefined): Release | undefined {
  return text === undefined ? undefined : parsed(text).release
}

/** Why a record cannot be one: a full disk and a power cut leave half of a file, or none of it. */
export function tornBecause(text: string | undefined): string | undefined {
  return text === undefined ? undefined : parsed(text).reason
}

/** The whole records in a file of one a line, the oldest first, and how many lines are none. */
export function parseReleases(text: string): { readonly releases: readonly Release[]; readonly torn: number } {
  const all = text.split('\n').filter((line) => line !== '')
  const releases = all.flatMap((line) => parseRelease(line) ?? [])
  return { releases, torn: all.length - releases.length }
}

/**
 * What the host has recorded of a bot is whole. Where it is not, the record is taken from `releases`, which has every one of
 * them, if the container that is there says which it is; else a release replaces it, and without one that is told.
 */
export function record(seat: Omit<Seat, 'number'>, isReleased: boolean): Resource {
  const { bot } = seat
  const { state, current } = placesOf(bot)
  const reads = { text: currentRelease(bot), found: foundOf(bot), taken: allocations }
  return {
    ...resource({
      id: `record:${bot}`,
      wants: 'whole',
      reads,
      plan: ({ text, found, taken }): readonly Change[] => {
        const reason = lackOf(text, found)
        const healed = reason === undefined ? undefined : healedFrom(seat, taken[bot], found)
        if (healed === undefined) return []
        const line = `${JSON.stringify(healed)}\n`
        const script = sh`
          printf %s ${Buffer.from(line).toString('base64')} | base64 -d | tee ${`${current}.new`} >/dev/null
          sync ${`${current}.new`}
          mv -fT ${`${current}.new`} ${current}
          sync ${state}`
        const summary = `current.json, since ${reason}: ${healed.id} again, which its container was made from`
        return [{ summary, script, predicts: [becomes(reads.text, line)] }]
      },
    }),
    ...(!isReleased && {
      fault: (read) => {
        const reason = lackOf(read(reads.text), read(reads.found))
        if (reason === undefined) return undefined
        return `${current}: ${reason}, and nothing on the host says for certain what serves; it was left alone: npx zx playbooks/bot.ts --name ${bot} releases it anew`
      },
    }),
  }
}

/** What there is besides a record that seems not to be whole. */
export interface Found {
  /** The lines of `releases`. */
  readonly past: string
  readonly containers: readonly FoundContainer[]
}

export type FoundContainer = v.InferOutput<typeof container>

export function foundOf(bot: string): Reading<Found | undefined> {
  return reading(finds, bot)
}

/** Of a bot's containers the one that serves; undefined where that is not certain. */
export function servingOf(found: Found | undefined): FoundContainer | undefined {
  const { containers = [] } = found ?? {}
  const running = containers.filter((each) => each.running)
  const bound = running.filter(isBound)
  return [containers, running, bound].find(({ length }) => length === 1)?.[0]
}

/**
 * What is wrong with a record; undefined where it is whole, or nothing has been released. A container that every boot brings
 * back serves, whatever became of its record; one that a first release has left where it was cut is none of these.
 */
export function lackOf(text: string | undefined, found: Found | undefined): string | undefined {
  if (text !== undefined) return tornBecause(text)
  return found?.containers.some(isBound) ? 'it is gone' : undefined
}

function isBound({ restart }: FoundContainer): boolean {
  return restart === 'always'
}

function healedFrom(seat: Omit<Seat, 'number'>, number: number | undefined, found: Found | undefined) {
  const serving = servingOf(found)
  if (found === undefined || serving === undefined) return undefined
  const { releases } = parseReleases(found.past)
  const isMadeFrom = ({ colour, spec }: Release) =>
    number !== undefined &&
    serviceFile({ ...seat, number }, colour, spec, { memoryMB: 0, cpus: 0 }).checksum === serving.labels[configLabel]
  const alike = releases.filter(({ colour, spec }) => colour === serving.colour && spec.image === serving.image)
  // Made by another botgarden, its checksum may be another; the last of all records then leaves no doubt either.
  const last = parseRelease(found.past.trimEnd().split('\n').at(-1))
  return alike.findLast(isMadeFrom) ?? alike.find(({ id }) => id === last?.id)
}

const text = v.pipe(
  v.string(),
  v.check((value) => !value.includes('\0'), 'a NUL byte'),
)
const texts = v.record(text, text)

const release = v.looseObject({
  id: v.pipe(text, v.nonEmpty()),
  colour: v.picklist(['blue', 'green']),
  by: text,
  secrets: texts,
  limits: v.optional(v.looseObject({ memoryMB: v.number(), cpus: v.number() })),
  dump: v.optional(text),
  spec: v.looseObject({
    image: v.pipe(text, v.nonEmpty()),
    mode: v.picklist(['webhook', 'polling']),
    port: v.number(),
    webhookPath: text,
    maxConnections: v.number(),
    database: v.boolean(),
    health: v.optional(text),
    migrate: v.optional(v.array(text)),
    migrations: v.optional(text),
    allowedUpdates: v.optional(v.array(text)),
    environment: texts,
    secrets: v.array(text),
  }),
})

function parsed(line: string): { release?: Release; reason?: string } {
  if (line.trim() === '') return { reason: 'it is empty' }
  try {
    const value: unknown = JSON.parse(line)
    const { success, issues } = v.safeParse(release, value)
    // As it stands there: the schema has an order of its own.
    if (success) return { release: value as Release }
    const [{ path = [], message }] = issues
    return { reason: `it is no record of a release (${[...path.map(({ key }) => key), message].join(': ')})` }
  } catch {
    return { reason: 'it is torn' }
  }
}

const container = v.pipe(
  v.object({
    name: v.string(),
    running: v.boolean(),
    restart: v.string(),
    image: v.string(),
    labels: v.record(v.string(), v.string()),
    env: v.array(v.string()),
  }),
  v.transform(({ name, ...rest }) => ({
    ...rest,
    colour: name.endsWith('-blue') ? ('blue' as const) : ('green' as const),
  })),
)

const format =
  '{"name":{{json .Name}},"running":{{.State.Running}},"restart":{{json .HostConfig.RestartPolicy.Name}},"image":{{json .Config.Image}},"labels":{{json .Config.Labels}},"env":{{json .Config.Env}}}'

const finds: Kind<Found | undefined> = {
  name: 'record',
  volatile: true,
  // A record that is whole is the last line of `releases` too: then there is nothing to be found.
  script: (bots) => sh`
    for bot in ${bots}; do
      state=/var/lib/botgarden/bots/$bot line=
      { IFS= read -r line || :; } 2>/dev/null <"$state/current.json" || :
      case $line in '{"id":"'*'}') [ "$(tail -n 1 "$state/releases" 2>/dev/null)" != "$line" ] || continue ;; esac
      printf 'found %s ' "$bot"; tail -c 200000 "$state/releases" 2>/dev/null | base64 --wrap=0; echo
      docker container inspect --format ${format} -- "botgarden-$bot-blue" "botgarden-$bot-green" 2>/dev/null
    done`,
  parse: (output, bots) => {
    const found = output.split(/^found /m).flatMap((part) => {
      const [head = '', ...rows] = part.split('\n')
      const [bot = '', past = ''] = head.split(' ')
      const containers = rows.filter((row) => row.startsWith('{')).map((row) => v.parse(container, JSON.parse(row)))
      return [[bot, { past: Buffer.from(past, 'base64').toString(), containers }] as const]
    })
    const states = new Map(found)
    return new Map(bots.map((bot) => [bot, states.get(bot)]))
  },
}
