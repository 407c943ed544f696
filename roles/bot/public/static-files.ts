import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { asOwner } from '../../../lib/platform/as-owner.ts'
import { nginxFolder } from '../../../lib/platform/nginx.ts'
import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { uidOf } from '../spec/layout.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { foldersOf, staticFolder, staticRoutes } from './layout.ts'

const checksum = shellFile(new URL('static-sum.sh', import.meta.url))
const extract = shellFile(new URL('extract-static.sh', import.meta.url))
const prune = shellFile(new URL('prune-static.sh', import.meta.url))

/** By folder of a bot's static files: whether it is as it was made. Undefined where the bot has none. */
export type StaticState = Readonly<Record<string, boolean>> | undefined

export function staticState(bot: string): Reading<StaticState> {
  return reading(kind, bot)
}

/** Shell text: the folders with the static files of a version, taken out of its image; fails where the image has none. */
export function extractScript(bot: string, number: number, spec: Spec): Script {
  const routes = staticRoutes(spec)
  if (routes.length === 0) return sh`:`
  return sh`
    ${asOwner}
    ${checksum}
    ${extract}
    static=${staticFolder(bot)} user=${uidOf(number)}
    ${lines(
      routes.map(
        ({ route: { path, static: from = '' }, folder }) => sh`extract_static ${spec.image} ${from} ${path} ${folder}`,
      ),
    )}`
}

type WithFiles = Pick<Release, 'spec' | 'former'>

/** Shell text: removes the folders that no release needs any more. */
export function pruneScript(bot: string, release: WithFiles, old: WithFiles | undefined): Script {
  if (![release, old].some((each) => each && (staticRoutes(each.spec).length > 0 || each.former))) return sh`:`
  return sh`
    if [ -d ${staticFolder(bot)} ]; then
      ${prune}
      static=${staticFolder(bot)}
      keep_static ${Object.values(foldersOf(release)).flat()}
    fi`
}

/** The state after a release: the folders of its files are whole. */
export function staticAfter(release: WithFiles): StaticState {
  const folders = Object.values(foldersOf(release)).flat()
  return folders.length === 0 ? undefined : Object.fromEntries(folders.map((folder) => [folder, true]))
}

/** The static files of the version that serves: what is gone or was changed is taken out of its image again. */
export function staticFiles(bot: string, number: number): Resource {
  const reads = { there: staticState(bot), current: currentRelease(bot) }
  return resource({
    id: `static:${bot}`,
    wants: 'as in the image',
    reads,
    plan: ({ there = {}, current }) => {
      const release = parseRelease(current)
      if (release === undefined) return []
      const broken = staticRoutes(release.spec).filter(({ folder }) => there[folder] !== true)
      if (broken.length === 0) return []
      const what = broken.map(({ route, folder }) => `${route.path}, which is ${folder in there ? 'changed' : 'gone'}`)
      return [
        {
          summary: `take the files out of the image again: ${what.join(', ')}`,
          script: { text: extractScript(bot, number, release.spec).text, shown: `extract ${release.spec.image}` },
          long: true,
          predicts: [
            becomes(reads.there, { ...there, ...Object.fromEntries(broken.map(({ folder }) => [folder, true])) }),
          ],
        },
      ]
    },
  })
}

const kind: Kind<StaticState> = {
  name: 'static-files',
  // No process where no bot has static files.
  script: () => sh`
    [ ! -d ${nginxFolder}/static ] || {
      ${checksum}
      for static_each in ${nginxFolder}/static/*/*/; do
        [ -d "$static_each" ] || continue
        [ "$(static_sum "$static_each")" = "$(cat "\${static_each%/}.sum" 2>/dev/null)" ] && static_whole=whole || static_whole=changed
        echo "static $static_whole $static_each"
      done
    }`,
  parse: (output, bots) => {
    const found = [...output.matchAll(/^static (whole|changed) .*\/static\/([^/]+)\/([^/]+)\/$/gm)]
    return new Map(
      bots.map((bot) => {
        const own = found.filter(([, , each]) => each === bot)
        return [
          bot,
          own.length === 0
            ? undefined
            : Object.fromEntries(own.map(([, whole, , name = '']) => [name, whole === 'whole'])),
        ]
      }),
    )
  },
}
