import { isDeepStrictEqual } from 'node:util'
import { type Reading, type State, Untold } from '../model/reading.ts'
import { type Change, knownAfterApply, type Outputs, type Read, type Resource } from '../model/resource.ts'
import { HostError } from '../std/errors.ts'

/** What a run would do about one resource. */
export type ResourcePlan = { readonly resource: Resource } & (
  | { readonly status: 'ok' }
  /** It needs no changes of its own: those of `cause` will also make it as wanted. */
  | { readonly status: 'comes-with'; readonly cause: string }
  | { readonly status: 'change'; readonly changes: readonly Change[] }
  /** Not as wanted now; what is left to do is known only after `cause`. */
  | { readonly status: 'unknown'; readonly cause: string }
)

export interface PlannedChange {
  readonly id: string
  readonly change: Change
}

/** A state that is known only after this change. A class, so that no state from a host can be taken for it. */
class Unknown {
  readonly after: string

  constructor(after: string) {
    this.after = after
  }
}

/**
 * Plans every resource in order, each against the state as the changes before it will leave it. Pure: the same
 * function decides in a check and in an apply, and an empty result means «as wanted».
 */
export function planAll(resources: readonly Resource[], state: State): ResourcePlan[] {
  const expected = new Map<string, unknown>(state)
  const causes = new Map<string, string>()

  return resources.map((resource): ResourcePlan => {
    const unknown = resource.reads.map(({ key }) => expected.get(key)).find((each) => each instanceof Unknown)
    if (unknown) {
      const changed = resource.reads.some(({ key }) => causes.has(key) && !(expected.get(key) instanceof Unknown))
      if (!changed && asWanted(resource, state)) return { resource, status: 'ok' }
      for (const { key } of predictionsNow(resource, state)) expected.set(key, unknown)
      return { resource, status: 'unknown', cause: unknown.after }
    }
    const changes = planOn(resource, expected)
    for (const prediction of changes.flatMap((change) => change.predicts ?? [])) {
      if (!state.has(prediction.key)) continue // nothing reads it
      const before = expected.get(prediction.key)
      const after =
        'unknownUntilApply' in prediction
          ? knownAfterApply
          : before instanceof Unknown || before instanceof Untold
            ? before
            : prediction.after(before, readerOf(resource, expected))
      if (!isDeepStrictEqual(after, before)) causes.set(prediction.key, resource.id)
      expected.set(prediction.key, after === knownAfterApply ? new Unknown(resource.id) : after)
    }
    if (changes.length > 0) {
      for (const [key, value] of expected)
        if (value instanceof Untold && value.until === resource.id) expected.set(key, new Unknown(resource.id))
      return { resource, status: 'change', changes }
    }
    // Only where the thing itself changes: one that was right from the start is not changed.
    const cause = causes.get(resource.reads[0]?.key ?? '')
    return cause === undefined || asWanted(resource, state)
      ? { resource, status: 'ok' }
      : { resource, status: 'comes-with', cause }
  })
}

/**
 * What can be applied now: everything in order up to the first resource that must be read again before. Guarded changes
 * are a stage of their own, so that they are confirmed before anything else takes time.
 */
export function nextStage(planned: readonly ResourcePlan[]): PlannedChange[] {
  const firstUnknown = planned.findIndex(({ status }) => status === 'unknown')
  const changes = allChanges(planned.slice(0, firstUnknown < 0 ? undefined : firstUnknown))
  const isGuarded = ({ change }: PlannedChange) => change.guard !== undefined
  const first = changes[0]
  const end = first ? changes.findIndex((each) => isGuarded(each) !== isGuarded(first)) : -1
  return end < 0 ? changes : changes.slice(0, end)
}

/** Every change that is known now, in order. */
export function allChanges(planned: readonly ResourcePlan[]): PlannedChange[] {
  return planned.flatMap((each) =>
    each.status === 'change' ? each.changes.map((change) => ({ id: each.resource.id, change })) : [],
  )
}

/** The outputs of the resources in this state, by name. */
export function outputsOf(resources: readonly Resource[], state: State): Outputs {
  return Object.assign({}, ...resources.map((resource) => toldBy(resource, state)))
}

function toldBy(resource: Resource, state: State): Outputs {
  return (isTold(resource, state) && resource.outputs?.(readerOf(resource, state))) || {}
}

/** All that it reads was answered. */
function isTold({ reads }: Resource, state: State): boolean {
  return reads.every(({ key }) => !(state.get(key) instanceof Untold))
}

/** The faults of this state that no change of the plan repairs. */
export function faultOf(planned: readonly ResourcePlan[], state: State): HostError | undefined {
  const left = planned.filter(({ status, resource }) => status !== 'change' && isTold(resource, state))
  const faults = left.flatMap(({ resource }) => resource.fault?.(readerOf(resource, state)) ?? [])
  return faults.length === 0 ? undefined : new HostError(faults.join('\n'))
}

function asWanted(resource: Resource, state: State): boolean {
  try {
    return planOn(resource, state).length === 0
  } catch (error) {
    // It cannot be reached from this state; an earlier change may make it reachable.
    if (error instanceof HostError) return false
    throw error
  }
}

function predictionsNow(resource: Resource, state: State) {
  try {
    return planOn(resource, state).flatMap((change) => change.predicts ?? [])
  } catch (error) {
    if (error instanceof HostError) return []
    throw error
  }
}

function planOn(resource: Resource, state: State): readonly Change[] {
  try {
    return resource.plan(readerOf(resource, state))
  } catch (error) {
    if (error instanceof HostError) error.id ??= resource.id
    throw error
  }
}

function readerOf({ id }: Resource, state: State): Read {
  return <S>({ key }: Reading<S>) => {
    if (!state.has(key)) throw new Error(`${id} plans on ${key}, which no resource says it reads`)
    const value = state.get(key)
    if (value instanceof Untold) throw new HostError(value.why)
    return value as S
  }
}
