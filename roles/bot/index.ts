import { fromReading, when } from '../../lib/model/combinators.ts'
import { optDir } from '../../lib/model/host-layout.ts'
import type { Read, Resource } from '../../lib/model/resource.ts'
import { type BotEntry, type Role, role } from '../../lib/model/role.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { noLeftovers } from '../../lib/platform/leftovers.ts'
import { nginxFile, nginxReloaded } from '../../lib/platform/nginx.ts'
import { database, databaseRole } from '../../lib/platform/postgres.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { directory } from '../../lib/resources/file.ts'
import { allocated } from './allocation.ts'
import { delivered } from './image.ts'
import { network } from './network.ts'
import { limits } from './release/limits.ts'
import { locationFile, locationText, webhookUrl } from './release/nginx-route.ts'
import { record } from './release/repair-record.ts'
import { release } from './release/resource.ts'
import { generatedSecrets, operatorSecret } from './secrets.ts'
import { allocations } from './spec/allocations.ts'
import { isLarge } from './spec/build-context.ts'
import type { Deployment } from './spec/deployment.ts'
import { addressOf, archiveOf, botFolders, contextPath, placesOf, userOf } from './spec/layout.ts'
import { currentRelease, parseRelease, type Release } from './spec/release-record.ts'
import { type BotSettings, type BotVars, botSettings, realTelegram, vars } from './spec/schema.ts'
import { limitsOf, type Spec } from './spec/spec.ts'
import { keptSecrets, lostSecrets } from './spec/stored-secrets.ts'
import { lost, whatRuns } from './status.ts'
import { refuseUnreachable } from './telegram/reachability.ts'
import { webhook } from './telegram/webhook.ts'
import { type WebhookTarget, webhookCleared } from './telegram/webhook-state.ts'
import { token } from './token.ts'

export const bot = botRole(new Map())

/**
 * The bots of a host: what is deployed is kept as it should be. Those with a delivery are brought to its version first, and
 * no other is looked at.
 */
export function botRole(deliveries: ReadonlyMap<string, Deployment>): Role {
  const built = role('bot', vars, (wanted, facts, host) => {
    const name = publicName(host, facts)
    if (wanted.telegram === realTelegram) refuseUnreachable(name, deliveries)
    const chosen = deliveries.size === 0 ? host.bots : host.bots.filter(({ name: each }) => deliveries.has(each))
    const hookOf = (bot: string): WebhookTarget => ({
      ...{ bot, name, telegram: wanted.telegram, url: webhookUrl(bot, name, host.httpsPort) },
      ask: deliveries.has(bot),
    })
    // Without a delivery there is nothing to be on this host but what is there, and can be started again.
    const orDeployed = (bot: string, inner: Resource) =>
      deliveries.has(bot)
        ? inner
        : whereWhole(
            bot,
            whenReleased(bot, () => true, inner),
          )
    const each = chosen.map((entry) =>
      botResources(entry, wanted, deliveries.get(entry.name), hookOf(entry.name)).map((inner) =>
        orDeployed(entry.name, inner),
      ),
    )
    const hooks = chosen.map(({ name: each }) => orDeployed(each, webhook(hookOf(each))))
    const records = chosen.map(({ name: bot }) =>
      record({ bot, base: wanted.network, telegram: wanted.telegram }, deliveries.has(bot)),
    )
    const folders = [
      directory(optDir),
      directory(botFolders.compose),
      directory(botFolders.state, { mode: '0700' }),
      directory(botFolders.secrets, { mode: '0700' }),
    ]
    if (host.bots.length === 0) return [whatRuns(host.bots)]
    // Telegram comes when nginx leads to the bot, and shows the certificate that Telegram is given. A switch sees to that by
    // itself: then a bot has its webhook before the next one, which may fail, is begun.
    const inOrder =
      deliveries.size > 0
        ? [...each.flatMap((own, i) => [...own, ...hooks.slice(i, i + 1)]), nginxReloaded()]
        : [...each.flat(), nginxReloaded(), ...hooks]
    const told = [...chosen.map(({ name }) => lost(name)), whatRuns(host.bots)]
    return [noLeftovers(broughtBy(deliveries)), ...folders, ...records, ...inOrder, ...told]
  })
  return { ...built, bots: botSettings }
}

