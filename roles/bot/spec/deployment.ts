import type { Secret } from '../../../lib/std/secret.ts'
import type { BuildContext } from './build-context.ts'
import type { BotManifest } from './schema.ts'
import type { Spec } from './spec.ts'

/** Everything that is needed to release a version of a bot on a host. */
export interface Deployment {
  readonly spec: Spec
  readonly manifest: BotManifest
  /** What the image is built from; undefined where it is pulled, or is on the host already (a rollback). */
  readonly context: BuildContext | undefined
  /** What the images of processes are built from that have one of their own. */
  readonly builds?: readonly Build[]
  readonly pull: boolean
  /** The image was uploaded as an archive (`--build local`). */
  readonly shipped?: boolean
  /** The login for the registry that the image is pulled from. */
  readonly logins?: readonly RegistryLogin[]
  /** undefined: the host keeps the token that it has. */
  readonly token: Secret | undefined
  readonly secrets: ReadonlyMap<string, Secret | undefined>
  /** What a new database begins with: a script of the source, and a dump of an older database, which comes first. */
  readonly initScript?: InitScript
  readonly dump?: Dump
  /** A rollback does not run migrations. */
  readonly isRollback?: boolean
  /** The commit that the source was. */
  readonly commit?: string
  /** Who deploys: `ops@laptop`. */
  readonly by: string
}

/** An image, and what it is built from. */
export interface Build {
  readonly image: string
  readonly context: BuildContext
}

/** All images that a deployment builds. */
export function buildsOf({
  spec,
  context,
  builds = [],
}: Pick<Deployment, 'spec' | 'context' | 'builds'>): readonly Build[] {
  return [...(context === undefined ? [] : [{ image: spec.image, context }]), ...builds]
}

export interface InitScript {
  /** Its path in the source, without the folders. */
  readonly name: string
  readonly sql: string
  /** SHA-256, hexadecimal. */
  readonly checksum: string
}

/** A dump on this machine, uploaded when it is needed. */
export interface Dump {
  readonly kind: 'plain' | 'archive'
  readonly name: string
  readonly checksum: string
  readonly bytes: number
}

export interface RegistryLogin {
  readonly registry: string
  readonly username: string
  readonly password: Secret
}
