import type { BotInstance } from './instance.ts'
import { type Colour, layoutOf } from './layout.ts'
import type { BotManifest } from './schema.ts'

/** A further container of a version of a bot: its user, network, secrets, variables and data are those of the bot. */
export interface Process {
  readonly image: string
  /** What it runs instead of the command of its image. */
  readonly command?: readonly string[]
  /** Where it listens for HTTP; left out: nowhere. */
  readonly port?: number
  /** The path that answers 2xx when it is ready. */
  readonly health?: string
  /** Never two of it at the same time: the old one stops before the new one starts. */
  readonly single?: true
}

/** By name, as in bot.yaml. */
export type Processes = Readonly<Record<string, Process>>

type Said = Pick<BotManifest, 'processes'>
/** What bot.yaml or the inventory says of a process. */
export type ProcessSettings = NonNullable<BotManifest['processes']>[string]

/** What is said of the processes of a bot, by name: the inventory overrides single keys of the manifest. */
export function processSettings(settings: Said, manifest: Said): Readonly<Record<string, ProcessSettings>> {
  const [said, own] = [settings.processes ?? {}, manifest.processes ?? {}]
  const names = [...new Set([...Object.keys(own), ...Object.keys(said)])].sort()
  return Object.fromEntries(
    names.map((name): [string, ProcessSettings] => {
      const args = { ...own[name]?.args, ...said[name]?.args }
      return [name, { ...own[name], ...said[name], ...(Object.keys(args).length > 0 && { args }) }]
    }),
  )
}

/** The processes of a version. `images`: by name, of those that have one of their own. */
export function processesIn(
  settings: Said,
  manifest: Said,
  image: string,
  images: Readonly<Record<string, string>>,
): Processes | undefined {
  const wanted = Object.entries(processSettings(settings, manifest))
  if (wanted.length === 0) return undefined
  return Object.fromEntries(
    wanted.map(([name, { command, port, health, single }]): [string, Process] => [
      name,
      {
        image: images[name] ?? image,
        ...(command !== undefined && { command }),
        ...(port !== undefined && { port }),
        ...(health !== undefined && { health }),
        ...(single && { single }),
      },
    ]),
  )
}

/** The images of a version, each once; that of the bot first. */
export function imagesIn({
  image,
  processes = {},
}: {
  readonly image: string
  readonly processes?: Processes
}): string[] {
  return [...new Set([image, ...Object.values(processes).map((each) => each.image)])]
}

/** The container of a process. No bot has a dot in its name. */
export function processContainer(bot: string, process: string, colour: Colour): string {
  return `${layoutOf(bot).network}.${process}-${colour}`
}

/** The address of a process of this version in the network of its bot. Addresses of the two colours are never the same. */
export function processAddress(
  { base, number }: Pick<BotInstance, 'base' | 'number'>,
  { processes = {} }: { readonly processes?: Processes },
  process: string,
  colour: Colour,
): string {
  const index = Object.keys(processes).sort().indexOf(process)
  return `${base}.${number}.${firstAddress + 2 * index + (colour === 'blue' ? 0 : 1)}`
}

/** Those before it are of the bot and its cache. */
const firstAddress = 16
