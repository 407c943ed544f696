import type { Release } from '../spec/release-record.ts'
import type { Limits } from '../spec/spec.ts'
import type { WebhookTarget } from '../telegram/webhook-state.ts'

/** How a version gets to serve, and what it is measured by. */
export interface ReleasePolicy {
  readonly limits: (current: Release | undefined) => Limits
  /** How long a new container must stay up before it serves, and the old one may take to finish, in seconds. */
  readonly settle: number
  readonly drain: number
  /** How many images are kept besides those of the version that serves and the one before. */
  readonly keep: number
  readonly by: string
  /** false: back to a version whose migrations know less than the database does. */
  readonly migrates: boolean
  readonly hook: WebhookTarget
}
