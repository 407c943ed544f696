import { processSettings } from './processes.ts'
import type { BotManifest, BotSettings } from './schema.ts'
import { megabytes } from './size.ts'

/** Resource limits of a container, which change without a release. `memoryMB` is in MiB. */
export interface ContainerLimits {
  readonly memoryMB: number
  readonly cpus: number
}

/** The limits of a bot's own container, and by name those of its processes. */
export interface Limits extends ContainerLimits {
  readonly processes?: Readonly<Record<string, ContainerLimits>>
}

/** Limits by the inventory, else by the manifest, else by the release record, else the defaults. */
export function limitsOf(settings: BotSettings, manifest: BotManifest, released?: Limits): Limits {
  const processes = processLimits(settings, manifest, released)
  return { ...containerLimits({ ...manifest, ...settings }, released), ...(processes && { processes }) }
}

/** The limits of one process; as of a bot that says nothing where they are not known. */
export function limitsOfProcess({ processes = {} }: Limits, name: string): ContainerLimits {
  return processes[name] ?? defaults
}

const defaults: ContainerLimits = { memoryMB: 160, cpus: 0.5 }

function containerLimits(
  { memory, cpus }: Pick<BotSettings, 'memory' | 'cpus'>,
  released: ContainerLimits = defaults,
): ContainerLimits {
  return { memoryMB: memory === undefined ? released.memoryMB : megabytes(memory), cpus: cpus ?? released.cpus }
}

function processLimits(settings: BotSettings, manifest: BotManifest, released?: Limits) {
  const said = processSettings(settings, manifest)
  const names = [...new Set([...Object.keys(said), ...Object.keys(released?.processes ?? {})])].sort()
  if (names.length === 0) return undefined
  return Object.fromEntries(names.map((name) => [name, containerLimits(said[name] ?? {}, released?.processes?.[name])]))
}
