import * as v from 'valibot'

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const size = v.pipe(v.number(), v.integer(), v.minValue(0))
// It comes from a host and becomes a path here.
const fileName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9=_.-]*\.age$/))
const part = { file: fileName, size, sha256, encrypted: v.object({ size, sha256 }) }

/** A part that could not be taken, and why. */
export const lostSchema = v.object({
  kind: v.picklist(['database', 'globals', 'files']),
  database: v.optional(v.string()),
  file: fileName,
  reason: v.string(),
})

export type Lost = v.InferOutput<typeof lostSchema>

const manifestSchema = v.object({
  /** 2: something of it is missing. */
  format: v.picklist([1, 2], 'a format of another version of botgarden'),
  /** As the inventory names it. */
  host: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  /** The one database that it holds; null: all of the host. */
  only: v.nullable(v.string()),
  /** The version of the database server. */
  server: v.string(),
  recipients: v.array(v.string()),
  /** What seemed wrong with it when it was taken. */
  warnings: v.array(v.string()),
  parts: v.pipe(
    v.array(
      v.variant('kind', [
        v.object({
          ...part,
          kind: v.literal('database'),
          database: v.string(),
          owner: v.string(),
          /** Rows by table, quoted as SQL has it. */
          tables: v.record(v.string(), size),
        }),
        v.object({ ...part, kind: v.literal('globals') }),
        v.object({ ...part, kind: v.literal('files'), entries: size }),
      ]),
    ),
    v.minLength(1),
  ),
  failed: v.optional(v.array(lostSchema), []),
})

/** What a backup holds: sizes and checksums of each part as it was (`size`, `sha256`) and as it lies there (`encrypted`). */
export type Manifest = v.InferOutput<typeof manifestSchema>
export type Part = Manifest['parts'][number]

/** Throws an error that says what is wrong with it. */
export function parseManifest(text: string): Manifest {
  const manifest = v.parse(manifestSchema, JSON.parse(text))
  if ((manifest.format === 2) !== manifest.failed.length > 0) throw new Error('its format and what it lacks do not fit')
  const named = [...manifest.parts, ...manifest.failed]
  const missing = ['globals', 'files'].filter((kind) => !named.some((each) => each.kind === kind))
  if (manifest.only === null && missing.length > 0) throw new Error(`no ${missing.join(' and no ')} in it`)
  return manifest
}

/** The files of a backup besides its parts, as the host and the copies have them. */
export const ownFiles = ['manifest.json', 'SHA256SUMS'] as const

/** The names of the databases in a backup. */
export function databasesOf({ parts }: Manifest): string[] {
  return parts.flatMap((each) => (each.kind === 'database' ? [each.database] : []))
}

/** What a backup lacks since it could not be taken: the names of databases, `globals`, `files`. */
export function missingIn({ failed }: Manifest): string[] {
  return failed.map(nameOf)
}

/** What a part is called where people read of it. */
export function nameOf(part: Part | Lost): string {
  return part.kind === 'database' ? (part.database ?? part.file) : part.kind
}

/** The files that are there and those that could not be taken, by a manifest's text; undefined where that is of no use. */
export function filesIn(text: string): { there: string[]; failed: string[] } | undefined {
  try {
    const { parts, failed } = parseManifest(text)
    return { there: parts.map(({ file }) => file), failed: failed.map(({ file }) => file) }
  } catch {
    return undefined
  }
}
