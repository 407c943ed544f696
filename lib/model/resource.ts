import type { Script } from '../shell/sh.ts'
import type { Reading } from './reading.ts'

/** One piece of a host's wanted state. It runs nothing. */
export interface Resource {
  /** `KIND:NAME`, as people read it in a report; the same id twice must want the same. */
  readonly id: string
  /** The line of the role that declared it: `roles/docker/index.ts:48`. */
  declared?(): string | undefined
  /** Plain data that says what is wanted: two resources of one id are compared by it. */
  readonly wants: unknown
  /** The first is the thing itself, the others what it depends on. */
  readonly reads: readonly Reading[]
  /** The changes still needed, none when all is as wanted. Throws a `HostError` where no change could get there. */
  plan(read: Read): readonly Change[]
  /** Why this host cannot be asked for it: then it is reported, and neither read nor touched. */
  readonly unmanageable?: string
  /** Comes right behind the first one of this group, however late its role stands: all packages are one transaction. */
  readonly joins?: string
  /** Comes after everything that any role wants, however early it is asked for: a reload of what others write. */
  readonly runsLast?: boolean
  /** Comes right behind the resource of this id, however late that runs. */
  readonly follows?: string
  /** The file on the host with a secret that the operator may ask for. */
  readonly credential?: string
  /** A fault that only the operator can repair. The rest goes on without it, and the run ends with it as an error. */
  fault?(read: Read): string | undefined
  /** What waits for the operator, by name: shown among a run's outputs. */
  outputs?(read: Read): Outputs
}

/** What a run reports besides its changes: `heldUpdates`, `pendingReboot`. */
export type Outputs = Readonly<Record<string, string | readonly string[]>>

/** Looks a reading up in the state that a plan is made on. */
export type Read = <S>(reading: Reading<S>) => S

/** One change of a host, as data: nothing runs until apply compiles it. */
export interface Change {
  /** What changes, in a few words that go on after the id: `install`, `mode 0600 → 0644`. */
  readonly summary: string
  readonly script: Script
  /** Called only where the diff is shown. */
  readonly diff?: () => string
  /** What the readings will be afterwards, so that later resources plan against the state as it will be. */
  readonly predicts?: readonly Prediction[]
  /** Checks on the host that the change will be accepted, without making it; `$dir` is a private directory to write in. */
  readonly validation?: Script
  /** Armed on the host before the change: reverts it unless a new connection confirms in time. */
  readonly guard?: Guard
  /** Runs in a transient unit, to its end, even where the connection is lost. */
  readonly long?: boolean
  /** Changes of different lanes do not depend on each other: they run side by side. Those of one lane run in order. */
  readonly lane?: string
  /** How many lanes that make such a change the host has room for. */
  readonly atOnce?: number
  /** Neighbours with the same `batch.name` become one step: packages, one apt transaction. */
  readonly batch?: { readonly name: string; readonly item: string; readonly script: (items: string[]) => Script }
}

/** How to revert a change that could lock the operator out: the old files, and the script that makes them effective. */
export interface Guard {
  /** What is guarded, in one word: `ufw`, `sshd`. */
  readonly name: string
  /** Files and directories whose state before the change is kept; what was not there is removed again. */
  readonly paths: readonly string[]
  /** Writes to the current directory what `restore` must know of the state before, besides the files. */
  readonly note?: Script
  /** Makes the old files effective again; runs in that directory, on the host alone, perhaps after a reboot. */
  readonly restore: Script
}

/** How a change affects a reading: a new value, or one that is known only after it is applied. */
export type Prediction = { readonly key: string } /** `knownAfterApply` where that depends on what was there. */ & (
  | { readonly after: (before: unknown, read: Read) => unknown }
  | { readonly unknownUntilApply: true }
)

/** Returned by a prediction whose value only the host can tell afterwards. */
export const knownAfterApply = Symbol('only the host knows')

/** What each of these readings found, by the same names. */
export type StatesOf<R> = { [K in keyof R]: R[K] extends Reading<infer S> ? S : never }

/** A resource whose plan is a pure function of its readings. */
export function resource<R extends Record<string, Reading>>(definition: {
  id: string
  wants: unknown
  reads: R
  plan: (state: StatesOf<R>) => readonly Change[]
}): Resource {
  return {
    id: definition.id,
    declared: declaringLine(),
    wants: definition.wants,
    reads: Object.values(definition.reads),
    plan: (read) => definition.plan(statesOf(definition.reads, read)),
  }
}

export function statesOf<R extends Record<string, Reading>>(readings: R, read: Read): StatesOf<R> {
  const states = Object.entries(readings).map(([name, reading]) => [name, read(reading)])
  return Object.fromEntries(states) as StatesOf<R>
}

const root = new URL('../../', import.meta.url).href

/** The first line of a role or a command that leads to this call, past the frames of lib between them; found when it is asked for. */
function declaringLine(): () => string | undefined {
  const limit = Error.stackTraceLimit
  // Constructors call constructors: the role may be many frames away.
  Error.stackTraceLimit = 20
  const here: { stack?: string } = {}
  Error.captureStackTrace(here, resource)
  Error.stackTraceLimit = limit
  return () => {
    const frame = here.stack?.split(root).find((path) => /^(roles|commands)\//.test(path))
    return frame?.match(/^[^\s:]+:\d+/)?.[0]
  }
}

/** Predicts the value of a reading: the value itself, or a function of the value before and of other readings. */
export function becomes<S>(
  reading: Reading<S>,
  after: S | ((before: S, read: Read) => S | typeof knownAfterApply),
): Prediction {
  const step = typeof after === 'function' ? (after as (before: S, read: Read) => S) : () => after
  return { key: reading.key, after: (before, read) => step(before as S, read) }
}

/** Predicts that a reading changes in a way that is known only after the change. */
export function unknownUntilApply(reading: Reading): Prediction {
  return { key: reading.key, unknownUntilApply: true }
}
