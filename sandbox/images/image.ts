import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Progress, step } from '../machine/progress.ts'
import { build, folder, type Piece } from './build.ts'
import { cached, dockerfile, tagOf } from './cache.ts'
import { baseOf, baseTag, registryAnswers } from './debian.ts'
import type { Image, StandIn, Suite } from './index.ts'

/** Builds an image of ours unless its tag exists, and returns the tag. */
export async function imageOf(image: Image, progress: Progress): Promise<string> {
  return cached(await imageTag(image), progress, async (tag) => {
    const from = await startOf(image.from, progress)
    await step(progress, `building the image ${image.name}`, async () =>
      build(image.name, tag, from, dockerfile(image.name), await piecesOf(image)),
    )
  })
}

/** The image that is used in place of an official one. */
export function standInOf({ image }: StandIn, progress: Progress): Promise<string> {
  return typeof image === 'string' ? baseOf(image, progress) : imageOf(image, progress)
}

export function standInTag({ image }: StandIn): Promise<string> {
  return typeof image === 'string' ? baseTag(image) : imageTag(image)
}

async function imageTag(image: Image): Promise<string> {
  const from = await (typeof image.from === 'string' ? baseTag(image.from) : standInTag(image.from))
  const pieces = await piecesOf(image)
  return tagOf(image.name, from, readFileSync(dockerfile(image.name)), ...pieces.map(({ definition }) => definition))
}

async function startOf(from: Suite | StandIn, progress: Progress): Promise<string> {
  if (typeof from === 'string') return baseOf(from, progress)
  return (await registryAnswers()) ? from.official : standInOf(from, progress)
}

async function piecesOf({ name, pieces }: Image): Promise<Piece[]> {
  const beside = join(import.meta.dirname, name)
  return [...(existsSync(beside) ? [folder(beside, name)] : []), ...((await pieces?.()) ?? [])]
}
