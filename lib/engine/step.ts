import type { Guard } from '../model/resource.ts'
import type { Script } from '../shell/sh.ts'
import type { PlannedChange } from './plan.ts'

/** One thing that a run does on a host: a change, or several that belong in one transaction. */
export interface Step {
  readonly changes: readonly PlannedChange[]
  readonly title: string
  readonly script: Script
  readonly long: boolean
  /** What is kept before this step, to be reverted unless it is confirmed. */
  readonly guards: readonly Guard[]
  /** Steps of other lanes may run side by side with it. */
  readonly lane?: string
  /** How many lanes with such a step may run at a time. */
  readonly atOnce?: number
}

/** The steps of these changes, in order; neighbouring changes that join become one. */
export function stepsOf(changes: Step['changes']): Step[] {
  const steps: Step[] = []
  for (let i = 0; i < changes.length; ) {
    const name = changes[i]?.change.batch?.name
    let end = i + 1
    while (name !== undefined && changes[end]?.change.batch?.name === name) end++
    steps.push(stepOf(changes.slice(i, end)))
    i = end
  }
  return steps
}

function stepOf(changes: Step['changes']): Step {
  const [first] = changes
  if (!first) throw new Error('a step of no changes')
  const { batch, script, long = false, summary, lane, atOnce } = first.change
  const guards = changes.flatMap(({ change }) => change.guard ?? [])
  return {
    changes,
    title: `${changes.map(({ id }) => id).join(', ')}: ${summary}`,
    script: batch ? batch.script(changes.flatMap(({ change }) => change.batch?.item ?? [])) : script,
    long,
    guards,
    ...(lane !== undefined && { lane }),
    ...(atOnce !== undefined && { atOnce }),
  }
}
