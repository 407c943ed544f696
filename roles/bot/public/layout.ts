import { nginxFolder } from '../../../lib/platform/nginx.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import type { Release } from '../spec/release-record.ts'
import type { Route } from '../spec/routes.ts'
import type { Spec } from '../spec/spec.ts'

/** Where the folders of a bot's static files are on its host: one for each route and image, beside it a checksum, `FOLDER.sum`. */
export function staticFolder(bot: string): string {
  return `${nginxFolder}/static/${bot}`
}

/** The same folder as nginx has it. */
export function staticRoot(bot: string): string {
  return `/etc/nginx/static/${bot}`
}

/** The name of the folder with the files of a route: the same image has the same files. */
export function folderOf({ image }: Pick<Spec, 'image'>, { path, static: folder = '' }: Route): string {
  return sha256Of([image, path, folder].join('\0')).slice(0, 16)
}

/** The routes of a version that are folders of its image, each with the folder of its files. */
export function staticRoutes(spec: Spec): readonly { readonly route: Route; readonly folder: string }[] {
  return (spec.public ?? [])
    .filter((route) => route.static !== undefined)
    .map((route) => ({ route, folder: folderOf(spec, route) }))
}

/**
 * What the record of a new version says of the files before it, by route: those of the version that it replaces, or where they
 * are the same, those from before that one.
 */
export function formerOf(spec: Spec, old: Pick<Release, 'spec' | 'former'> | undefined): Pick<Release, 'former'> {
  const before = new Map(
    old === undefined ? [] : staticRoutes(old.spec).map(({ route, folder }) => [route.path, folder]),
  )
  const former = staticRoutes(spec).flatMap(({ route: { path }, folder }) => {
    const last = before.get(path) === folder ? old?.former?.[path] : before.get(path)
    return last === undefined || last === folder ? [] : [[path, last] as const]
  })
  return former.length === 0 ? {} : { former: Object.fromEntries(former) }
}

/** By route: the folders with its files, in the order in which they are looked through. */
export function foldersOf({ spec, former = {} }: Pick<Release, 'spec' | 'former'>): Record<string, readonly string[]> {
  return Object.fromEntries(
    staticRoutes(spec).map(({ route: { path }, folder }) => {
      const last = former[path]
      return [path, last === undefined ? [folder] : [folder, last]]
    }),
  )
}
