import { HostError } from '../std/errors.ts'
import type { Facts } from './facts.ts'
import type { Reading } from './reading.ts'
import {
  type Change,
  type Guard,
  type Outputs,
  type Read,
  type Resource,
  resource,
  type StatesOf,
  statesOf,
} from './resource.ts'

/** The resource where `isWanted` says so of what these readings found; elsewhere nothing of it is planned. */
export function when(reads: readonly Reading[], isWanted: (read: Read) => boolean, inner: Resource): Resource {
  return {
    ...inner,
    reads: [...inner.reads, ...reads],
    plan: (read) => (isWanted(read) ? inner.plan(read) : []),
  }
}

/** The resource; where `reason` returns one, its plan throws a `HostError` with it. */
export function refuseWhen(
  reads: readonly Reading[],
  reason: (read: Read) => string | undefined,
  inner: Resource,
): Resource {
  const isAccepted = (read: Read) => {
    const found = reason(read)
    if (found !== undefined) throw new HostError(found)
    return true
  }
  return when(reads, isAccepted, inner)
}

/** A resource that changes nothing: what these readings found is among a run's outputs. */
export function notice<R extends Record<string, Reading>>(definition: {
  id: string
  wants?: unknown
  reads: R
  outputs: (state: StatesOf<R>) => Outputs
}): Resource {
  const { id, wants = 'told', reads, outputs } = definition
  return {
    ...resource({ id, wants, reads, plan: () => [] }),
    outputs: (read) => outputs(statesOf(reads, read)),
  }
}

/** The resource with each of its changes as `map` makes it. */
export function mapChanges(inner: Resource, map: (change: Change, read: Read) => Change): Resource {
  return { ...inner, plan: (read) => inner.plan(read).map((change) => map(change, read)) }
}

/** A resource whose changes are guarded. */
export function guarded(inner: Resource, guard: Guard): Resource {
  return mapChanges(inner, (change) => ({ ...change, guard }))
}

/** A resource of the machine's own: in a container it belongs to the machine below, and is neither read nor changed. */
export function notInContainer(inner: Resource, { container }: Pick<Facts, 'container'>): Resource {
  if (container === '') return inner
  const unmanageable = `belongs to the machine that runs this ${container} container`
  return { ...inner, reads: [], plan: () => [], unmanageable }
}

/**
 * A resource that `make` makes from what was read. It must have one id and the same readings for any state: they are those
 * of the sample.
 */
export function fromReading<S>(reading: Reading<S>, sample: S, make: (state: S) => Resource): Resource {
  const shape = make(sample)
  return { ...shape, reads: [...shape.reads, reading], plan: (read) => make(read(reading)).plan(read) }
}
