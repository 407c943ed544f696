import type { Reading } from '../model/reading.ts'
import type { Outputs, Resource } from '../model/resource.ts'
import type { Connection } from '../ssh/connection.ts'
import { HostError, NotConverged, RunnerError } from '../std/errors.ts'
import { changeDiff } from './change-diff.ts'
import { applyWithGuard } from './confirm-guard.ts'
import type { LockRequest } from './host-lock.ts'
import { allChanges, faultOf, nextStage, outputsOf, type PlannedChange, planAll, type ResourcePlan } from './plan.ts'
import { withGuard } from './revert-guard.ts'
import { applySteps, type Progress, read, validate } from './run-steps.ts'
import { type Step, stepsOf } from './step.ts'

/** What a run did, or in a check would do, about every resource that was not as wanted. */
export interface Outcome {
  readonly changes: readonly AppliedChange[]
  readonly unknowns: readonly { readonly id: string; readonly cause: string }[]
  /** The outputs of the resources, from the state that was read last. */
  readonly outputs: Outputs
  /** What ended it early; the changes are those made until then. */
  readonly error?: RunnerError
}

export interface AppliedChange {
  readonly id: string
  readonly summary: string
  readonly diff: string
}

/**
 * Called with what is planned, before it is checked or applied: for what only some changes need, such as an upload. `unknown`: the
 * ids of what is decided after these changes. Throws a `RunnerError` where the changes must not be made.
 */
export type Prepare = (changes: readonly PlannedChange[], unknown: readonly string[]) => Promise<void>

/** What would change, with each candidate checked by the tool that will read it. Writes nothing on the host. */
export async function checkHost(
  connection: Connection,
  resources: readonly Resource[],
  progress: Progress,
  prepare: Prepare = async () => {},
): Promise<Outcome> {
  const { state } = await read(connection, readingsOf(resources))
  const planned = planAll(resources, state)
  const steps = stepsOf(allChanges(planned))
  const validations = validationsOf(steps)
  const invalid = await runnerErrorOf(async () => {
    await prepare(allChanges(planned), unknownIn(planned))
    if (validations.length > 0) await validate(connection, validations, { ...progress, begin: () => {}, end: () => {} })
  })
  const error = invalid ?? faultOf(planned, state)
  return {
    changes: changesOf(resources, steps, followersOf(planned, 'comes-with')),
    unknowns: [...followersOf(planned, 'unknown')].map(([id, cause]) => ({ id, cause })),
    outputs: outputsOf(resources, state),
    ...(error && { error }),
  }
}

/** Brings a host to the wanted state, and proves it by reading everything again. */
export async function applyHost(
  connection: Connection,
  resources: readonly Resource[],
  progress: Progress,
  claim: LockRequest,
  prepare: Prepare = async () => {},
): Promise<Outcome> {
  const readings = readingsOf(resources)
  const followers = new Map<string, string>()
  const rounds: Step[][] = []
  let drifts = 0
  let outputs: Outputs = {}
  const error = await runnerErrorOf(async () => {
    let { state, digest } = await read(connection, readings)
    for (;;) {
      outputs = outputsOf(resources, state)
      const planned = planAll(resources, state)
      for (const status of ['comes-with', 'unknown'] as const)
        for (const [id, cause] of followersOf(planned, status)) followers.set(id, cause)
      if (planned.every(({ status }) => status === 'ok')) {
        const fault = faultOf(planned, state)
        if (fault) throw fault
        return
      }
      const stageChanges = nextStage(planned)
      const steps = withGuard(stepsOf(stageChanges))
      refuseRepetition(steps, rounds)
      await prepare(stageChanges, unknownIn(planned))
      const done: Step[] = []
      rounds.push(done)
      const end = (step: Step, seconds: number) => {
        done.push(step)
        progress.end(step, seconds)
      }
      const stage = { readings, digest, claim, progress: { ...progress, end } }
      const after = await applyWithGuard(connection, steps, () => applySteps(connection, steps, stage))
      if (after === undefined && drifts++ > 0) throw new HostError(driftedTwice)
      ;({ state, digest } = after ?? (await read(connection, readings)))
    }
  })
  const changes = changesOf(resources, rounds.flat(), error ? new Map() : followers)
  return { changes, unknowns: [], outputs, ...(error && { error }) }
}

const driftedTwice =
  'another program is changing this host: twice it differed from what was read when the changes were to begin'

/** Throws for a change that still differs, though nothing applied after it could have undone it, or applied twice. */
function refuseRepetition(steps: readonly Step[], rounds: readonly (readonly Step[])[]): void {
  const changesId = (id: string) => (step: Step) => step.changes.some((each) => each.id === id)
  const last = rounds.flat().at(-1)
  for (const { id, change } of steps.flatMap((step) => step.changes)) {
    const times = rounds.filter((round) => round.some(changesId(id))).length
    if (times < 2 && !(last && changesId(id)(last))) continue
    const diff = change.diff?.() ?? ''
    throw new NotConverged(`did not converge: ${id} was applied and still differs: ${change.summary}\n${diff}`.trim())
  }
}

/** What the steps change, and what follows from them: one entry a resource, in the order of the playbook. */
function changesOf(resources: readonly Resource[], steps: readonly Step[], followers: ReadonlyMap<string, string>) {
  return resources.flatMap(({ id }): AppliedChange[] => {
    const own = steps.flatMap((step) => step.changes.filter((each) => each.id === id)).map(({ change }) => change)
    if (own.length > 0) {
      const summary = [...new Set(own.map((change) => change.summary))].join(', ')
      return [{ id, summary, diff: own.map(changeDiff).join('\n') }]
    }
    const cause = followers.get(id)
    return cause === undefined ? [] : [{ id, summary: `comes with ${cause}`, diff: '' }]
  })
}

function unknownIn(planned: readonly ResourcePlan[]): string[] {
  return planned.filter(({ status }) => status === 'unknown').map(({ resource }) => resource.id)
}

function followersOf(planned: readonly ResourcePlan[], status: 'comes-with' | 'unknown'): Map<string, string> {
  return new Map(
    planned.flatMap((each) =>
      each.status === status && 'cause' in each ? [[each.resource.id, each.cause] as const] : [],
    ),
  )
}

function validationsOf(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) =>
    step.changes.flatMap(({ id, change }) =>
      change.validation
        ? [{ changes: [{ id, change }], title: `${id}: validate`, script: change.validation, long: false, guards: [] }]
        : [],
    ),
  )
}

function readingsOf(resources: readonly Resource[]): Reading[] {
  return resources.flatMap((resource) => resource.reads)
}

async function runnerErrorOf(run: () => Promise<void>): Promise<RunnerError | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    if (error instanceof RunnerError) return error
    throw error
  }
}
