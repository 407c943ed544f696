import type { Secret } from '../../../lib/std/secret.ts'
import type { Context } from './build-context.ts'
import type { Manifest } from './schema.ts'
import type { Spec } from './spec.ts'

/** What a deploy brings to a host. */
export interface Deployment {
  readonly spec: Spec
  readonly manifest: Manifest
  /** What the image is built from; without it the image is there, or is pulled. */
  readonly context: Context | undefined
  readonly pull: boolean
  /** The image lies on the host as an archive already. */
  readonly shipped?: boolean
  /** For the registry that it is pulled from. */
  readonly logins?: readonly Login[]
  /** Given now; without it the host keeps what it has. */
  readonly token: Secret | undefined
  readonly secrets: ReadonlyMap<string, Secret | undefined>
  /** Back to a version of the past: its migrations are not run. */
  readonly back?: boolean
  /** `ops@laptop` */
  readonly by: string
}

export interface Login {
  readonly registry: string
  readonly username: string
  readonly password: Secret
}
