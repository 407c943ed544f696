import { mapChanges } from '../../../lib/model/combinators.ts'
import { becomes, type Resource } from '../../../lib/model/resource.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import { database } from '../../../lib/platform/postgres.ts'
import { accessFolder } from '../../../lib/platform/postgres-access.ts'
import { directory } from '../../../lib/resources/file.ts'
import type { Deployment } from '../spec/deployment.ts'
import type { Release } from '../spec/release-record.ts'
import { databaseRoleOf, fewerConnections } from './connections.ts'
import { databaseContents, newDatabase } from './contents.ts'
import { extensions } from './extension.ts'
import { imported, initialised } from './fill.ts'
import { botAttached, databaseNetwork, type Place, serverAttached } from './network.ts'
import { accessLoaded, accessWritten, noTcp } from './tcp.ts'

interface Given {
  /** The resource by the number of the bot, which the host may have to give first. */
  readonly byNumber: (make: (number: number) => Resource) => Resource
  /** The resource where a release serves that is like this. */
  readonly whenReleased: (bot: string, isLike: (release: Release) => boolean, inner: Resource) => Resource
}

/**
 * The database of a bot, and its ways to it, before a version is released that needs them. Without a deployment it is what the
 * release that serves has recorded.
 */
export function databaseBefore(
  bot: string,
  base: string,
  deployment: Deployment | undefined,
  { byNumber, whenReleased }: Given,
): Resource[] {
  const name = databaseName(bot)
  const { spec, initScript: init, dump } = deployment ?? {}
  const isAsked = spec?.extensions !== undefined || init !== undefined || dump !== undefined
  const contents = databaseContents(bot, { always: isAsked })
  const made = becomes(contents, (before) => (before.database ? before : { ...before, database: newDatabase }))
  const at = (make: (place: Place) => Resource) => byNumber((number) => make({ bot, base, number }))
  const byTcp = (inner: Resource) =>
    deployment === undefined ? whenReleased(bot, (release) => release.spec.tcp === true, inner) : inner
  return [
    databaseRoleOf(bot, spec && { connections: spec.connections }),
    mapChanges(database(name, { owner: name }), (change) => ({
      ...change,
      predicts: [...(change.predicts ?? []), made],
    })),
    ...(spec === undefined || spec.extensions ? [extensions(bot, spec?.extensions)] : []),
    ...(dump === undefined ? [] : [byNumber((number) => imported(bot, number, dump))]),
    ...(init === undefined ? [] : [byNumber((number) => initialised(bot, number, init))]),
    ...(deployment === undefined || spec?.tcp
      ? [directory(accessFolder), at(databaseNetwork), at(accessWritten), at(accessLoaded), at(serverAttached)].map(
          byTcp,
        )
      : []),
  ]
}

/** What can be done only when the version serves that was released: its own way to the database, and what the one before needed. */
export function databaseAfter(
  bot: string,
  base: string,
  deployment: Deployment | undefined,
  { byNumber, whenReleased }: Given,
): Resource[] {
  const { spec } = deployment ?? {}
  const attached = byNumber((number) => botAttached({ bot, base, number }))
  if (spec === undefined)
    return [
      whenReleased(bot, (release) => release.spec.tcp === true, attached),
      whenReleased(bot, (release) => release.spec.tcp !== true, noTcp(bot)),
    ]
  return [...(spec.database ? [fewerConnections(bot, spec.connections)] : []), spec.tcp ? attached : noTcp(bot)]
}
