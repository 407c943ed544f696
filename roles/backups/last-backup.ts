import { notice } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, reading } from '../../lib/model/reading.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { sh } from '../../lib/shell/sh.ts'
import { parseName, shownAge, shownBytes } from './backup-name.ts'
import { programDir } from './paths.ts'
import { parseStatus, type Status, statusScript } from './run-status.ts'

/** What a run tells at its end: how old the last good backup is, and why there is no newer one. It changes nothing. */
export function toldBackups(schedule: string): Resource {
  return notice({
    id: 'backups:last',
    reads: { last: reading(kind, 'last') },
    outputs: ({ last }) => ({ backups: textOf(last, schedule) }),
  })
}

export function toldNone(): Resource {
  const outputs = () => ({ backups: 'none, since no recipient is set' })
  return notice({ id: 'backups:last', wants: 'none', reads: {}, outputs })
}

function textOf({ status, now }: Last, schedule: string): readonly string[] {
  if (status === undefined)
    return [`none yet: cron takes one at "${schedule}", and npx zx playbooks/backup.ts takes one now`]
  const { lastGood, bytes, result, at, reason, taken, warnings } = status
  if (at === '') return warnings
  return [
    lastGood === undefined
      ? 'no good one yet'
      : `last good one ${shownAge(now - (parseName(lastGood)?.time ?? 0))} old (${lastGood}, ${shownBytes(bytes ?? 0)})`,
    ...(result === 'failed' ? [`FAILED at ${at}: ${reason}`] : []),
    ...(result === 'incomplete' ? [`FAILED in part at ${at}: ${reason}; the rest is in ${taken?.name}`] : []),
    ...(result === 'running' ? [`one is under way since ${at}`] : []),
    ...warnings,
  ]
}

interface Last {
  readonly status: Status | undefined
  /** The host's clock, in milliseconds. */
  readonly now: number
}

const kind: Kind<Last> = {
  name: 'backups',
  volatile: true,
  script: () => sh`date +%s; ${statusScript(`${programDir}/status.json`)}`,
  parse: oneValue((output) => {
    const end = output.indexOf('\n')
    return { now: Number(output.slice(0, end)) * 1000, status: parseStatus(output.slice(end + 1)) }
  }),
}
