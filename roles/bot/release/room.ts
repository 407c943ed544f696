import { HostError } from '../../../lib/std/errors.ts'
import { hasOneWriter } from '../data/layout.ts'
import { type Limits, limitsOfProcess } from '../spec/limits.ts'
import type { Spec } from '../spec/spec.ts'
import type { FreeCapacity } from './free-capacity.ts'
import { stopsFirst } from './stops-first.ts'

/**
 * Memory in MiB that a release needs: two versions run at the same time, but for those of which the old one stops first. A cache
 * that the current version does not have comes with it.
 */
export function neededMB(spec: Spec, limits: Limits, hasOld: boolean, current: Spec | undefined): number {
  const cache = current?.cache === undefined ? cacheMB(spec) : 0
  const alone = stopsFirst(spec, undefined) && hasOld
  const processes = Object.entries(spec.processes ?? {}).filter(
    ([name, { single }]) =>
      !(hasOld && current?.processes?.[name] && (single || spec.mode === 'polling' || hasOneWriter(spec))),
  )
  const started =
    processesMB(
      limits,
      processes.map(([name]) => name),
    ) + (alone ? 0 : limits.memoryMB)
  // What starts uses much less than its limit: half of the limit must be free.
  return cache + started / 2
}

function processesMB(limits: Limits, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + limitsOfProcess(limits, name).memoryMB, 0)
}

function cacheMB({ cache }: Spec): number {
  return cache?.memoryMB ?? 0
}

/** Throws a `HostError` where a host has too little memory or disk for a release. */
export function refuseInsufficientCapacity(
  bot: string,
  spec: Spec,
  limits: Limits,
  hasOld: boolean,
  current: Spec | undefined,
  free: FreeCapacity,
): void {
  const names = Object.keys(spec.processes ?? {})
  const memoryMB = limits.memoryMB + cacheMB(spec) + processesMB(limits, names)
  const others = [...(names.length > 0 ? ['processes'] : []), ...(spec.cache ? ['cache'] : [])]
  const who = `bot ${bot}${others.length > 0 ? ` with its ${others.join(' and ')}` : ''}`
  if (memoryMB > free.totalMB)
    throw new HostError(
      `${who} may use ${memoryMB} MiB of memory, and this host has ${free.totalMB} MiB in total: lower its "memory:"`,
    )
  if (free.memoryMB < neededMB(spec, limits, hasOld, current))
    throw new HostError(
      `${who} may use ${memoryMB} MiB of memory, and only ${free.memoryMB} MiB are free${hasOld ? ' beside the current version' : ''}: lower its "memory:", or add memory to the host`,
    )
  if (free.diskMB < 300)
    throw new HostError(`only ${free.diskMB} MiB of disk are free on this host: a release needs 300 MiB`)
}
