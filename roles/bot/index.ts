import { refuseWhen, when } from '../../lib/model/combinators.ts'
import { optDir } from '../../lib/model/host-layout.ts'
import type { Read, Resource } from '../../lib/model/resource.ts'
import { type BotEntry, type HostEntry, type Role, role } from '../../lib/model/role.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import { images } from '../../lib/platform/image-versions.ts'
import { noLeftovers } from '../../lib/platform/leftovers.ts'
import { nginxReloaded } from '../../lib/platform/nginx.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { gateRun, standbyOf } from '../../lib/platform/standby/gate.ts'
import { directory } from '../../lib/resources/file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { botResources, refusalsOf, whenReleased } from './bot-resources.ts'
import { cacheImages } from './cache/index.ts'
import { botImage } from './image.ts'
import { routesInCommon } from './public/nginx-common.ts'
import { refuseTakenPaths } from './public/taken-paths.ts'
import { caFilePresent } from './release/ca-file.ts'
import { originOf, webhookUrl } from './release/nginx-route.ts'
import { repairedRecord } from './release/repair-record.ts'
import { inLanes } from './release/side-by-side.ts'
import { siteOf } from './routes.ts'
import { isLarge } from './spec/build-context.ts'
import { buildsOf, type Deployment } from './spec/deployment.ts'
import { botFolders, contextArchivePath, imageArchivePath, uploadedDumpPath } from './spec/layout.ts'
import { currentRelease, parseRelease } from './spec/release-record.ts'
import { type BotVars, botSettings, realTelegram, vars } from './spec/schema.ts'
import { missingSecrets, storedSecrets } from './spec/stored-secrets.ts'
import { botStatus, missingSecretsNotice, movedBots, movedIn } from './status.ts'
import { refuseUnreachable } from './telegram/reachability.ts'
import { webhook } from './telegram/webhook.ts'
import type { WebhookTarget } from './telegram/webhook-state.ts'

export const bot = botRole(new Map())

export interface BotRoleOptions {
  /** Secrets that the host has made are not older, in milliseconds since 1970. */
  readonly since?: number
  /** A bot is moved to this host: `place` makes all but its data and the version itself, `serve` releases it. */
  readonly move?: 'place' | 'serve'
  /** The host is a standby: roles and databases come by replication, and cannot be written. */
  readonly standby?: boolean
}

/**
 * The bots of a host. With deployments (by bot) only those bots are looked at, and each is brought to the version of its
 * deployment. Without, every bot that was released is kept as its release says.
 */
export function botRole(
  deployments: ReadonlyMap<string, Deployment>,
  { since, move, standby = false }: BotRoleOptions = {},
): Role {
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
      ...{
        bot: entry.name,
        base: wanted.network,
        telegram: wanted.telegram,
        origin,
        ...caOf(wanted),
        swarm: swarmOf(host),
      },
      ...(standbyOf(host) !== undefined && { gated: true as const }),
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
      const all = botResources(entry, instanceOf(entry), wanted, deployments.get(bot), hook, facts, host, {
        since,
        standby,
      })
      const own = move === 'place' ? [...all.place, refusalsOf(all.version)] : [...all.place, ...all.rest]
      return {
        bot,
        own: [
          siteOf(instanceOf(entry)),
          ...(deployments.has(bot) && move === undefined
            ? own.map((inner, i) => (i === 0 ? refuseMoved(host.name, bot, refuseShutGate(host, inner)) : inner))
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

/** What replicas need of their host: how large a packet may be in the mesh, and its nginx. */
function swarmOf({ vars = {} }: Pick<HostEntry, 'vars'>) {
  const { mtu = 1420 } = (vars.mesh ?? {}) as { mtu?: number }
  const { image = images.nginx } = (vars.nginx ?? {}) as { image?: string }
  return { mtu, router: image }
}

/** The images of bots alone, of those that run on other hosts as well: they are brought there before the release. */
export function imagesRole(deployments: ReadonlyMap<string, Deployment>): Role {
  return role('bot', vars, (_, facts) => [
    directory(optDir),
    ...[...deployments.values()].flatMap((each) => botImage(each, facts)),
  ])
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

/** A bot that was moved is not begun anew where it was: it serves elsewhere. */
function refuseMoved(host: string, bot: string, inner: Resource): Resource {
  const reason = (read: Read) => {
    const place = movedIn(read(movedBots)).find((each) => each.bot === bot)
    if (place === undefined) return undefined
    if (place.standby)
      return `${bot} serves on ${place.serves}, and is kept here for a failover; nothing was changed; release it there, or: npx zx playbooks/failover.ts --from ${place.serves} --to ${host}`
    return `${bot} was moved to ${place.serves}, and serves there or is about to; nothing was changed; finish the move, which also sets "host:" in the inventory: npx zx playbooks/bot.ts --name ${bot} --move-to ${place.serves}`
  }
  return refuseWhen([movedBots], reason, inner)
}

/** Where the gate of a pair is shut, or not there yet, Docker starts no bot. */
function refuseShutGate(host: HostEntry, inner: Resource): Resource {
  if (standbyOf(host) === undefined) return inner
  const folder = fileState(`${gateRun}/bots`)
  const reason = (read: Read) =>
    read(folder) === 'absent'
      ? `the gate of ${host.name} is not open, so no bot starts there; nothing was changed; npx zx playbooks/site.ts makes and opens it, where ${host.name} is the primary`
      : undefined
  return refuseWhen([folder], reason, inner)
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
