import { type Cache, cacheIn } from './cache.ts'
import { defaultConnections } from './connections.ts'
import { type Jobs, jobsIn } from './jobs.ts'
import type { DatabaseSettings, PlacedDatabase } from './keys/database.ts'
import { type ExternalDatabase, externalDatabase, externalPassword } from './keys/external-database.ts'
import { type Processes, processesIn } from './processes.ts'
import { literalOf, referencesIn, secretNameOf } from './references.ts'
import { type Replicas, replicasIn } from './replicas/index.ts'
import { type Route, routesOf } from './routes.ts'
import type { BotManifest, BotSettings } from './schema.ts'

/** How updates of Telegram come to it; `none`: it is no bot. */
export type Mode = 'webhook' | 'polling' | 'none'

/** Everything about a version of a bot that is fixed when it is released. It is a part of the release record. */
export interface Spec {
  readonly image: string
  readonly mode: Mode
  readonly port: number
  readonly health: string | undefined
  readonly migrate: readonly string[] | undefined
  /** A checksum of the migrations; undefined where there are none, or it is not known. */
  readonly migrations: string | undefined
  readonly webhookPath: string
  readonly allowedUpdates: readonly string[] | undefined
  readonly maxConnections: number
  /** It has one on the server of its host. */
  readonly database: boolean
  readonly environment: Readonly<Record<string, string>>
  /** Variables whose values refer to what the host knows, as written: `${token}`. Old records do not have this member. */
  readonly references?: Readonly<Record<string, string>>
  /** Names of files in /run/secrets beyond those that every bot has. */
  readonly secrets: readonly string[]
  /** Folders that it may write to besides /tmp. Old records do not have this member. */
  readonly scratch?: readonly string[]
  /** Folders that last. */
  readonly data?: readonly string[]
  /** Two versions may write to its data at the same time. */
  readonly sharedData?: true
  readonly cache?: Cache
  /** What its container runs instead of the command of its image. */
  readonly command?: readonly string[]
  /** It sets its webhook itself. */
  readonly webhook?: 'bot'
  /** A first process that waits for the children of others, which a bot that starts programs may not do. */
  readonly init?: true
  /** Its database is on a server of somebody else. Like what follows it is left out where it is not asked for. */
  readonly external?: ExternalDatabase
  /** Its database is also reached by TCP. */
  readonly tcp?: true
  /** The most connections to the database that a version of it may have. */
  readonly connections?: number
  /** Extensions of its database. */
  readonly extensions?: readonly string[]
  /** The paths that the internet may ask for, in their order. */
  readonly public?: readonly Route[]
  /** Its pages may be on the name of the host, where they share an origin with those of other bots. */
  readonly shareOrigin?: true
  /** What it does at times. */
  readonly jobs?: Jobs
  /** Further containers, by name. */
  readonly processes?: Processes
  /** It runs several times, on several hosts. */
  readonly replicas?: Replicas
}

/** The version of a bot with this image: the inventory overrides its manifest, which overrides the defaults. */
export function specOf(
  image: string,
  settings: BotSettings,
  manifest: BotManifest,
  migrations?: string,
  /** By the name of each process that has an image of its own. */
  processImages: Readonly<Record<string, string>> = {},
): Spec {
  const said = { ...manifest, ...settings }
  const database = databaseSettings(settings, manifest)
  const external = externalOf(settings)
  const processes = processesIn(settings, manifest, image, processImages)
  const replicas = replicasIn(settings)
  // Each container has a pool of its own.
  const containers = (replicas?.count ?? 1) + Object.keys(processes ?? {}).length
  const connections =
    database?.connections ?? (database && containers > 1 ? defaultConnections * containers : undefined)
  const { environment, references } = variablesOf(settings, manifest)
  const jobs = jobsIn(said.jobs)
  const names = [
    ...namedSecrets(manifest),
    ...(external === undefined ? [] : [externalPassword]),
    ...Object.keys(settings.secrets ?? {}),
    ...Object.values(references)
      .flatMap(referencesIn)
      .flatMap((name) => secretNameOf(name) ?? []),
  ]
  return {
    image,
    mode: said.mode ?? 'webhook',
    port: said.port ?? 3000,
    health: said.health,
    migrate: said.migrate,
    migrations: said.migrate === undefined ? undefined : migrations,
    webhookPath: said.webhookPath ?? '/webhook',
    allowedUpdates: said.allowedUpdates,
    // For a small bot on a small host. Further updates wait at Telegram.
    maxConnections: said.maxConnections ?? Math.min(100, 10 * (replicas?.count ?? 1)),
    database: database !== undefined,
    environment,
    secrets: [...new Set(names)].sort(),
    ...(said.scratch?.length && { scratch: [...new Set(said.scratch)].sort() }),
    ...dataOf(said),
    ...(said.cache !== undefined && { cache: cacheIn(said) as Cache }),
    ...(Object.keys(references).length > 0 && { references }),
    ...(said.command !== undefined && { command: said.command }),
    ...(said.webhook === 'bot' && { webhook: said.webhook }),
    ...(said.init === true && { init: said.init }),
    ...(external && { external }),
    // Replicas come to it by their router, which is in the network that the bot has with the server.
    ...((database?.tcp || (database && replicas)) && { tcp: true as const }),
    ...(connections !== undefined && { connections }),
    ...(database?.extensions?.length && { extensions: [...new Set(database.extensions)].sort() }),
    ...routesOf(said),
    ...(jobs !== undefined && { jobs }),
    ...(processes && { processes }),
    ...(replicas && { replicas }),
  }
}

