import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { installHere, isInstalled } from './apt.ts'
import { docker, here, logged, tryDocker } from './docker.ts'
import type { StandIn, Suite } from './images/index.ts'
import { withLock } from './lock.ts'
import { debianMirror, surroundings } from './machine.ts'
import { hashOf, paths } from './names.ts'
import { isAlive, markOf } from './process.ts'
import { type Progress, step } from './progress.ts'

/** Every image of ours is `REPOSITORY/NAME:HASH-OF-ITS-DEFINITION`: the tag exists = it is built and current. */
export const repository = 'botgarden-sandbox'

/** The official image of a suite; a suite without one is always built from packages. */
const official: Partial<Record<Suite, string>> = { trixie: 'debian:13' }

/** Builds an image of ours unless its tag exists, and returns the tag. */
export async function imageOf(name: string, suite: Suite, progress: Progress): Promise<string> {
  const base = await baseOf(suite, progress)
  const file = dockerfile(name)
  return cached(tagOf(name, base, readFileSync(file)), progress, (tag) =>
    step(progress, `building the image ${name}`, () => build(name, tag, base, file)),
  )
}

/** The image that stands in for an official one. */
export async function standInOf({ suite, dockerfile }: StandIn, progress: Progress): Promise<string> {
  return dockerfile === undefined ? baseOf(suite, progress) : imageOf(dockerfile, suite, progress)
}

/** What a stand-in is made of, for the definition of whatever holds it. */
export function definitionOf(image: StandIn): string {
  return image.dockerfile === undefined ? image.name : image.name + readFileSync(dockerfile(image.dockerfile), 'utf8')
}

/** The image if its tag exists, else the one that is made now: by one process of this machine at a time. */
export async function cached(tag: string, progress: Progress, make: (tag: string) => Promise<void>): Promise<string> {
  if (await exists(tag)) return tag
  await withLock(
    join(paths.machine, `${tag.replace(/\W/g, '-')}.lock`),
    900,
    async () => {
      if (!(await exists(tag))) await make(tag)
    },
    () => progress(`waiting for another run that builds ${tag}`),
  )
  return tag
}

export function tagOf(name: string, ...definition: (string | Buffer)[]): string {
  return `${repository}/${name}:${hashOf(...definition).slice(0, 12)}`
}

/** True when the registry that official images come from answers. */
export async function registryAnswers(): Promise<boolean> {
  const { status } = await tryDocker(['manifest', 'inspect', 'debian:13'], { seconds: 10 })
  return status === 0
}

async function baseOf(suite: Suite, progress: Progress): Promise<string> {
  const files = await surroundings()
  const file = dockerfile('base')
  return cached(tagOf(`base-${suite}`, readFileSync(file), JSON.stringify(files)), progress, async (tag) => {
    const from = (await pull(suite, progress)) ?? (await bootstrap(suite, progress))
    await build(`base-${suite}`, tag, from, file, files)
  })
}

async function pull(suite: Suite, progress: Progress): Promise<string | undefined> {
  const image = official[suite]
  if (image === undefined || !(await registryAnswers())) return undefined
  await step(progress, `pulling ${image}`, () => logged(`pull-${suite}`, 600, ['docker', 'pull', '-q', image]))
  return image
}

/** Debian from its packages, as an image under a passing name. */
async function bootstrap(suite: Suite, progress: Progress): Promise<string> {
  if (!(await isInstalled('mmdebstrap'))) {
    await installHere(['mmdebstrap'], 'no image registry in reach, and no mmdebstrap to do without', progress)
  }
  const tag = `${repository}/bare:${suite}`
  const mirror = await debianMirror()
  await step(progress, `building Debian ${suite} from its packages`, () =>
    inScratch(async (folder) => {
      const archive = join(folder, 'root.tar')
      await logged(`debian-${suite}`, 600, [
        // In namespaces of its own: what it mounts and starts is gone with it, even when it is killed.
        ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'env', `TMPDIR=${folder}`],
        ...['mmdebstrap', '--variant=minbase'],
        // A mirror may be weeks old. The builder's own name and name server have no place in the image.
        ...[
          '--aptopt=Acquire::Check-Valid-Until "false"',
          '--customize-hook=rm -f "$1"/etc/hostname "$1"/etc/resolv.conf',
        ],
        ...[suite, archive, ...(mirror === undefined ? [] : sourcesOf(suite, mirror))],
      ])
      await docker(['import', archive, tag], { seconds: 300 })
    }),
  )
  return tag
}

function sourcesOf(suite: Suite, { main, security }: { main: string; security: string }): string[] {
  const released =
    suite === 'forky' ? [] : [`deb ${main} ${suite}-updates main`, `deb ${security} ${suite}-security main`]
  return [`deb ${main} ${suite} main`, ...released]
}

async function build(
  name: string,
  tag: string,
  from: string,
  file: string,
  files: Record<string, string> = {},
): Promise<void> {
  await inScratch(async (folder) => {
    mkdirSync(join(folder, 'machine'))
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'machine', path)), { recursive: true })
      writeFileSync(join(folder, 'machine', path), content)
    }
    // --force-rm: a build that is cut leaves no container behind.
    const options = ['--force-rm', '--build-arg', `FROM=${from}`, '-f', file, '-t', tag]
    await logged(`build-${name}`, 900, ['docker', 'build', ...options, folder])
  })
}

/** A folder for one step, and the end of those that killed runs left behind. */
async function inScratch(run: (folder: string) => Promise<void>): Promise<void> {
  const prefix = 'botgarden-build.'
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(prefix))) {
    const left = join(tmpdir(), name)
    const own = statSync(left).uid === process.getuid?.()
    if (own && !isAlive(name.split('.')[1] ?? '')) await removeTree(left)
  }
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${markOf(process.pid)}.`))
  try {
    await run(folder)
  } finally {
    await removeTree(folder)
  }
}

/** Half a Debian may still have the machine's devices mounted in it: never past a mount. */
async function removeTree(folder: string): Promise<void> {
  await here`rm -rf --one-file-system ${folder}`
}

async function exists(tag: string): Promise<boolean> {
  return (await tryDocker(['image', 'inspect', '--format', 'x', tag])).status === 0
}

function dockerfile(name: string): string {
  return join(import.meta.dirname, 'images', `${name}.Dockerfile`)
}
