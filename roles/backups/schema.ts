import * as v from 'valibot'
import { cronSchedule } from '../../lib/resources/cron.ts'
import { recipient } from './recipients.ts'

const count = (most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most), v.description(`a number from 1 to ${most}`))
const line = v.pipe(v.string(), v.regex(/^[^\r\n]+$/, 'one line'))

const continuous = v.strictObject({
  /** For how many days any second can be brought back, on the host and on the operator's machine. Left out: 7. */
  days: v.optional(count(366)),
  /** Where it is sent as well, within a minute: an account of another machine, with receive.sh as its forced command. Left out: it is pulled by backup.ts alone. */
  to: v.optional(
    v.strictObject({
      /** USER@HOST. */
      ssh: v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_-]*@[A-Za-z0-9][A-Za-z0-9.:-]*$/, 'USER@HOST')),
      /** Left out: 22. */
      port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
      /** Its host key, as a line of known_hosts has it, without the name: `ssh-ed25519 AAAA…`. */
      hostKey: v.pipe(
        v.string(),
        v.regex(/^(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) [A-Za-z0-9+/]+=*$/, 'a host key: ssh-ed25519 AAAA…'),
      ),
    }),
  ),
})

export const vars = v.strictObject({
  /** Public keys of those who can open the backups: `age1…` as age-keygen prints it, or a file of such, by its path. Relative ones start at the folder of the inventory, or at this checkout. */
  recipients: v.optional(v.pipe(v.array(recipient), v.minLength(1, 'at least one: backups are always encrypted'))),
  /** When cron on the host takes a backup, in its time zone. Left out: 17 3 * * *. */
  schedule: v.optional(cronSchedule),
  /** For how many days, weeks and months the newest backup is kept, on the host and on the operator's machine. */
  keep: v.optional(
    v.strictObject({
      daily: v.optional(count(1000), 7),
      weekly: v.optional(count(1000), 5),
      monthly: v.optional(count(1000), 6),
    }),
  ),
  /** Every change of the databases is archived as it is made, so that a bot can be brought back to any second. Needs one restart of PostgreSQL. */
  continuous: v.optional(v.union([v.boolean(), continuous])),
  /** Percent of the disk that must stay free. Left out: 15. */
  minFree: v.optional(count(90)),
  /** Seconds that a backup may take. Left out: 7200. */
  timeLimit: v.optional(count(86_400)),
  /** Who is alerted of a failure, by the host or by this machine: the text goes to the stdin of a shell command, or is the body of a POST. */
  alert: v.optional(
    v.strictObject({
      command: v.optional(line),
      url: v.optional(v.pipe(v.string(), v.regex(/^https?:\/\/[^\s"\\]+$/))),
    }),
  ),
  /** The folder of the operator's copies, by its path. Left out: backups. */
  local: v.optional(v.pipe(v.string(), v.nonEmpty())),
  /** The fingerprint of the key that signs the backups of a host. Left out: the one that backup.ts got first. */
  signer: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^SHA256:[A-Za-z0-9+/]{43}$/),
      v.description('SHA256:…, as backup.ts and ssh-keygen -lf show it'),
    ),
  ),
  /** A restic repository that the operator's copies are pushed to, and the source of its password. */
  offsite: v.optional(
    v.strictObject({ restic: line, passwordFile: v.optional(line), passwordCommand: v.optional(line) }),
  ),
})

export type BackupsVars = v.InferOutput<typeof vars>
