import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { relay } from '../../lib/ssh/relay.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Route } from './route.ts'

/** An image that a host has: its name, the checksum of its content, and its size. */
export interface Image {
  readonly name: string
  readonly id: string
  readonly bytes: number
}

/** The images of these names that a host has. */
export async function imagesOn(connection: Connection, names: readonly string[]): Promise<readonly Image[]> {
  const told = await perform(connection, imagesScript(names))
  return [...told.matchAll(/^(\S+) (sha256:[0-9a-f]{64}) (\d+)$/gm)].map(([, name = '', id = '', bytes]) => {
    return { name, id, bytes: Number(bytes) }
  })
}

/** The images that the other host lacks or has otherwise. */
export function missingImages(here: readonly Image[], there: readonly Image[]): readonly Image[] {
  return here.filter(({ name, id }) => there.every((each) => each.name !== name || each.id !== id))
}

/** Copies images as they are. Throws a `HostError` where the archive has named any other image. */
export async function copyImages(
  route: Route,
  there: Connection,
  images: readonly Image[],
  progress: (bytes: number) => void,
  /** Layers that the other host has below those of the images: they are left out. */
  without: readonly string[] = [],
): Promise<void> {
  if (images.length === 0) return
  const names = images.map(({ name }) => name)
  const before = await perform(there, namedImages)
  await relay(
    { target: route.from, relayed: saveScript(names, without) },
    { target: route.to, relayed: loadScript },
    progress,
  )
  const isOther = (line: string) => !names.includes(line.split(' ')[0] ?? '')
  const others = (told: string) => told.split('\n').filter(isOther).join('\n')
  // What a host sends is a claim: its archive could hold an image of a server of the other host.
  if (others(before) !== others(await perform(there, namedImages)))
    throw new HostError(
      `${route.from.name} has sent images that were not asked for: is it still yours? See docker image ls on ${route.to.name}`,
    )
  const arrived = await imagesOn(there, names)
  const missing = missingImages(images, arrived)
  if (missing.length > 0) throw new HostError(`${missing.map(({ name }) => name).join(', ')} did not arrive as sent`)
}

export function imagesScript(names: readonly string[]): Script {
  return sh`
    for name in ${names}; do
      docker image inspect --format "$name {{.Id}} {{.Size}}" -- "$name" 2>/dev/null || :
    done`
}

/** The engine opens no layer of an archive that it has already, on the same ones: such a layer need not be in it. */
export function saveScript(names: readonly string[], without: readonly string[] = []): Script {
  const members = without.map((id) => `blobs/sha256/${id.replace(/^sha256:/, '')}`)
  if (members.length > 0)
    return sh`relayed() { { docker image save ${names} | tar --delete --file=- ${members} || echo "$?" >"$relay/failed"; } | gzip --fast; [ ! -e "$relay/failed" ]; }`
  return sh`relayed() { { docker image save ${names} || echo "$?" >"$relay/failed"; } | gzip --fast; [ ! -e "$relay/failed" ]; }`
}

export const loadScript = sh`relayed() { gzip --decompress --stdout | docker image load --quiet; }`

export const namedImages = sh`docker image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | grep -v '<none>' | sort`
