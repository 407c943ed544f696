import type { Prediction } from '../../../lib/model/resource.ts'
import type { Script } from '../../../lib/shell/sh.ts'
import type { BotInstance } from '../spec/instance.ts'
import type { Colour } from '../spec/layout.ts'
import type { Limits } from '../spec/limits.ts'
import type { Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import type { WebhookTarget } from '../telegram/webhook-state.ts'

/** How a version is released: limits, waiting times, what is kept. */
export interface ReleasePolicy {
  readonly limits: (current: Release | undefined) => Limits
  /** Seconds that a new container must stay up before it serves, and seconds that the old one has to finish. */
  readonly settle: number
  readonly drain: number
  /** Number of images to keep besides those of the serving and the previous version. */
  readonly keep: number
  readonly by: string
  readonly commit?: string
  /** false for a rollback: the database already has newer migrations. */
  readonly migrates: boolean
  readonly hook: WebhookTarget
  /** The number of bots on the host. */
  readonly bots: number
  /** How many releases migrate and start at a time. */
  readonly startsAtOnce: number
  /** What the switch from the old version does about jobs; undefined where neither version has any. */
  readonly jobs?: (
    version: { instance: BotInstance; spec: Spec; colour: Colour; limits: Limits },
    old: Spec | undefined,
  ) => SwitchedJobs | undefined
}

/** The commit as a member of a record. */
export function commitOf({ commit }: Pick<ReleasePolicy, 'commit'>): Pick<Release, 'commit'> {
  return commit === undefined ? {} : { commit }
}

/** What a switch does about jobs, and what that makes of them. */
export interface SwitchedJobs {
  /** Before anything is changed: from here on no job begins. */
  readonly begin: Script
  /** Once the new version serves: its jobs may begin. */
  readonly end: Script
  readonly predicts: readonly Prediction[]
  readonly validation: Script
}
