import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { ConnectError, HostError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import type { Spread } from '../deploy/deployment.ts'
import { copyImages, type Image, imagesOn, missingImages } from '../move/images.ts'
import { routeOf, sometimes } from '../move/route.ts'

/**
 * Brings the images of bots with replicas to all hosts that run them, from one ssh connection to the other one: without a registry. A
 * host that cannot be reached goes without, as long as another one has it: the swarm runs nothing there either.
 */
export const spreadImages: Spread = async (session, from, deployments) => {
  for (const [bot, { spec }] of deployments) {
    const others = session.inventory.hosts.filter(
      ({ name }) => name !== from.name && spec.replicas?.hosts.includes(name),
    )
    await session.connected(
      from,
      async (here) => {
        const kept = (await perform(here, builtImages(bot))).split('\n').filter(Boolean)
        const images = await imagesOn(here, [spec.image])
        if (images.length === 0) throw new HostError(`${from.name}: the image ${spec.image} is not there`)
        const [layers = []] = await layersOn(here, [spec.image])
        // Not all at once: each is the whole image through this machine.
        const unreached = await mapConcurrent(2, others, (to) =>
          unlessUnreached(() => spreadTo(session, bot, { from, to, images, layers, kept })),
        )
        const isOnOne = spec.replicas?.hosts.includes(from.name) || unreached.includes(undefined)
        for (const [i, error] of unreached.entries()) {
          if (error === undefined) continue
          if (!isOnOne) throw error
          const { name = '' } = others[i] ?? {}
          session.report.line(
            `${name}  warning: can run no replica of this version until npx zx playbooks/bot.ts --name ${bot} brings the image: ${error.message}`,
          )
        }
      },
      { quiet: true },
    )
  }
}

/** The error of a host that was not reached; undefined where all went well. */
async function unlessUnreached(run: () => Promise<void>): Promise<ConnectError | undefined> {
  try {
    await run()
  } catch (error) {
    if (error instanceof ConnectError) return error
    throw error
  }
}

interface Way {
  readonly from: InventoryHost
  readonly to: InventoryHost
  readonly images: readonly Image[]
  /** Of the image, from the lowest on. */
  readonly layers: readonly string[]
  /** The images of the bot that its own host keeps. */
  readonly kept: readonly string[]
}

async function spreadTo(session: Session, bot: string, { from, to, images, layers, kept }: Way): Promise<void> {
  const say = (line: string) => session.report.line(`${to.name}  ${line}`)
  await session.connected(
    to,
    async (there) => {
      const names = images.map(({ name }) => name)
      const missing = missingImages(images, await imagesOn(there, names))
      if (missing.length === 0) return
      say(`${names.join(', ')} comes from ${from.name}`)
      await session.hold(to, there)
      const without = await sharedLayers(layers, there)
      await copyImages(routeOf(session, from, to), there, missing, sometimes(names.join(', '), say), without)
      // Those that its own host keeps no longer are of no use here either; one that still runs stays.
      await perform(there, pruneImages(bot, [...kept, ...names]))
    },
    { quiet: true },
  )
}

/** The layers that another host has as well, on the same ones below: most of an image stays when a bot changes. */
async function sharedLayers(layers: readonly string[], there: Connection): Promise<readonly string[]> {
  const others = await layersOn(there)
  const common = others.map((each) => {
    const end = layers.findIndex((layer, i) => layer !== each[i])
    return end === -1 ? layers.length : end
  })
  const shared = layers.slice(0, Math.max(0, ...common))
  // One that comes again higher up, as an empty one does, is one member of the archive.
  return shared.filter((layer, i) => shared.indexOf(layer) === i && !layers.slice(shared.length).includes(layer))
}

/** The layers of these images, or of all that a host has; none where its engine writes archives in another way. */
async function layersOn(connection: Connection, images?: readonly string[]): Promise<readonly string[][]> {
  const told = await perform(connection, layersScript(images))
  return told
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ').filter((layer) => /^sha256:[0-9a-f]{64}$/.test(layer)))
}

export function layersScript(images?: readonly string[]) {
  return sh`
    [ "$(docker info --format '{{.Driver}}')" = overlay2 ] || exit 0
    ${images === undefined ? sh`docker image ls --quiet --no-trunc | sort -u` : sh`printf '%s\n' ${images}`} |
      xargs -r docker image inspect --format '{{join .RootFS.Layers " "}}' --`
}

export function builtImages(bot: string) {
  return sh`docker image ls --filter reference=${`botgarden/${bot}`} --format '{{.Repository}}:{{.Tag}}'`
}

export function pruneImages(bot: string, kept: readonly string[]) {
  return sh`
    ${builtImages(bot)} | grep -vxF ${kept.flatMap((each) => ['-e', each])} |
      while read -r image; do docker image rm "$image" >/dev/null 2>&1 || :; done || :`
}
