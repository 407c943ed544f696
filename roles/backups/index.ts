import { dirname } from 'node:path'
import * as v from 'valibot'
import { becomes } from '../../lib/model/resource.ts'
import { role } from '../../lib/model/role.ts'
import { cron, cronSchedule, noCron } from '../../lib/resources/cron.ts'
import { directory } from '../../lib/resources/file.ts'
import { generatedFile } from '../../lib/resources/generated-secret.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { runningUnit, unit, unitState } from '../../lib/resources/unit.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { program } from './host-program.ts'
import { toldBackups, toldNone } from './last-backup.ts'
import { home, signingKey, store } from './paths.ts'
import { recipient } from './recipients.ts'
import { missingRecipients, settingsOf } from './settings.ts'

const count = (most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most), v.description(`a number from 1 to ${most}`))
const line = v.pipe(v.string(), v.regex(/^[^\r\n]+$/, 'one line'))

const vars = v.strictObject({
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

/** Every night all databases, secrets and certificates, proved and encrypted: the host itself cannot read them any more. */
export const backups = role(
  'backups',
  vars,
  (wanted, _facts, { name }) => {
    if (wanted.recipients === undefined) return [noCron('backups'), toldNone()]
    const { schedule } = settingsOf(wanted)
    return [
      ...['age', 'jq', ...(wanted.alert?.url === undefined ? [] : ['curl'])].map((each) => aptPackage(each)),
      aptPackage('cron', [becomes(unitState('cron.service'), runningUnit)]),
      unit('cron.service', 'running'),
      ...['/opt/botgarden', home].map((each) => directory(each)),
      directory('/var/lib/botgarden', { mode: '0700' }),
      directory(store, { mode: '0700' }),
      ...['/etc/botgarden', dirname(signingKey)].map((each) => directory(each, { mode: '0700' })),
      generatedFile(signingKey, keyPair),
      ...program(settingsOf(wanted), name, wanted.recipients),
      cron('backups', { schedule, command: `${home}/backup 2>&1 | logger -t botgarden-backup` }),
      toldBackups(schedule),
    ]
  },
  (wanted) => (Object.keys(wanted).length > 0 && wanted.recipients === undefined ? [missingRecipients] : []),
)

/** A key by which backups are signed; its public half can be had from it at any time. */
function keyPair(candidate: string): Script {
  return sh`
    rm -f ${candidate} ${`${candidate}.pub`}
    ssh-keygen -q -t ed25519 -N '' -C botgarden-backup -f ${candidate} </dev/null
    rm -f ${`${candidate}.pub`}`
}
