import { notice } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { sh } from '../../lib/shell/sh.ts'
import { formatAge, formatBytes, parseBackupName } from './backup-name.ts'
import { programDir } from './paths.ts'
import { parseStatus, type RunStatus, statusScript } from './run-status.ts'

/** Output of a run: the age of the last good backup, and why there is no newer one. */
export function lastBackup(schedule: string): Resource {
  return notice({
    id: 'backups:last',
    reads: { last: lastRun },
    outputs: ({ last }) => ({ backups: outputOf(last, schedule) }),
  })
}

export function noBackups(): Resource {
  const outputs = () => ({ backups: 'none: backups.recipients is not set' })
  return notice({ id: 'backups:last', wants: 'none', reads: {}, outputs })
}

function outputOf({ status, now }: LastRun, schedule: string): readonly string[] {
  if (status === undefined)
    return [`none yet: cron takes one at "${schedule}"; to take one now: npx zx playbooks/backup.ts`]
  const { lastGood, bytes, result, at, reason, taken, warnings } = status
  if (at === '') return warnings
  return [
    lastGood === undefined
      ? 'no good one yet'
      : `last good one ${formatAge(now - (parseBackupName(lastGood)?.time ?? 0))} old (${lastGood}, ${formatBytes(bytes ?? 0)})`,
    ...(result === 'failed' ? [`FAILED at ${at}: ${reason}`] : []),
    ...(result === 'incomplete' ? [`FAILED in part at ${at}: ${reason}; the rest is in ${taken?.name}`] : []),
    ...(result === 'running' ? [`one is running since ${at}`] : []),
    ...warnings,
  ]
}

export interface LastRun {
  readonly status: RunStatus | undefined
  /** The clock of the host, in milliseconds since 1970. */
  readonly now: number
}

const kind: Kind<LastRun> = {
  name: 'backups',
  volatile: true,
  script: () => sh`date +%s; ${statusScript(`${programDir}/status.json`)}`,
  parse: oneValue((output) => {
    const end = output.indexOf('\n')
    return { now: Number(output.slice(0, end)) * 1000, status: parseStatus(output.slice(end + 1)) }
  }),
}

/** The last run on the host. */
export const lastRun: Reading<LastRun> = reading(kind, 'last')
