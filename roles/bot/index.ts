import { fromReading, refuseWhen, when } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { optDir } from '../../lib/model/host-layout.ts'
import type { Read, Resource } from '../../lib/model/resource.ts'
import { type BotEntry, type HostEntry, type Role, role } from '../../lib/model/role.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import { noLeftovers } from '../../lib/platform/leftovers.ts'
import { nginxReloaded } from '../../lib/platform/nginx.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { directory } from '../../lib/resources/file.ts'
import { allocated } from './allocation.ts'
import { cacheImages, cacheOf, noCache } from './cache/index.ts'
import { dataFolders } from './data/folders.ts'
import { databaseAfter, databaseBefore } from './database/resources.ts'
import { botImage } from './image.ts'
import { jobs, jobsOfRelease } from './jobs/resource.ts'
import { network } from './network.ts'
import { routesInCommon } from './public/nginx-common.ts'
import { staticFiles } from './public/static-files.ts'
import { refuseTakenPaths } from './public/taken-paths.ts'
import { caFilePresent } from './release/ca-file.ts'
import { limits } from './release/limits.ts'
import { originOf, type Routed, webhookUrl } from './release/nginx-route.ts'
import { repairedRecord } from './release/repair-record.ts'
import { release } from './release/resource.ts'
import { inLanes } from './release/side-by-side.ts'
import { renewedSecrets } from './renewal/resource.ts'
import { locationsOf, siteOf } from './routes.ts'
import { databasePassFile, databasePassword, operatorSecret, webhookSecret } from './secrets.ts'
import { allocations } from './spec/allocations.ts'
import { isLarge } from './spec/build-context.ts'
import { buildsOf, type Deployment } from './spec/deployment.ts'
import type { BotInstance } from './spec/instance.ts'
import { botFolders, contextArchivePath, imageArchivePath, layoutOf, uidOf, uploadedDumpPath } from './spec/layout.ts'
import { limitsOf } from './spec/limits.ts'
import { currentRelease, parseRelease, type Release } from './spec/release-record.ts'
import { type BotSettings, type BotVars, botSettings, realTelegram, vars } from './spec/schema.ts'
import type { Spec } from './spec/spec.ts'
import { missingSecrets, storedSecrets } from './spec/stored-secrets.ts'
import { botStatus, missingSecretsNotice, movedBots, movedIn } from './status.ts'
import { refuseUnreachable } from './telegram/reachability.ts'
import { webhook } from './telegram/webhook.ts'
import { type WebhookTarget, webhookCleared } from './telegram/webhook-state.ts'
import { token } from './token.ts'

export const bot = botRole(new Map())

export interface BotRoleOptions {
  /** Secrets that the host has made are not older, in milliseconds since 1970. */
  readonly since?: number
  /** A bot is moved to this host: `place` makes all but its data and the version itself, `serve` releases it. */
  readonly move?: 'place' | 'serve'
}

/**
 * The bots of a host. With deployments (by bot) only those bots are looked at, and each is brought to the version of its
 * deployment. Without, every bot that was released is kept as its release says.
 */
