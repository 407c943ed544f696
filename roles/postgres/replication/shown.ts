import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { parseReplication, type ReplicationState, tellReplication } from './state.ts'

/** What a pair is to be like, as the inventory says. */
export interface PairWanted {
  readonly is: 'primary' | 'standby'
  /** The name of the other host. */
  readonly other: string
  readonly synchronous: boolean
}

/** How far a standby may be behind before it is told: in bytes of WAL, and in seconds. */
export const mostBehind = { bytes: 64e6, seconds: 60 }

const kind: Kind<ReplicationState> = {
  name: 'replication',
  volatile: true,
  cost: 100,
  script: ([major = '']) => tellReplication(Number(major)),
  parse: oneValue(parseReplication),
}

/** What a server says of those that follow it, or of whom it follows. */
export function replicationReading(major: number): Reading<ReplicationState> {
  return reading(kind, String(major))
}

/** How far a pair is together, as one line. */
export function pairLine({ is, other }: PairWanted, server: ReplicationState['server']): string {
  if (server === undefined) return `${is} of the pair with ${other}: its server does not answer`
  if (server.inRecovery)
    return `follows ${other}${server.isReceiving ? (server.secondsBehind ? `, ${server.secondsBehind} s behind` : '') : ', which it does not reach'}`
  const { standby } = server
  if (standby === null) return `primary; the standby ${other} is not connected`
  const behind = standby.bytesBehind > 0 ? `${(standby.bytesBehind / 1e6).toFixed(1)} MB behind` : 'has all'
  return `primary; ${other} follows, ${behind}${standby.sync === 'sync' ? '; commits wait for it' : ''}`
}

/** What is wrong with a pair, a line each. */
export function pairFaults({ is, other, synchronous }: PairWanted, server: ReplicationState['server']): string[] {
  // A server that is down is told as such.
  if (server === undefined) return []
  if (server.inRecovery !== (is === 'standby'))
    return [`its server is ${server.inRecovery ? 'a standby' : 'a primary'}, and the inventory has it as the ${is}`]
  if (server.inRecovery) {
    if (!server.isReceiving) return [`its server does not reach its primary, ${other}`]
    return late(server.secondsBehind) ? [`its server is ${server.secondsBehind} s behind its primary, ${other}`] : []
  }
  const { standby, slot } = server
  if (slot?.status === 'lost')
    return [`the standby ${other} has missed more than is kept for it, and must be copied again`]
  if (standby === null)
    return [`the standby ${other} is not connected${server.synchronous ? ': every commit waits for it' : ''}`]
  return [
    ...(standby.bytesBehind > mostBehind.bytes || late(standby.secondsBehind)
      ? [`the standby ${other} is ${(standby.bytesBehind / 1e6).toFixed(0)} MB behind`]
      : []),
    ...(synchronous && !server.synchronous
      ? [`commits do not wait for the standby ${other}, as postgres.synchronous asks`]
      : []),
  ]
}

function late(seconds: number | null): boolean {
  return seconds !== null && seconds > mostBehind.seconds
}
