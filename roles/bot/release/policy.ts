import type { Limits } from '../spec/limits.ts'
import type { Release } from '../spec/release-record.ts'
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
  /** false for a rollback: the database already has newer migrations. */
  readonly migrates: boolean
  readonly hook: WebhookTarget
  /** The number of bots on the host. */
  readonly bots: number
  /** How many releases migrate and start at a time. */
  readonly startsAtOnce: number
}