export function botRole(deployments: ReadonlyMap<string, Deployment>, { since, move }: BotRoleOptions = {}): Role {
  const built = role('bot', vars, (wanted, facts, host) => {
    if (host.bots.length === 0) return [botStatus(host.bots)]
    const name = publicName(host, facts)
    if (wanted.telegram === realTelegram) refuseUnreachable(name, deployments)
    const selected = deployments.size === 0 ? host.bots : host.bots.filter(({ name: each }) => deployments.has(each))
    const origin = originOf(name, host.httpsPort)
    const webhookOf = (bot: string): WebhookTarget => ({
      ...{ bot, name, telegram: wanted.telegram, url: webhookUrl(origin, bot) },
      // Nothing asks Telegram about what is no bot.
      ask: deployments.has(bot) && deployments.get(bot)?.spec.mode !== 'none',
    })
    const instanceOf = (entry: BotEntry) => ({
      ...{ bot: entry.name, base: wanted.network, telegram: wanted.telegram, origin, ...caOf(wanted) },
      ...(domainsOf(entry).length > 0 && { domains: domainsOf(entry), ipv6: facts.ipv6 }),
    })
    // Without a deployment only what was released can be kept, and only with all its secrets can it be started.
    const ifDeployable = (bot: string, inner: Resource) =>
      deployments.has(bot)
        ? inner
        : whenSecretsComplete(
            bot,
            whenReleased(bot, () => true, inner),
          )
    const each = selected.map((entry) => {
      const { name: bot } = entry
      const hook = webhookOf(bot)
      const all = botResources(entry, instanceOf(entry), wanted, deployments.get(bot), hook, facts, host, since)
      const own = move === 'place' ? [...all.place, refusalsOf(all.version)] : [...all.place, ...all.rest]
      return {
        bot,
        own: [
          siteOf(instanceOf(entry)),
          ...(deployments.has(bot) && move === undefined
            ? own.map((inner, i) => (i === 0 ? refuseMoved(bot, inner) : inner))
            : own
          ).map((inner) => ifDeployable(bot, refuseTakenPaths(entry, deployments, host.bots, inner))),
        ],
        webhook: move === 'place' ? [] : [ifDeployable(bot, webhook(hook))],
      }
    })
    const records = selected.map((entry) => repairedRecord(instanceOf(entry), deployments.has(entry.name)))
    const folders = [
      ...(wanted.caFile === undefined ? [] : [caFilePresent(wanted.caFile)]),
      directory(optDir),
      directory(botFolders.compose, { mode: '0700' }),
      directory(botFolders.state, { mode: '0700' }),
      directory(botFolders.secrets, { mode: '0700' }),
    ]
    // A webhook is set when nginx routes to the bot with the certificate that Telegram gets. The switch of a release reloads
    // nginx itself, so then each bot gets its webhook right after that, whatever becomes of the others.
    const withWebhooks = each.map(({ bot, own, webhook }) => ({ bot, resources: [...own, ...webhook] }))
    const inOrder =
      deployments.size > 0
        ? [...inLanes(withWebhooks, facts), nginxReloaded()]
        : [...each.flatMap(({ own }) => own), nginxReloaded(), ...each.flatMap(({ webhook }) => webhook)]
    const notices = [...selected.map(({ name: bot }) => missingSecretsNotice(bot)), botStatus(selected, host.bots)]
    const caches = cacheImages(selected.map(({ name: bot }) => ({ bot, target: deployments.get(bot)?.spec })))
    const routes = routesInCommon(
      selected.map(({ name: bot }) => bot),
      [...deployments.values()].some(({ spec }) => spec.public !== undefined),
    )
    return [noLeftovers(uploadsOf(deployments)), ...folders, ...records, ...caches, ...routes, ...inOrder, ...notices]
  })
  return { ...built, bots: botSettings }
}

function caOf({ caFile }: Pick<BotVars, 'caFile'>) {
  return caFile === undefined ? {} : { caFile }
}

/** Paths of the files that were uploaded for these deployments, which use them up. */
function uploadsOf(deployments: ReadonlyMap<string, Deployment>): string[] {
  return [...deployments.values()].flatMap((deployment) => {
    const { shipped, dump } = deployment
    const contexts = buildsOf(deployment).map(({ context }) => context)
    return [
      ...(dump === undefined ? [] : [uploadedDumpPath(dump.checksum)]),
      ...(shipped ? contexts.map(imageArchivePath) : contexts.filter(isLarge).map(contextArchivePath)),
    ]
  })
}

function botResources(
  { name: bot, settings }: BotEntry,
  instance: Omit<BotInstance, 'number'>,
  { network: base, telegram, settle, drain, keep }: BotVars,
  deployment: Deployment | undefined,
  webhookTarget: WebhookTarget,
  facts: Facts,
  { bots }: HostEntry,
  renewedSince: number | undefined,
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
    ...(needsDatabase
      ? databaseBefore(bot, base, deployment, { byNumber: withAllocation, whenReleased }).map(forDatabase)
      : []),
  ]
  const version = release(instance, target, {
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
  })
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
function refusalsOf(version: Resource): Resource {
  return {
    ...version,
    plan: (read) => {
      version.plan(read)
      return []
    },
  }
}

/** A bot that was moved is not begun anew where it was: it serves elsewhere. */
function refuseMoved(bot: string, inner: Resource): Resource {
  const reason = (read: Read) => {
    const place = movedIn(read(movedBots)).find((each) => each.bot === bot)
    if (place === undefined) return undefined
    return `${bot} was moved to ${place.serves}, and serves there or is about to; nothing was changed; finish the move, which also sets "host:" in the inventory: npx zx playbooks/bot.ts --name ${bot} --move-to ${place.serves}`
  }
  return refuseWhen([movedBots], reason, inner)
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
function whenReleased(bot: string, isLike: (release: Release) => boolean, inner: Resource): Resource {
  const current = currentRelease(bot)
  const isWanted = (read: Read) => {
    const release = parseRelease(read(current))
    return release !== undefined && isLike(release)
  }
  return when([current], isWanted, inner)
}

/** Plans a resource only where the host has all secrets of the release. Else the bot is left running with those it has read. */
function whenSecretsComplete(bot: string, inner: Resource): Resource {
  const [current, kept] = [currentRelease(bot), storedSecrets(bot)]
  const isComplete = (read: Read) => {
    const release = parseRelease(read(current))
    return release === undefined || missingSecrets(release, read(kept)).length === 0
  }
  return when([current, kept], isComplete, inner)
}
