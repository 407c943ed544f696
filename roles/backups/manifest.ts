import * as v from 'valibot'

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const size = v.pipe(v.number(), v.integer(), v.minValue(0))
// It comes from a host and becomes a path here.
const fileName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9=_.-]*\.age$/))
/** A name in the database server. An operator's own may be anything that prints. */
const plainName = v.pipe(
  v.string(),
  v.regex(/^[^\p{C}]+$/u, 'a name without control characters'),
  v.check((name) => Buffer.byteLength(name) <= 63, 'a name of at most 63 bytes'),
)
/** The server's predefined roles may do more than any owner; it lets nobody take such a name. */
const owner = v.pipe(
  plainName,
  v.check((name) => !/^(pg_|public$|none$)/i.test(name), 'an owner that is no predefined role'),
)
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
  only: v.nullable(plainName),
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
          database: plainName,
          owner,
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
  const manifest = v.parse(manifestSchema, jsonOf(text))
  const { only, parts, failed, format } = manifest
  if ((format === 2) !== failed.length > 0) throw new Error('its format and what it lacks do not fit')
  const missing = ['globals', 'files'].filter((kind) => ![...parts, ...failed].some((each) => each.kind === kind))
  if (only === null && missing.length > 0) throw new Error(`no ${missing.join(' and no ')} in it`)
  if (only !== null && (parts.length !== 1 || databasesOf(manifest)[0] !== only))
    throw new Error(`should hold the database ${only} and nothing else`)
  const misnamed = parts.find((each) => each.file !== fileOf(each))
  if (misnamed) throw new Error(`${misnamed.file}: should be called ${fileOf(misnamed)}`)
  const twice = parts.find(({ file }, i) => parts.findIndex((each) => each.file === file) !== i)
  if (twice) throw new Error(`${twice.file}: is in it twice`)
  return manifest
}

/** The files of a backup besides its parts, as the host and the copies have them. */
export const metadataFiles = ['manifest.json', 'SHA256SUMS'] as const

/** The signature of SHA256SUMS, which has the manifest and the parts. */
export const signatureFile = 'SHA256SUMS.sig'

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

/** What the host calls a part. */
function fileOf(part: Part): string {
  if (part.kind !== 'database') return part.kind === 'globals' ? 'globals.sql.age' : 'files.tar.age'
  const { database } = part
  return `database-${/^[A-Za-z0-9_]+$/.test(database) ? database : `=${Buffer.from(database).toString('hex')}`}.dump.age`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error('is no JSON', { cause: error })
  }
}
