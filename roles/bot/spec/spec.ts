import type { BotSettings, Manifest } from './schema.ts'

/** Everything about a version of a bot that is settled when it is released; the host keeps it with the release. */
export interface Spec {
  readonly image: string
  readonly mode: 'webhook' | 'polling'
  readonly port: number
  readonly health: string | undefined
  readonly migrate: readonly string[] | undefined
  /** A checksum of the migrations; undefined where there are none, or nobody knows. */
  readonly migrations: string | undefined
  readonly webhookPath: string
  readonly allowedUpdates: readonly string[] | undefined
  readonly maxConnections: number
  readonly database: boolean
  readonly environment: Readonly<Record<string, string>>
  /** Names of files in /run/secrets beyond those that every bot has. */
  readonly secrets: readonly string[]
  /** Folders that it may write to besides /tmp; left out where there are none, as in releases of before there were any. */
  readonly scratch?: readonly string[]
}

/** What a bot may take of its host; changed without a release. */
export interface Limits {
  readonly memoryMB: number
  readonly cpus: number
}

/** The version of a bot that runs this image: what the inventory says, else its manifest, else what is usual. */
export function specOf(image: string, settings: BotSettings, manifest: Manifest, migrations?: string): Spec {
  const said = { ...manifest, ...settings }
  const environment = { ...manifest.environment, ...settings.environment }
  return {
    image,
    mode: said.mode ?? 'webhook',
    port: said.port ?? 3000,
    health: said.health,
    migrate: said.migrate,
    migrations: said.migrate === undefined ? undefined : migrations,
    webhookPath: said.webhookPath ?? '/webhook',
    allowedUpdates: said.allowedUpdates,
    // A small bot on a small host: what it cannot work on at once waits at Telegram.
    maxConnections: said.maxConnections ?? 10,
    database: said.database ?? true,
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)])),
    secrets: [...new Set([...(manifest.secrets ?? []), ...Object.keys(settings.secrets ?? {})])].sort(),
    ...(said.scratch?.length && { scratch: [...new Set(said.scratch)].sort() }),
  }
}

/** What the inventory says, else the manifest, else what was settled at the release, else what is usual. */
export function limitsOf(settings: BotSettings, manifest: Manifest, released?: Limits): Limits {
  const memory = settings.memory ?? manifest.memory
  return {
    memoryMB: memory === undefined ? (released?.memoryMB ?? 160) : megabytes(memory),
    cpus: settings.cpus ?? manifest.cpus ?? released?.cpus ?? 0.5,
  }
}

function megabytes(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith('g') ? 1024 : 1)
}
