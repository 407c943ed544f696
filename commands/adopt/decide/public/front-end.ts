import { basename, dirname, join } from 'node:path/posix'
import type { Copy, DockerImage } from '../../read/dockerfile.ts'
import { numbered } from '../../read/finding.ts'
import { nodeProject } from '../../read/package-json.ts'
import type { Repository } from '../../read/repository.ts'
import type { Build } from '../build.ts'
import { telegramPackages } from '../start.ts'
import { fromWorkdir, isBuilt } from './image-paths.ts'

/** A project whose build is files for browsers. */
export interface FrontEnd {
  /** From the repository; empty: all of it. */
  readonly folder: string
  /** The path under which its pages expect to be. */
  readonly base: string
  /** Pages have paths that are no files. */
  readonly spa: boolean
  /** The folder in the image of the bot; undefined where that has none of it. */
  readonly static: string | undefined
  readonly from: string
}

const maxProjects = 50

/** The front ends of a repository, with where the Dockerfile of the bot puts what they are built to. */
export function frontEnds(repository: Repository, build: Build): readonly FrontEnd[] {
  const places = repository.files.filter((path) => basename(path) === 'package.json' && path.split('/').length <= 4)
  return places.slice(0, maxProjects).flatMap((path) => {
    const folder = dirname(path) === '.' ? '' : dirname(path)
    const found = builderOf(repository, folder)
    if (found === undefined) return []
    const copy = copyOf(build, folder)
    const workdir = build.image?.workdir ?? '/'
    return [
      {
        ...{ folder, base: baseOf(repository, folder), spa: found.spa },
        static: copy === undefined ? undefined : fromWorkdir(copy.target.replace(/\/$/, ''), workdir),
        from: copy?.from ?? found.from,
      },
    ]
  })
}

function builderOf(repository: Repository, folder: string): { spa: boolean; from: string } | undefined {
  const file = join(folder, 'package.json')
  const { dependencies } = nodeProject(repository.text(file) ?? '', file) ?? {}
  // A bot may be built by Vite as well.
  if (dependencies === undefined || [...dependencies.keys()].some((name) => telegramPackages.test(name)))
    return undefined
  const has = (...names: readonly string[]) => names.find((name) => dependencies.has(name))
  const isThere = (path: string) => repository.files.includes(join(folder, path))
  const bundler = has('vite', 'parcel', '@angular/cli', '@angular-devkit/build-angular', 'rspack', 'webpack')
  const page = ['index.html', 'public/index.html', 'src/index.html'].find(isThere)
  const whole = has('react-scripts', '@vue/cli-service', 'astro')
  const config = ['next.config.js', 'next.config.mjs', 'next.config.ts'].find(isThere)
  const isExport = has('next') && /output\s*:\s*['"]export['"]/.test(repository.text(join(folder, config ?? '')) ?? '')
  const name = (page && (bundler ?? whole)) ?? (whole === 'astro' ? whole : isExport ? 'next' : undefined)
  if (name === undefined) return undefined
  // Next and Astro write a file for each page.
  return { spa: name !== 'next' && name !== 'astro', from: dependencies.get(name) ?? file }
}

/** `base` of Vite, `basePath` of Next. */
function baseOf(repository: Repository, folder: string): string {
  for (const name of [
    'vite.config.ts',
    'vite.config.js',
    'vite.config.mjs',
    'next.config.js',
    'next.config.mjs',
    'next.config.ts',
  ])
    for (const [line] of numbered(repository.text(join(folder, name)) ?? '')) {
      const [, path] = /^\s*(?:base|basePath)\s*:\s*['"](\/[\w./~-]*)['"]/.exec(line) ?? []
      if (path !== undefined) return path.replace(/\/+$/, '') || '/'
    }
  return '/'
}

/** The COPY of the bot's Dockerfile that brings what the front end is built to. */
function copyOf({ image, folder }: Build, frontEnd: string): Copy | undefined {
  if (image === undefined) return undefined
  const inside = folder === '' ? frontEnd : frontEnd === folder ? '' : frontEnd.slice(folder.length + 1)
  return image.copies.find(({ stage, source }) => {
    const path = source.replace(/^\.\//, '').replace(/\/$/, '')
    if (!isBuilt(path)) return false
    // What is built outside of the Dockerfile.
    if (stage === undefined) return inside !== '' && path.startsWith(`${inside}/`)
    return builds(image, stage, inside)
  })
}

/** Whether a stage has the front end: it names its folder. */
function builds({ text }: DockerImage, stage: string, inside: string): boolean {
  // The stage with the whole repository, which is the front end itself.
  if (inside === '') return true
  const own = text
    .split(/^[ \t]*(?=FROM[ \t])/im)
    .find((each) => /^FROM[ \t]+.*[ \t]AS[ \t]+(\S+)/i.exec(each)?.[1] === stage)
  return (own ?? '')
    .split('\n')
    .some(
      (line) =>
        /^[ \t]*(COPY|ADD|WORKDIR|RUN)\b/i.test(line) &&
        line.split(/[\s"'=,&;]+/).some((word) => isBelow(word, inside)),
    )
}

/** `./web/package.json`, `/app/web`. */
function isBelow(word: string, folder: string): boolean {
  return `/${word.replace(/^\.?\//, '')}/`.includes(`/${folder}/`)
}
