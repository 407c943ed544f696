import { basename, join, normalize } from 'node:path/posix'
import type { ComposeService } from '../../read/compose-service.ts'
import { type Copy, inFolder } from '../../read/dockerfile.ts'
import type { Build } from '../build.ts'

/** Where a folder of the repository is in the image of the bot, as `static:` names it; undefined where it is not in it. */
export function inImage(path: string, { image, folder, dockerfile }: Build): string | undefined {
  const prefix = folder === '' ? '' : `${folder}/`
  if (!`${path}/`.startsWith(prefix)) return undefined
  const inside = path.slice(prefix.length)
  // The Dockerfile that is written where there is none copies all of it.
  if (image === undefined) return dockerfile === undefined && inside !== '' ? inside : undefined
  const target = image.copies.map((copy) => copiedTo(copy, inside)).find((each) => each !== undefined)
  return target === undefined ? undefined : fromWorkdir(target, image.workdir)
}

/** The path that a copy from the repository gives this one. */
function copiedTo({ stage, source, target }: Copy, path: string): string | undefined {
  const from = normalize(source)
    .replace(/^\.?\//, '')
    .replace(/\/$/, '')
  if (stage !== undefined || /[*?[]/.test(from)) return undefined
  if (from === '.' || from === '') return inFolder(target, path)
  if (path !== from && !path.startsWith(`${from}/`)) return undefined
  // What is in a folder is copied, not the folder.
  return inFolder(target.replace(/\/$/, ''), path.slice(from.length + 1))
}

export function fromWorkdir(path: string, workdir: string): string {
  const root = workdir.replace(/\/$/, '')
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path
}

/** The folder of the repository that is at a path of a container. */
export function mountedAt(path: string, { volumes }: Pick<ComposeService, 'volumes'>): string | undefined {
  const found = volumes.flatMap(({ value: { source = '', target } }) => {
    const place = target.replace(/\/$/, '')
    if (!/^\.\.?(\/|$)/.test(source) || (path !== place && !path.startsWith(`${place}/`))) return []
    const folder = normalize(join(source, path.slice(place.length))).replace(/^\.\/|\/$/g, '')
    return folder.startsWith('..') ? [] : [folder]
  })
  return found[0]
}

/** Whether a folder is one that a build makes. */
export function isBuilt(path: string): boolean {
  return /^(dist|build|out|www|public|html|browser|\.output)$/.test(basename(path))
}
