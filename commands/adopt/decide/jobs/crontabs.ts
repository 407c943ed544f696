import { basename, join, normalize } from 'node:path/posix'
import type { ComposeService } from '../../read/compose-service.ts'
import { crontab, type Timed, writtenCrontab } from '../../read/crontab.ts'
import type { DockerImage } from '../../read/dockerfile.ts'
import { inFolder } from '../../read/dockerfile.ts'
import type { Repository } from '../../read/repository.ts'

/** Folders and files in which cron looks by itself. */
const cronPlaces = /^\/etc\/(cron\.d\/|crontabs\/|crontab$)|^\/var\/spool\/cron\//

/** Where a container has its files from. */
export interface Container {
  readonly volumes: ComposeService['volumes']
  readonly image: DockerImage | undefined
  /** The folder that the image is built from, from the repository. */
  readonly folder: string
  readonly workdir: string
  /** The script that starts it. */
  readonly script: { readonly file: string; readonly text: string } | undefined
}

/** The crontabs that a command which starts cron goes by, read; empty where none is found. */
export function crontabsOf(command: string, container: Container, repository: Repository): readonly Timed[] {
  const named = [...command.matchAll(/\bsupercronic\s+(?:-\S+\s+)*([^\s;&|"'-][^\s;&|"']*)/g)].map(
    ([, path = '']) => path,
  )
  const installed = [
    ...(container.image?.text ?? '').matchAll(/(?:RUN|&&|;)[ \t]*crontab[ \t]+(?:-u[ \t]+\w+[ \t]+)?([\w./-]*\w)/g),
  ].map(([, path = '']) => path)
  const mounted = [
    ...container.volumes.map(({ value }) => value.target),
    ...(container.image?.copies ?? []).map(copiedTo),
  ]
  const looked = installed.length > 0 ? installed : mounted.filter((path) => cronPlaces.test(path))
  const places = named.length > 0 ? named : looked
  const files = places.flatMap((path) => {
    const place = inFolder(container.workdir, path)
    const file = sourceOf(place, container, repository)
    return file === undefined
      ? []
      : [[file, /^\/etc\/(cron\.d\/|crontab$)/.test(place) && looked === places && installed.length === 0] as const]
  })
  // What a Dockerfile or a script writes for cron itself.
  const written = [
    ...(container.image === undefined ? [] : writtenCrontab(container.image.text, container.image.file)),
    ...(container.script === undefined ? [] : writtenCrontab(container.script.text, container.script.file)),
  ]
  if (files.length === 0 && written.length > 0) return written
  const all =
    files.length > 0
      ? files
      : crontabFiles(repository.files)
          .slice(0, 1)
          .map((file) => [file, false] as const)
  return [...new Map(all)].flatMap(([file, hasUser]) => crontab(repository.text(file) ?? '', file, hasUser))
}

/** Files that are crontabs by their names. */
export function crontabFiles(files: readonly string[]): readonly string[] {
  return files.filter(
    (file) =>
      !/^Dockerfile|\.(py|[cm]?[jt]s|go|sh|md)$/.test(basename(file)) &&
      (/^(crontab|crontab\.txt|.*\.crontab|.*[._-]cron(tab)?)$/.test(basename(file)) ||
        /(^|\/)cron\.d\/[\w-]+$/.test(file)),
  )
}

/** The file of the repository that is at a path of the container. */
function sourceOf(
  path: string,
  { volumes, image, folder, workdir }: Container,
  { files }: Repository,
): string | undefined {
  const has = (file: string) => (files.includes(file) ? [file] : [])
  const mounted = volumes.flatMap(({ value: { source = '', target } }) => {
    const isInside = path === target || path.startsWith(`${target}/`)
    return isInside && /^\.?\.?\//.test(source)
      ? has(normalize(join(source, path.slice(target.length))).replace(/\/$/, ''))
      : []
  })
  const copied = (image?.copies ?? []).flatMap((copy) =>
    copy.stage === undefined && copiedTo(copy) === path ? has(normalize(join(folder, copy.source))) : [],
  )
  const below = path.startsWith(`${workdir}/`) ? has(join(folder, path.slice(workdir.length + 1))) : []
  const alike = files.filter((file) => basename(file) === basename(path))
  return mounted[0] ?? copied[0] ?? below[0] ?? (alike.length === 1 ? alike[0] : undefined)
}

function copiedTo({ source, target }: { readonly source: string; readonly target: string }): string {
  return target.endsWith('/') ? `${target}${basename(source)}` : target
}
