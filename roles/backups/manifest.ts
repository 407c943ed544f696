import * as v from 'valibot'
import { databaseName } from '../../lib/platform/database-name.ts'

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const size = v.pipe(v.number(), v.integer(), v.minValue(0))
// Strict, since it comes from a host and becomes a path on this machine.
const fileName = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9=_.-]*\.age$/))
/** The name of a database or a role: up to 63 bytes of anything printable. */
const plainName = v.pipe(
  v.string(),
  v.regex(/^[^\p{C}]+$/u, 'a name without control characters'),
  v.check((name) => Buffer.byteLength(name) <= 63, 'a name of at most 63 bytes'),
)
/** Predefined roles have more rights than an owner may have. PostgreSQL reserves their names. */
const owner = v.pipe(
  plainName,
  v.check((name) => !/^(pg_|public$|none$)/i.test(name), 'an owner that is not a predefined role'),
)
/** The name of a bot, which becomes a part of paths. */
const botName = v.pipe(v.string(), v.maxLength(32), v.regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'the name of a bot'))
/** Lasting files: `content` is a checksum of the paths, modes and contents of all. */
const lasting = { bot: botName, entries: size, content: sha256 }
const part = { file: fileName, size, sha256, encrypted: v.object({ size, sha256 }) }

/** A part that could not be taken, and why. */
export const lostPartSchema = v.object({
  kind: v.picklist(['database', 'globals', 'files', 'data', 'cache']),
  database: v.optional(v.string()),
  bot: v.optional(v.string()),
  file: fileName,
  reason: v.string(),
})

export type LostPart = v.InferOutput<typeof lostPartSchema>

const manifestSchema = v.object({
  /** 1: complete. 2: some parts are missing. */
  format: v.picklist([1, 2], 'a format of another version of botgarden'),
  /** The name of the host in the inventory. */
  host: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  /** The one database in it; null for a backup of the whole host. */
  only: v.nullable(plainName),
  /** The version of the database server. */
  server: v.string(),
  recipients: v.array(v.string()),
  /** Warnings from when it was taken. */
  warnings: v.array(v.string()),
  parts: v.pipe(
    v.array(
      v.variant('kind', [
        v.object({
          ...part,
          kind: v.literal('database'),
          database: plainName,
          owner,
          /** Number of rows by table, whose name is quoted as in SQL. */
          tables: v.record(v.string(), size),
        }),
        v.object({ ...part, kind: v.literal('globals') }),
        v.object({ ...part, kind: v.literal('files'), entries: size }),
        v.object({ ...part, ...lasting, kind: v.literal('data') }),
        v.object({ ...part, ...lasting, kind: v.literal('cache') }),
      ]),
    ),
    v.minLength(1),
  ),
  failed: v.optional(v.array(lostPartSchema), []),
})

/** The parts of a backup, each with size in bytes and SHA-256, of its content and of its file (`encrypted`). */
export type BackupManifest = v.InferOutput<typeof manifestSchema>
export type BackupPart = BackupManifest['parts'][number]
export type LastingPart = Extract<BackupPart, { kind: 'data' | 'cache' }>

/** Throws an `Error` that says what is wrong with the manifest. */
export function parseManifest(text: string): BackupManifest {
  const manifest = v.parse(manifestSchema, parseJson(text))
  const { only, parts, failed, format } = manifest
  if ((format === 2) !== failed.length > 0) throw new Error('its format contradicts its list of failed parts')
  const missing = ['globals', 'files'].filter((kind) => ![...parts, ...failed].some((each) => each.kind === kind))
  if (only === null && missing.length > 0) throw new Error(`has no ${missing.join(' and no ')}`)
  if (only !== null && parts.some((each) => subjectOf(each) !== only))
    throw new Error(`should contain only the database ${only}, and the data of its bot`)
  const misnamed = parts.find((each) => each.file !== expectedFile(each))
  if (misnamed) throw new Error(`${misnamed.file}: should be named ${expectedFile(misnamed)}`)
  const twice = parts.find(({ file }, i) => parts.findIndex((each) => each.file === file) !== i)
  if (twice) throw new Error(`${twice.file}: is listed twice`)
  return manifest
}

/** The files of a backup besides its parts, as the host and the copies have them. */
export const metadataFiles = ['manifest.json', 'SHA256SUMS'] as const

/** The signature of SHA256SUMS, which has the checksums of the manifest and the parts. */
export const signatureFile = 'SHA256SUMS.sig'

/** The names of the databases in a backup. */
export function databasesOf({ parts }: BackupManifest): string[] {
  return parts.flatMap((each) => (each.kind === 'database' ? [each.database] : []))
}

/** The name that a database, and the data of a bot, are restored by: that of the database; undefined for other parts. */
export function subjectOf(part: BackupPart | LostPart): string | undefined {
  if (part.kind === 'data' || part.kind === 'cache') return databaseName(part.bot ?? '')
  return part.kind === 'database' ? part.database : undefined
}

/** The parts with lasting files of bots, and of their caches. */
export function lastingParts({ parts }: BackupManifest): LastingPart[] {
  return parts.flatMap((part) => (part.kind === 'data' || part.kind === 'cache' ? [part] : []))
}

/** The parts that are missing from a backup: names of databases, `data of BOT`, `cache of BOT`, `globals`, `files`. */
export function missingParts({ failed }: BackupManifest): string[] {
  return failed.map(partName)
}

/** The name of a part in messages. */
export function partName(part: BackupPart | LostPart): string {
  if (part.kind === 'data' || part.kind === 'cache') return `${part.kind} of ${part.bot ?? part.file}`
  return part.kind === 'database' ? (part.database ?? part.file) : part.kind
}

/** The files of the parts that a manifest lists, and of those that failed; undefined where the manifest is not valid. */
export function partFiles(text: string): { there: string[]; failed: string[] } | undefined {
  try {
    const { parts, failed } = parseManifest(text)
    return { there: parts.map(({ file }) => file), failed: failed.map(({ file }) => file) }
  } catch {
    return undefined
  }
}

/** The file name that the host gives a part. */
function expectedFile(part: BackupPart): string {
  if (part.kind === 'data' || part.kind === 'cache') return `${part.kind}-${part.bot}.tar.age`
  if (part.kind !== 'database') return part.kind === 'globals' ? 'globals.sql.age' : 'files.tar.age'
  const { database } = part
  return `database-${/^[A-Za-z0-9_]+$/.test(database) ? database : `=${Buffer.from(database).toString('hex')}`}.dump.age`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error('is not valid JSON', { cause: error })
  }
}
