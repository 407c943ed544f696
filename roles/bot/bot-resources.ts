import { fromReading, when } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import type { Read, Resource } from '../../lib/model/resource.ts'
import type { BotEntry, HostEntry } from '../../lib/model/role.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { directory } from '../../lib/resources/file.ts'
import { allocated } from './allocation.ts'
import { cacheOf, noCache } from './cache/index.ts'
import { dataFolders } from './data/folders.ts'
import { databaseAfter, databaseBefore } from './database/resources.ts'
import { botImage } from './image.ts'
import { jobs, jobsOfRelease } from './jobs/resource.ts'
import { network } from './network.ts'
import { staticFiles } from './public/static-files.ts'
import { limits } from './release/limits.ts'
import type { Routed } from './release/nginx-route.ts'
import { release } from './release/resource.ts'
import { renewedSecrets } from './renewal/resource.ts'
import { locationsOf } from './routes.ts'
import {
  databasePassFile,
  databasePassword,
  externalDatabasePassFile,
  operatorSecret,
  webhookSecret,
} from './secrets.ts'
import { allocations } from './spec/allocations.ts'
import type { Deployment } from './spec/deployment.ts'
import type { BotInstance } from './spec/instance.ts'
import { layoutOf, uidOf } from './spec/layout.ts'
import { limitsOf } from './spec/limits.ts'
import { currentRelease, parseRelease, type Release } from './spec/release-record.ts'
import type { BotSettings, BotVars } from './spec/schema.ts'
import { externalOf, type Spec } from './spec/spec.ts'
import { type WebhookTarget, webhookCleared } from './telegram/webhook-state.ts'
import { token } from './token.ts'

/** What a host has for a bot, in order: `place` is before its data and the version itself, which is one of the `rest`. */
export function botResources(
  { name: bot, settings }: BotEntry,
  instance: Omit<BotInstance, 'number'>,
  { network: base, telegram, settle, drain, keep }: BotVars,
  deployment: Deployment | undefined,
  webhookTarget: WebhookTarget,
  facts: Facts,
  { bots }: HostEntry,
  { since: renewedSince, standby }: { readonly since: number | undefined; readonly standby: boolean },
): { readonly place: Resource[]; readonly version: Resource; readonly rest: Resource[] } {
  const layout = layoutOf(bot)
  const entry = settings as BotSettings
  const target = deployment?.spec
  const withAllocation = (make: (number: number) => Resource) =>
    fromReading(allocations, { [bot]: 1 }, (taken) => make(taken[bot] ?? 1))
  const deployed = (make: (release: Routed, number: number) => Resource) =>
    withAllocation((number) =>
      fromReading(currentRelease(bot), undefined, (text) =>
        make(parseRelease(text) ?? { spec: target ?? placeholderSpec, colour: 'blue' }, number),
      ),
    )
  const ownedBy = (make: (user: string) => Resource) => withAllocation((number) => make(uidOf(number)))
  // The manifest of a bot is known only to a deployment; the release that serves has recorded its limits.
  const limit = (current: Release | undefined) =>
    limitsOf(entry, deployment?.manifest ?? {}, deployment ? undefined : current?.limits)
  const isBot = target?.mode !== 'none'
  const forBot = (inner: Resource) =>
    deployment === undefined ? whenReleased(bot, ({ spec }) => spec.mode !== 'none', inner) : inner
  const needsDatabase = target?.database ?? true
  const forDatabase = (inner: Resource) =>
    deployment === undefined ? whenReleased(bot, ({ spec }) => spec.database, inner) : inner
  const external = externalOf(entry)
  const forExternal = (inner: Resource) =>
    deployment === undefined ? whenReleased(bot, ({ spec }) => spec.external !== undefined, inner) : inner
  const place = [
    allocated(bot, base, target),
    withAllocation((number) => network(layout.network, `${base}.${number}.0/24`, number, bot)),
    ownedBy((user) => directory(layout.secrets, { mode: '0500', owner: user, group: user })),
    ...(isBot ? [ownedBy((user) => forBot(webhookSecret(layout.secrets, user, bot)))] : []),
    ...(needsDatabase
      ? [
          ownedBy((user) => forDatabase(databasePassword(layout.secrets, user, bot))),
          ownedBy(() => forDatabase(databasePassFile(layout.secrets, databaseName(bot)))),
        ]
      : []),
    ...(isBot
      ? [
          ownedBy((user) =>
            forBot(token(layout.secrets, user, deployment?.token, telegram, bot, [webhookCleared(webhookTarget)])),
          ),
        ]
      : []),
    ...[...(deployment?.secrets ?? [])].map(([name, value]) =>
      ownedBy((user) => operatorSecret(layout.secrets, user, bot, name, value)),
    ),
    ...(external === undefined ? [] : [ownedBy(() => forExternal(externalDatabasePassFile(layout.secrets, bot)))]),
    ...(needsDatabase && !standby
      ? databaseBefore(bot, base, deployment, { byNumber: withAllocation, whenReleased }).map(forDatabase)
      : []),
  ]
  const version = release(
    instance,
    target,
    {
      limits: limit,
      settle,
      drain,
      keep,
      by: deployment?.by ?? 'site.ts',
      ...(deployment?.commit !== undefined && { commit: deployment.commit }),
      migrates: deployment?.isRollback !== true,
      hook: webhookTarget,
      bots: bots.length,
      startsAtOnce: facts.cpus + 1,
      jobs: jobsOfRelease,
    },
    (target ?? entry).replicas !== undefined,
  )
  const rest = [
    ...botImage(deployment, facts),
    ownedBy((user) => dataFolders(bot, user, target)),
    ...cacheOf(bot, base, target),
    ...(renewedSince === undefined ? [] : [renewedSecrets(instance, webhookTarget, limit, renewedSince)]),
    version,
    ...databaseAfter(bot, base, deployment, { byNumber: withAllocation, whenReleased }),
    withAllocation((number) => staticFiles(bot, number)),
    locationsOf(instance, deployed),
    limits(bot, limit),
    jobs(instance, target, limit),
    noCache(bot, target),
  ]
  return { place, version, rest }
}

/** What a release would refuse before it begins, such as too little memory; nothing is released. */
export function refusalsOf(version: Resource): Resource {
  return {
    ...version,
    plan: (read) => {
      version.plan(read)
      return []
    },
  }
}

/** Stands in where no release is known: the ids and readings of a resource do not depend on it. */
const placeholderSpec: Spec = {
  ...{
    image: '',
    mode: 'webhook',
    port: 3000,
    health: undefined,
    migrate: undefined,
    migrations: undefined,
    webhookPath: '/webhook',
  },
  ...{ allowedUpdates: undefined, maxConnections: 10, database: true, environment: {}, secrets: [] },
} as const

/** Plans a resource only where a release serves that `isLike` accepts. */
export function whenReleased(bot: string, isLike: (release: Release) => boolean, inner: Resource): Resource {
  const current = currentRelease(bot)
  const isWanted = (read: Read) => {
    const release = parseRelease(read(current))
    return release !== undefined && isLike(release)
  }
  return when([current], isWanted, inner)
}
