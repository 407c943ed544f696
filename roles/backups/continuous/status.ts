import * as v from 'valibot'
import { notice } from '../../../lib/model/combinators.ts'
import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { formatAge, formatBytes } from '../backup-name.ts'
import type { Continuous } from '../backup-settings.ts'
import { parseArchiveTime } from './names.ts'
import { archiveIdentity } from './program.ts'

const seconds = v.nullable(v.number())
const schema = v.object({
  format: v.literal(1),
  /** When the last run began, and until when all that was committed is stored, in seconds since 1970. */
  at: v.number(),
  through: seconds,
  chain: v.string(),
  /** Why the last run did not archive all. */
  fault: v.string(),
  /** Since when something is missing, and why, until a new base is there: `SECONDS REASON`. */
  gap: v.string(),
  /** A gap that a base has closed in the last minutes, in the same form. */
  closed: v.string(),
  /** The file of the oldest base that nothing is missing after, and of the oldest one. */
  first: v.string(),
  oldest: v.string(),
  base: v.object({ at: seconds, bytes: v.nullable(v.number()), fault: v.string() }),
  bytes: v.nullable(v.number()),
  /** What waits to be sent away, where it is sent. */
  sent: v.optional(v.object({ waiting: v.nullable(v.number()), since: seconds, fault: v.string() })),
})

/** The record of the last run of the archive's program. */
export type ArchiveStatus = v.InferOutput<typeof schema>

export interface ArchiveState {
  /** The clock of the host, in seconds since 1970. */
  readonly now: number
  /** Undefined where there was no run since the boot, or its record cannot be read. */
  readonly status: ArchiveStatus | undefined
  /** The public half of the key that it is sent away with; '' where there is none. */
  readonly key: string
}

/** In seconds: how old what is archived may be before it is told. A run comes each half minute. */
export const archiveLag = 180

/** What is wrong with an archive, a line each. */
export function archiveFaults({ now, status }: ArchiveState): string[] {
  if (status === undefined) return ['nothing is known of the archive of WAL: its program has not run since the boot']
  const { at, through, fault, gap, base, sent } = status
  const age = (since: number) => formatAge((now - since) * 1000)
  const [, since = '0', reason = ''] = /^(\d+) (.*)$/s.exec(gap) ?? []
  return [
    ...(now - at > archiveLag
      ? [`the archive of WAL was last tended ${age(at)} ago: systemctl status botgarden-archive.timer`]
      : []),
    ...(fault === '' ? [] : [`the archive of WAL: ${fault}`]),
    ...(through !== null && now - through > archiveLag ? [`the archive of WAL ends ${age(through)} ago`] : []),
    ...(gap === ''
      ? []
      : [
          `the archive of WAL has a gap${since === '0' ? '' : ` since ${isoOf(Number(since))}`}: ${reason}; a new base closes it`,
        ]),
    ...(base.fault === '' ? [] : [`the base of the archive could not be taken: ${base.fault}`]),
    ...(sent?.since && now - sent.since > archiveLag
      ? [
          `the archive of WAL has not left the host since ${isoOf(sent.since)}: ${sent.fault || `${sent.waiting} files wait`}`,
        ]
      : []),
  ]
}

/** What an archive holds, as one line. */
export function archiveLine({ now, status }: ArchiveState): string {
  if (status === undefined) return 'not yet'
  const { through, base, bytes, sent } = status
  const [first, oldest] = [timeOfBase(status.first), timeOfBase(status.oldest)]
  if (first === undefined) return 'the first base is being taken'
  return [
    `any second since ${isoOf(first / 1000)}${through === null ? '' : `, until ${formatAge((now - through) * 1000)} ago`}`,
    ...(oldest === undefined || oldest === first ? [] : [`with gaps since ${isoOf(oldest / 1000)}`]),
    ...(base.at === null ? [] : [`base ${formatAge((now - base.at) * 1000)} old, ${formatBytes(base.bytes ?? 0)}`]),
    ...(bytes === null ? [] : [`${formatBytes(bytes)} in all`]),
    ...(sent === undefined ? ['not sent away: backup.ts pulls it'] : []),
  ].join('; ')
}

function timeOfBase(file: string): number | undefined {
  return parseArchiveTime(/^base-(\d{8}T\d{6}Z)/.exec(file)?.[1] ?? '')
}

export function isoOf(secondsSince1970: number): string {
  return `${new Date(secondsSince1970 * 1000).toISOString().slice(0, 19)}Z`
}

/** Shell text: prints what `parseArchiveState` reads. */
export const archiveStateScript: Script = sh`
  date +%s
  ssh-keygen -y -P '' -f ${archiveIdentity} </dev/null 2>/dev/null || echo
  cat /run/botgarden/archive/status.json 2>/dev/null || :`

export function parseArchiveState(output: string): ArchiveState {
  const [now = '', key = '', ...rest] = output.split('\n')
  return { now: Number(now), key: key.trim(), status: parseStatus(rest.join('\n')) }
}

function parseStatus(text: string): ArchiveStatus | undefined {
  try {
    return v.parse(schema, JSON.parse(text))
  } catch {
    return undefined
  }
}

const kind: Kind<ArchiveState> = {
  name: 'archive',
  volatile: true,
  script: () => archiveStateScript,
  parse: oneValue(parseArchiveState),
}

/** The archive on the host. */
export const archiveReading: Reading<ArchiveState> = reading(kind, 'status')

/** Outputs of a run: what is archived, what is wrong with it, and whom the other end must let in. */
export function archiveNotice({ to, days }: Continuous): Resource {
  return notice({
    id: 'archive:status',
    wants: { to, days },
    reads: { state: archiveReading },
    outputs: ({ state }) => ({
      archive: [archiveLine(state), ...(state.status === undefined ? [] : archiveFaults(state))],
      ...(to !== undefined &&
        state.key !== '' && {
          archiveKey: `for ~/.ssh/authorized_keys of ${to.ssh}: restrict,command="sh receive.sh archive ${days}" ${state.key}`,
        }),
    }),
  })
}
