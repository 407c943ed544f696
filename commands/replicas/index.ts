import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import type { Spread } from '../deploy/deployment.ts'
import { copyImages, type Image, imagesOn, missingImages } from '../move/images.ts'
import { perform } from '../move/perform.ts'
import { routeOf, sometimes } from '../move/route.ts'

/** Brings the images of bots with replicas to all hosts that run them, from one ssh connection to the other one: without a registry. */
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
        // Not all at once: each is the whole image through this machine.
        await mapConcurrent(2, others, (to) => spreadTo(session, bot, { from, to, images, kept }))
      },
      { quiet: true },
    )
  }
}

interface Way {
  readonly from: InventoryHost
  readonly to: InventoryHost
  readonly images: readonly Image[]
  /** The images of the bot that its own host keeps. */
  readonly kept: readonly string[]
}

async function spreadTo(session: Session, bot: string, { from, to, images, kept }: Way): Promise<void> {
  const say = (line: string) => session.report.line(`${to.name}  ${line}`)
  await session.connected(
    to,
    async (there) => {
      const names = images.map(({ name }) => name)
      const missing = missingImages(images, await imagesOn(there, names))
      if (missing.length === 0) return
      say(`${names.join(', ')} comes from ${from.name}`)
      await session.hold(to, there)
      await copyImages(routeOf(session, from, to), there, missing, sometimes(names.join(', '), say))
      // Those that its own host keeps no longer are of no use here either; one that still runs stays.
      await perform(there, pruneImages(bot, [...kept, ...names]))
    },
    { quiet: true },
  )
}

function builtImages(bot: string) {
  return sh`docker image ls --filter reference=${`botgarden/${bot}`} --format '{{.Repository}}:{{.Tag}}'`
}

function pruneImages(bot: string, kept: readonly string[]) {
  return sh`
    ${builtImages(bot)} | grep -vxF ${kept.flatMap((each) => ['-e', each])} |
      while read -r image; do docker image rm "$image" >/dev/null 2>&1 || :; done || :`
}