function dataOf({ data = [] }: Pick<BotManifest, 'data'>): Pick<Spec, 'data' | 'sharedData'> {
  const { paths, shared = false } = Array.isArray(data) ? { paths: data } : data
  if (paths.length === 0) return {}
  return { data: [...new Set(paths)].sort(), ...(shared && { sharedData: true }) }
}

/** The names of secrets that a manifest lists. */
export function namedSecrets({ secrets = [] }: BotManifest): readonly string[] {
  return secrets === 'env' ? [] : secrets
}

/** The variables of a bot: those that say everything themselves, and those that refer to what the host knows. */
function variablesOf(settings: BotSettings, manifest: BotManifest) {
  const given = { ...manifest.environment, ...settings.environment }
  const all = { ...(manifest.secrets === 'env' && usualVariables(settings, manifest)), ...given }
  const texts = Object.entries(all).map(([name, value]) => [name, String(value)] as const)
  const refers = ([, value]: readonly [string, string]) => referencesIn(value).length > 0
  return {
    environment: Object.fromEntries(
      texts.filter((each) => !refers(each)).map(([name, value]) => [name, literalOf(value)]),
    ),
    references: Object.fromEntries(texts.filter(refers)),
  }
}

/** The secrets of a bot as variables, by the names that most bots know. */
function usualVariables(settings: BotSettings, manifest: BotManifest): Record<string, string> {
  const { mode = 'webhook', database = true, cache } = { ...manifest, ...settings }
  return {
    ...(mode !== 'none' && { BOT_TOKEN: '${token}' }),
    ...(database && { DATABASE_URL: '${database.url}' }),
    ...(cache !== undefined && { REDIS_URL: '${cache.url}' }),
    ...(mode === 'webhook' && { WEBHOOK_URL: '${webhook.url}', WEBHOOK_SECRET: '${webhook.secret}' }),
    ...Object.fromEntries(Object.keys(settings.secrets ?? {}).map((name) => [name, `\${secret.${name}}`])),
  }
}

/** What is said of the database, by key: the inventory overrides the manifest. Undefined: it has none on the server of its host. */
export function databaseSettings(settings: BotSettings, manifest: BotManifest): DatabaseSettings | undefined {
  const members = (said: boolean | PlacedDatabase | undefined): DatabaseSettings => {
    const { external: _, ...needs } = typeof said === 'object' ? said : {}
    return needs
  }
  if ((settings.database ?? manifest.database ?? true) === false || isExternal(settings.database)) return undefined
  return { ...members(manifest.database), ...members(settings.database) }
}

/** Where the database of a bot is, if somebody else keeps it. */
export function externalOf({ database }: BotSettings): ExternalDatabase | undefined {
  return isExternal(database) ? externalDatabase(database.external) : undefined
}

export function isExternal(
  said: boolean | PlacedDatabase | undefined,
): said is PlacedDatabase & { readonly external: object } {
  return typeof said === 'object' && said.external !== undefined
}
