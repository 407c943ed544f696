import * as v from 'valibot'
import type { Reading } from '../../../lib/model/reading.ts'
import { textOf } from '../../../lib/resources/file-state.ts'
import { type Colour, placesOf } from './layout.ts'
import type { Limits, Spec } from './spec.ts'

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
