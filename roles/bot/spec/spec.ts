import type { BotManifest, BotSettings, DatabaseSettings } from './schema.ts'

/** Everything about a version of a bot that is fixed when it is released. It is a part of the release record. */
export interface Spec {
  readonly image: string
  readonly mode: 'webhook' | 'polling'
  readonly port: number
  readonly health: string | undefined
  readonly migrate: readonly string[] | undefined
  /** A checksum of the migrations; undefined where there are none, or it is not known. */
  readonly migrations: string | undefined
  readonly webhookPath: string
  readonly allowedUpdates: readonly string[] | undefined
  readonly maxConnections: number
  readonly database: boolean
  readonly environment: Readonly<Record<string, string>>
  /** Names of files in /run/secrets beyond those that every bot has. */
  readonly secrets: readonly string[]
  /** Folders that it may write to besides /tmp. Old records do not have this member. */
  readonly scratch?: readonly string[]
  /** Its database is also reached by TCP. This and what follows is left out where it is not asked for. */
  readonly tcp?: true
  /** The most connections to the database that a version of it may have. */
  readonly connections?: number
  /** Extensions of its database. */
  readonly extensions?: readonly string[]
}

/** Resource limits of a container, which change without a release. `memoryMB` is in MiB. */
export interface Limits {
  readonly memoryMB: number
  readonly cpus: number
}

/** The version of a bot with this image: the inventory overrides its manifest, which overrides the defaults. */
export function specOf(image: string, settings: BotSettings, manifest: BotManifest, migrations?: string): Spec {
  const said = { ...manifest, ...settings }
  const environment = { ...manifest.environment, ...settings.environment }
  const database = databaseSettings(settings, manifest)
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
    maxConnections: said.maxConnections ?? 10,
    database: database !== undefined,
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)])),
    secrets: [...new Set([...(manifest.secrets ?? []), ...Object.keys(settings.secrets ?? {})])].sort(),
    ...(said.scratch?.length && { scratch: [...new Set(said.scratch)].sort() }),
    ...(database?.tcp && { tcp: true as const }),
    ...(database?.connections !== undefined && { connections: database.connections }),
    ...(database?.extensions?.length && { extensions: [...new Set(database.extensions)].sort() }),
  }
}

/** What is said of the database, by key: the inventory overrides the manifest. Undefined: the bot has none. */
export function databaseSettings(settings: BotSettings, manifest: BotManifest): DatabaseSettings | undefined {
  const members = (said: boolean | DatabaseSettings | undefined) => (typeof said === 'object' ? said : {})
  if ((settings.database ?? manifest.database ?? true) === false) return undefined
  return { ...members(manifest.database), ...members(settings.database) }
}

/** Limits by the inventory, else by the manifest, else by the release record, else the defaults: 160 MiB and half a CPU. */
export function limitsOf(settings: BotSettings, manifest: BotManifest, released?: Limits): Limits {
  const memory = settings.memory ?? manifest.memory
  return {
    memoryMB: memory === undefined ? (released?.memoryMB ?? 160) : megabytes(memory),
    cpus: settings.cpus ?? manifest.cpus ?? released?.cpus ?? 0.5,
  }
}

function megabytes(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('g') ? 1024 : 1)
}
