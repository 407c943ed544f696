import { join } from 'node:path'
import { withLock } from '../../lib/std/file-lock.ts'
import { docker, type Result, tryDocker } from '../machine/docker-cli.ts'
import { see } from '../machine/inspect.ts'
import { containerOf, home, label, network } from '../machine/paths.ts'
import type { Progress } from '../machine/progress.ts'

/** A container beside the VPSs, reached from them as `NAME.sandbox`. */
export interface Part {
  readonly name: string
  readonly image: (progress: Progress) => Promise<string>
  readonly address?: string
  /** Names beside `NAME.sandbox` by which it is found on the sandbox's network. */
  readonly aliases?: readonly string[]
  /** Ports that this machine reaches as well: on 127.0.0.1, each at a number that Docker chooses. */
  readonly published?: readonly number[]
  readonly env?: Readonly<Record<string, string>>
  /** The folder in the container whose content is kept in a volume. */
  readonly keeps?: string
  readonly command?: readonly string[]
}

/** Makes sure that a part runs, as it is defined now; true when it had to be started. */
export async function ensurePart(part: Part, progress: Progress): Promise<boolean> {
  const image = await part.image(progress)
  return withLock(join(home, `${part.name}.lock`), 120, async () => {
    const seen = (await see([part.name])).get(part.name)
    if (seen?.running && seen.connected && seen.image === image) return false
    // Its data is in its volume: a stopped or older container is replaced, not repaired.
    await tryDocker(['rm', '-f', '-v', containerOf(part.name)])
    await start(part, image)
    return true
  })
}

/** Runs a shell command inside a part, or inside a VPS past ssh: for a second opinion, and for faults. */
export async function inPart(name: string, command: string, options: { seconds?: number } = {}): Promise<Result> {
  return tryDocker(['exec', containerOf(name), 'sh', '-c', command], options)
}

/** Where this machine reaches a published port of a part, as `127.0.0.1:PORT`. */
export async function publishedAt(name: string, port: number): Promise<string> {
  return (await docker(['port', containerOf(name), `${port}/tcp`])).split('\n')[0] ?? ''
}

async function start(
  { name, address, aliases = [], published = [], env = {}, keeps, command = [] }: Part,
  image: string,
) {
  const container = containerOf(name)
  if (keeps !== undefined) await docker(['volume', 'create', '--label', label, container])
  await docker([
    ...['run', '-d', '--name', container, '--hostname', name, '--label', label, '--restart', 'unless-stopped'],
    ...['--network', network, ...(address === undefined ? [] : ['--ip', address])],
    ...[`${name}.sandbox`, ...aliases].flatMap((alias) => ['--network-alias', alias]),
    ...published.flatMap((port) => ['-p', `127.0.0.1::${port}`]),
    ...Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
    ...(keeps === undefined ? [] : ['-v', `${container}:${keeps}`]),
    ...[image, ...command],
  ])
}