/** What was laid on the host for these before, and is used up by them. */
function broughtBy(deliveries: ReadonlyMap<string, Deployment>): string[] {
  return [...deliveries].flatMap(([bot, { shipped, context }]) => {
    if (shipped) return archiveOf(bot)
    return context && isLarge(context) ? contextPath(bot) : []
  })
}

function botResources(
  { name: bot, settings }: BotEntry,
  { network: base, telegram, settle, drain, keep }: BotVars,
  delivery: Deployment | undefined,
  hook: WebhookTarget,
): Resource[] {
  const places = placesOf(bot)
  const entry = settings as BotSettings
  const target = delivery?.spec
  const withAllocation = (make: (number: number) => Resource) =>
    fromReading(allocations, { [bot]: 1 }, (taken) => make(taken[bot] ?? 1))
  const deployed = (make: (spec: Spec, number: number, colour: 'blue' | 'green') => Resource) =>
    withAllocation((number) =>
      fromReading(currentRelease(bot), undefined, (text) => {
        const current = parseRelease(text)
        return make(current?.spec ?? target ?? sample, number, current?.colour ?? 'blue')
      }),
    )
  const owned = (make: (user: string) => Resource[]) =>
    make('0').map((_, i) => withAllocation((number) => make(userOf(number))[i] as Resource))
  // What a bot's manifest says only a delivery and the release that serves know.
  const limit = (current: Release | undefined) =>
    limitsOf(entry, delivery?.manifest ?? {}, delivery ? undefined : current?.limits)
  const needsDatabase = target?.database ?? true
  const forDatabase = (inner: Resource) =>
    delivery === undefined ? whenReleased(bot, ({ spec }) => spec.database, inner) : inner
  return [
    allocated(bot, base),
    withAllocation((number) => network(places.network, `${base}.${number}.0/24`, number, bot)),
    ...owned((user) => [
      directory(places.secrets, { mode: '0500', owner: user, group: user }),
      ...generatedSecrets(places.secrets, user, bot, needsDatabase ? databaseName(bot) : undefined).map((inner) =>
        inner.id.endsWith('webhook-secret') ? inner : forDatabase(inner),
      ),
      token(places.secrets, user, delivery?.token, telegram, bot, [webhookCleared(hook)]),
      ...[...(delivery?.secrets ?? [])].map(([name, value]) => operatorSecret(places.secrets, user, bot, name, value)),
    ]),
    ...(needsDatabase
      ? [
          databaseRole(databaseName(bot), {
            passwordFile: `${places.secrets}/database-password`,
            // A pool of three, twice while a version replaces another, and a migration.
            connectionLimit: 8,
            settings: { statement_timeout: '30s', lock_timeout: '10s', idle_in_transaction_session_timeout: '30s' },
          }),
          database(databaseName(bot), { owner: databaseName(bot) }),
        ].map(forDatabase)
      : []),
    ...delivered(bot, delivery),
    release({ bot, base, telegram }, target, {
      limits: limit,
      settle,
      drain,
      keep,
      by: delivery?.by ?? 'site.ts',
      migrates: delivery?.back !== true,
      hook,
    }),
    deployed((spec, number, colour) => location(bot, spec, addressOf(base, number, colour))),
    limits(bot, limit),
  ]
}

/** For what is the same in every version. */
const sample: Spec = {
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

/** nginx leads to the container that serves; a bot that asks for its updates itself has nothing there. */
function location(bot: string, spec: Spec, address: string): Resource {
  const present = nginxFile(locationFile(bot), locationText(bot, address, spec.port, spec.webhookPath))
  return when([], () => spec.mode === 'webhook', present)
}

/** Only where a release serves, and is like this. */
function whenReleased(bot: string, isLike: (release: Release) => boolean, inner: Resource): Resource {
  const current = currentRelease(bot)
  const isWanted = (read: Read) => {
    const release = parseRelease(read(current))
    return release !== undefined && isLike(release)
  }
  return when([current], isWanted, inner)
}

/** Only where the host still has what the operator once gave for it: else the bot goes on as it runs, with what it knows. */
function whereWhole(bot: string, inner: Resource): Resource {
  const [current, kept] = [currentRelease(bot), keptSecrets(bot)]
  const isWhole = (read: Read) => {
    const release = parseRelease(read(current))
    return release === undefined || lostSecrets(release, read(kept)).length === 0
  }
  return when([current, kept], isWhole, inner)
}
