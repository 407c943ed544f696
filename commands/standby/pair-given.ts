import type { Source } from '../../roles/postgres/replication/pair.ts'
import { sizeFor } from '../../roles/postgres/sizes.ts'
import type { Answer } from './ask.ts'

/** The connections of the host that has more of them, or what they have while one cannot be asked. */
export function connectionsOf(answers: readonly (Answer | undefined)[]): number {
  const known = answers.flatMap((each) => each ?? [])
  const sizes = known.map(({ memoryMiB }) => sizeFor(memoryMiB).connections)
  const running = known.length < answers.length ? known.map(({ server }) => server?.maxConnections ?? 0) : []
  return Math.max(0, ...sizes, ...running)
}

/** What the standby has to know of its primary; undefined where that could not be asked. */
export function sourceOf(answer: Answer | undefined, isRecorded: boolean): Source | undefined {
  if (answer === undefined) return undefined
  const { data, server, superuser, password, askedAt } = answer
  return {
    askedAt,
    cluster: data === 'none' ? undefined : data.cluster,
    bytes: server?.bytes ?? 0,
    slot: server?.slot === undefined ? 'kept' : slotOf(server.slot),
    ...{ superuser, password, isRecorded },
  }
}

function slotOf(slot: NonNullable<Answer['server']>['slot']): Source['slot'] {
  if (slot === null) return 'none'
  return slot.status === 'lost' ? 'lost' : 'kept'
}
