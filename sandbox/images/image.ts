import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Progress } from '../machine/progress.ts'
import { build, folder, type Piece } from './build.ts'
import { cached, dockerfile, tagOf } from './cache.ts'
import { baseImage, baseTag, registryAnswers } from './debian.ts'
import type { Image, StandIn } from './index.ts'

/** Builds an image of ours unless its tag exists, and returns the tag. */
export async function imageOf(image: Image, progress: Progress): Promise<string> {
  return cached(await imageTag(image), progress, async (tag) => {
    const from = await startOf(image.from, progress)
    await build(image.name, tag, from, dockerfileOf(image), await piecesOf(image))
  })
}

/** The image that is used in place of an official one. */
export function standInOf({ image }: StandIn, progress: Progress): Promise<string> {
  return image === undefined ? baseImage(progress) : imageOf(image, progress)
}

export function standInTag({ image }: StandIn): Promise<string> {
  return image === undefined ? baseTag() : imageTag(image)
}

export async function imageTag(image: Image): Promise<string> {
  const from = await (image.from === undefined ? baseTag() : standInTag(image.from))
  const pieces = await piecesOf(image)
  return tagOf(image.name, from, readFileSync(dockerfileOf(image)), ...pieces.map(({ definition }) => definition))
}

async function startOf(from: StandIn | undefined, progress: Progress): Promise<string> {
  if (from === undefined) return baseImage(progress)
  return (await registryAnswers()) ? from.official : standInOf(from, progress)
}

function dockerfileOf({ name, builtLike = name }: Image): string {
  return dockerfile(builtLike)
}

async function piecesOf({ name, builtLike = name, pieces }: Image): Promise<Piece[]> {
  const beside = join(import.meta.dirname, builtLike)
  return [...(existsSync(beside) ? [folder(beside, builtLike)] : []), ...((await pieces?.()) ?? [])]
}
