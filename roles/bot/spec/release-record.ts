import { isDeepStrictEqual } from 'node:util'
import * as v from 'valibot'
import type { Reading } from '../../../lib/model/reading.ts'
import { textOf } from '../../../lib/resources/file-state.ts'
import { type Colour, layoutOf } from './layout.ts'
import type { Limits } from './limits.ts'
import type { Spec } from './spec.ts'

/** The record of a release on the host: `current.json`, and a line of `releases`. */
export interface Release {
  /** Time in UTC and tag of the image: `20261124-221530-3f2a9c1d7b44`. */
  readonly id: string
  readonly spec: Spec
  readonly colour: Colour
  /** SHA-256 by name of each secret that its container has read. */
  readonly secrets: Readonly<Record<string, string>>
  readonly by: string
  /** The commit that its source was, where git says so: hexadecimal. Old records do not have this member. */
  readonly commit?: string
  /** The limits that apply where the inventory sets none. */
  readonly limits?: Limits
  /** The path on the host of the dump from before its migrations ran. */
  readonly dump?: string
  /** By the path of a route: the folder with the files of the release before it, which browsers may still ask for. */
  readonly former?: Readonly<Record<string, string>>
  /** The folder on the host with the copy of its data from before it wrote to them. */
  readonly copy?: string
}

/** The text of the record of the serving release; undefined where there was none yet. */
export function currentRelease(bot: string): Reading<string | undefined> {
  return textOf(layoutOf(bot).current)
}

/** Undefined where there is no record, or a corrupt one: `corruption` says why. */
export function parseRelease(text: string | undefined): Release | undefined {
  return text === undefined ? undefined : parsed(text).release
}

/** Why a text is not a valid record; undefined where it is. A full disk or a power cut leaves half a file, or an empty one. */
export function corruption(text: string | undefined): string | undefined {
  return text === undefined ? undefined : parsed(text).reason
}

/** The valid records in a file with one a line, the oldest first, and the number of lines that are not valid. */
export function parseReleases(text: string): { readonly releases: readonly Release[]; readonly corruptLines: number } {
  const all = text.split('\n').filter((line) => line !== '')
  const releases = all.flatMap((line) => parseRelease(line) ?? [])
  return { releases, corruptLines: all.length - releases.length }
}

const text = v.pipe(
  v.string(),
  v.check((value) => !value.includes('\0'), 'a NUL byte'),
)
const texts = v.record(text, text)

const containerLimits = { memoryMB: v.number(), cpus: v.number() }

const release = v.looseObject({
  id: v.pipe(text, v.nonEmpty()),
  colour: v.picklist(['blue', 'green']),
  by: text,
  commit: v.optional(text),
  secrets: texts,
  limits: v.optional(
    v.looseObject({
      ...containerLimits,
      processes: v.optional(v.record(text, v.looseObject(containerLimits))),
    }),
  ),
  dump: v.optional(text),
  copy: v.optional(text),
  former: v.optional(texts),
  spec: v.looseObject({
    image: v.pipe(text, v.nonEmpty()),
    mode: v.picklist(['webhook', 'polling', 'none']),
    port: v.number(),
    webhookPath: text,
    maxConnections: v.number(),
    database: v.boolean(),
    external: v.optional(
      v.looseObject({
        ...{ host: text, port: v.number(), user: text, name: text, sslmode: text },
        parameters: v.optional(text),
      }),
    ),
    tcp: v.optional(v.literal(true)),
    connections: v.optional(v.number()),
    extensions: v.optional(v.array(text)),
    health: v.optional(text),
    migrate: v.optional(v.array(text)),
    migrations: v.optional(text),
    allowedUpdates: v.optional(v.array(text)),
    environment: texts,
    secrets: v.array(text),
    references: v.optional(texts),
    command: v.optional(v.array(text)),
    data: v.optional(v.array(text)),
    sharedData: v.optional(v.literal(true)),
    cache: v.optional(
      v.looseObject({
        server: v.picklist(['valkey', 'redis']),
        memoryMB: v.number(),
        persist: v.optional(v.literal(true)),
      }),
    ),
    webhook: v.optional(v.literal('bot')),
    init: v.optional(v.literal(true)),
    shareOrigin: v.optional(v.literal(true)),
    public: v.optional(
      v.array(
        v.looseObject({
          path: text,
          static: v.optional(text),
          process: v.optional(text),
          spa: v.optional(v.literal(true)),
          methods: v.optional(v.array(text)),
          body: v.optional(text),
          rate: v.optional(v.number()),
          from: v.optional(v.array(text)),
          websocket: v.optional(v.literal(true)),
        }),
      ),
    ),
    jobs: v.optional(
      v.record(
        v.pipe(text, v.regex(/^[a-z][a-z0-9-]*$/)),
        v.looseObject({
          schedule: text,
          timezone: v.optional(text),
          command: v.array(text),
          timeout: v.number(),
          memoryMB: v.optional(v.number()),
        }),
      ),
    ),
    processes: v.optional(
      v.record(
        text,
        v.looseObject({
          image: v.pipe(text, v.nonEmpty()),
          command: v.optional(v.array(text)),
          port: v.optional(v.number()),
          health: v.optional(text),
          single: v.optional(v.literal(true)),
        }),
      ),
    ),
    replicas: v.optional(v.looseObject({ count: v.number(), hosts: v.array(text) })),
  }),
})

function parsed(line: string): { release?: Release; reason?: string } {
  if (line.trim() === '') return { reason: 'it is empty' }
  try {
    const value: unknown = JSON.parse(line)
    const { success, issues } = v.safeParse(release, value)
    // The parsed text and not the result of the schema, which reorders members.
    if (success) return { release: value as Release }
    const [{ path = [], message }] = issues
    return { reason: `it is not a release record (${[...path.map(({ key }) => key), message].join(': ')})` }
  } catch {
    return { reason: 'it is not valid JSON' }
  }
}

/** The members of a spec and the secrets that differ from those of the current release. */
export function differencesOf(
  current: Release | undefined,
  spec: Spec,
  secrets: Readonly<Record<string, string>>,
): string[] {
  if (current === undefined) return ['first']
  const plain = (value: Spec) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>
  const [now, then] = [plain(current.spec), plain(spec)]
  const keys = [...new Set([...Object.keys(now), ...Object.keys(then)])].filter(
    (key) => !isDeepStrictEqual(now[key], then[key]),
  )
  const rotated = Object.keys(secrets).filter((name) => secrets[name] !== current.secrets[name])
  return [...keys, ...rotated.map((name) => `secret ${name}`)]
}
