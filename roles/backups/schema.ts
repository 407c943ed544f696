import * as v from 'valibot'
import { cronSchedule } from '../../lib/resources/cron.ts'
import { recipient } from './recipients.ts'

const count = (most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most), v.description(`a number from 1 to ${most}`))
const line = v.pipe(v.string(), v.regex(/^[^\r\n]+$/, 'one line'))

export const vars = v.strictObject({
  /** Whose keys open the backups: `age1…` as age-keygen prints it, or a file of such, by its path from this checkout. */
  recipients: v.optional(
    v.pipe(v.array(recipient), v.minLength(1, 'at least one: nothing is ever written that is not encrypted')),
  ),
  /** When the host takes one by itself, in its own time. Left out: 17 3 * * *. */
  schedule: v.optional(cronSchedule),
  /** How many days, weeks and months that have a backup keep their newest one, on the host and beside the operator. */
  keep: v.optional(
    v.strictObject({
      daily: v.optional(count(1000), 7),
      weekly: v.optional(count(1000), 5),
      monthly: v.optional(count(1000), 6),
    }),
  ),
  /** Percent of the disk that must be free for a backup to begin. Left out: 15. */
  minFree: v.optional(count(90)),
  /** How many seconds one may take. Left out: 7200. */
  timeLimit: v.optional(count(86_400)),
  /** Who is told of a failure, by a line on stdin of a command for sh, or as the body of a POST; on whichever side it is found. */
  alert: v.optional(
    v.strictObject({
      command: v.optional(line),
      url: v.optional(v.pipe(v.string(), v.regex(/^https?:\/\/[^\s"\\]+$/))),
    }),
  ),
  /** Where the operator's copies are, a folder a host, by its path from this checkout. Left out: backups. */
  local: v.optional(v.pipe(v.string(), v.nonEmpty())),
  /** The fingerprint of the key that a host signs its backups by. Left out: the one that backup.ts met first. */
  signer: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^SHA256:[A-Za-z0-9+/]{43}$/),
      v.description('SHA256:…, as backup.ts and ssh-keygen -lf show it'),
    ),
  ),
  /** A repository of restic's that the operator's copies are pushed to; its password as restic wants it. */
  offsite: v.optional(
    v.strictObject({ restic: line, passwordFile: v.optional(line), passwordCommand: v.optional(line) }),
  ),
})

export type BackupsVars = v.InferOutput<typeof vars>
