import { dirname, extname, normalize } from 'node:path/posix'
import type { ComposeService } from '../read/compose-service.ts'
import { type DockerImage, inFolder } from '../read/dockerfile.ts'
import type { Found, Note } from '../read/finding.ts'
import type { Entry } from './entry.ts'
import { interpolated } from './interpolate.ts'

/** Folders that the bot writes to, from what is mounted into it. */
export interface Storage {
  readonly data: readonly Found<string>[]
  readonly notes: readonly Note[]
}

/** `isInSource`: whether the repository has files at a path, which then are in the image. */
export function storageOf(
  service: ComposeService | undefined,
  image: DockerImage | undefined,
  workdir: string,
  known: ReadonlyMap<string, string>,
  sourceAt: (path: string) => 'file' | 'folder' | undefined,
): Storage {
  const data: Found<string>[] = []
  const notes: Note[] = []
  for (const { value, from } of service?.volumes ?? []) {
    const source = interpolated(value.source ?? '', new Map([...known, ['PWD', '.']]))
    const target = inFolder(workdir, interpolated(value.target, known))
    const note = aboutMount(source, target, value.readOnly, workdir, sourceAt)
    if (note === undefined) data.push({ value: target, from })
    else if (note !== '') notes.push(`${from}: ${note}`)
  }
  for (const volume of image?.volumes ?? [])
    if (!/^\/tmp\/?$/.test(volume.value)) data.push({ value: inFolder('/', volume.value), from: volume.from })
  return { data, notes }
}

/** Why a mount is no folder that lasts; empty where nothing need be said, undefined where it is one. */
function aboutMount(
  source: string,
  target: string,
  readOnly: boolean,
  workdir: string,
  sourceAt: (path: string) => 'file' | 'folder' | undefined,
): Note | undefined {
  const isNamed = !/^[./~]/.test(source)
  if (/docker\.sock$/.test(source))
    return `mounts the socket of Docker, by which a bot is root on the host: there is no such thing here, and the bot must do without`
  if (/^\/etc\/(localtime|timezone)$/.test(source))
    return 'mounts the time zone of the host: set it by "environment: { TZ: Europe/Berlin }"'
  if (target === workdir && isNamed)
    return `the volume at ${target} would hide the code of the image: move what the bot writes to a folder of its own, and list that under "data:"`
  if (isNamed) return readOnly ? '' : isFile(target) ? fileNote(target) : undefined
  const path = normalize(source).replace(/\/$/, '')
  if (source.startsWith('/') || source.startsWith('~') || path.startsWith('..'))
    return `mounts ${source} of the host at ${target}, which a bot cannot have: ${readOnly ? 'copy it into the image' : `list ${target} under "data:", and copy what is there now`}`
  if (path === '.' || target === workdir)
    return `mounts the source itself at ${target}, for development: the image has it`
  const there = sourceAt(path)
  if (there === 'file' || isFile(target))
    return readOnly || there === 'file'
      ? `mounts the file ${source}: the image has it if its Dockerfile copies it`
      : fileNote(target)
  if (there === 'folder')
    return `mounts ${source}, which is a part of the source: the image has it. If the bot writes there, list ${target} under "data:"`
  return readOnly ? `mounts ${source}, which is not in the source: copy it into the image` : undefined
}

function fileNote(target: string): Note {
  return `the file ${target} is to last, and only folders do: have the bot write it to a folder of its own, as ${dirname(target)}/data, and list that under "data:"`
}

function isFile(target: string): boolean {
  return /^\.(db|sqlite3?|json|ya?ml|toml|ini|txt|log|session|env|conf|pem|key|crt|png|jpg)$/.test(extname(target))
}

/** The keys for these folders, of which one inside another is a part already. */
export function storageKeys(data: readonly Found<string>[], service: ComposeService | undefined): Entry[] {
  const paths = new Map(data.map(({ value, from }) => [value, from]))
  const outer = [...paths].filter(([path]) => ![...paths.keys()].some((other) => path.startsWith(`${other}/`)))
  const scratch = (service?.tmpfs ?? []).filter(({ value }) => value !== '/tmp' && !paths.has(value))
  return [
    ...(outer.length === 0
      ? []
      : [
          {
            key: 'data',
            value: outer.map(([path]) => path),
            why: [...new Set(outer.map(([, from]) => from))].join(', '),
          },
        ]),
    ...(scratch.length === 0
      ? []
      : [{ key: 'scratch', value: [...new Set(scratch.map(({ value }) => value))], why: scratch[0]?.from ?? '' }]),
  ]
}
