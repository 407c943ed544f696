import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installHere, isInstalled } from '../machine/apt.ts'
import { docker, logged, tryDocker } from '../machine/docker-cli.ts'
import { type Progress, step } from '../machine/progress.ts'
import { build, inScratch, texts } from './build.ts'
import { cached, dockerfile, repository, tagOf } from './cache.ts'
import type { Suite } from './index.ts'
import { debianMirror, surroundings } from './surroundings.ts'

/** The official image of each suite, where a registry is in reach. */
const official: Readonly<Record<Suite, string>> = { trixie: 'debian:13', forky: 'debian:forky' }

/** Bare Debian that can use apt and HTTPS through the proxy of this machine, where there is one. */
export async function baseOf(suite: Suite, progress: Progress): Promise<string> {
  return cached(await baseTag(suite), progress, async (tag) => {
    const from = (await pull(suite, progress)) ?? (await bootstrap(suite, progress))
    await build(`base-${suite}`, tag, from, dockerfile('base'), [await machineFiles()])
  })
}

export async function baseTag(suite: Suite): Promise<string> {
  return tagOf(`base-${suite}`, readFileSync(dockerfile('base')), (await machineFiles()).definition)
}

/** True when the registry that official images come from answers. */
export async function registryAnswers(): Promise<boolean> {
  const { status } = await tryDocker(['manifest', 'inspect', 'debian:13'], { seconds: 10 })
  return status === 0
}

async function machineFiles() {
  const files = Object.entries(await surroundings())
  return texts(Object.fromEntries(files.map(([path, content]) => [join('machine', path), content])))
}

async function pull(suite: Suite, progress: Progress): Promise<string | undefined> {
  if (!(await registryAnswers())) return undefined
  const image = official[suite]
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
