import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installHere, isInstalled } from '../machine/apt.ts'
import { docker, logged, tryDocker } from '../machine/docker-cli.ts'
import { type Progress, step } from '../machine/progress.ts'
import { build, inScratch, texts } from './build.ts'
import { cached, dockerfile, repository, tagOf } from './cache.ts'
import { debianMirror, surroundings } from './surroundings.ts'

const suite = 'trixie'

/** The official image, where a registry is in reach. */
const official = 'debian:13'

/** Bare Debian that can use apt and HTTPS through the proxy of this machine, where there is one. */
export async function baseImage(progress: Progress): Promise<string> {
  return cached(await baseTag(), progress, async (tag) => {
    const from = (await pull(progress)) ?? (await bootstrap(progress))
    await build('base', tag, from, dockerfile('base'), [await machineFiles()])
  })
}

export async function baseTag(): Promise<string> {
  return tagOf('base', readFileSync(dockerfile('base')), (await machineFiles()).definition)
}

let answered: Promise<boolean> | undefined

/** True when the registry that official images come from answers: asked once, since silence takes its time. */
export function registryAnswers(): Promise<boolean> {
  answered ??= tryDocker(['manifest', 'inspect', official], { seconds: 10 }).then(({ status }) => status === 0)
  return answered
}

async function machineFiles() {
  const files = Object.entries(await surroundings())
  return texts(Object.fromEntries(files.map(([path, content]) => [join('machine', path), content])))
}

async function pull(progress: Progress): Promise<string | undefined> {
  if (!(await registryAnswers())) return undefined
  await step(progress, `pulling ${official}`, () => logged('pull-debian', 600, ['docker', 'pull', '-q', official]))
  return official
}

/** Debian from its packages, as an image under a passing name. */
async function bootstrap(progress: Progress): Promise<string> {
  if (!(await isInstalled('mmdebstrap'))) {
    await installHere(['mmdebstrap'], 'no image registry in reach, and no mmdebstrap to do without', progress)
  }
  const tag = `${repository}/debian:bare`
  const mirror = await debianMirror()
  await step(progress, 'building Debian 13 from its packages', () =>
    inScratch(async (folder) => {
      const archive = join(folder, 'root.tar')
      await logged('debian', 600, [
        // In namespaces of its own: what it mounts and starts is gone with it, even when it is killed.
        ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'env', `TMPDIR=${folder}`],
        ...['mmdebstrap', '--variant=minbase'],
        // A mirror may be weeks old. The builder's own name and name server have no place in the image.
        ...[
          '--aptopt=Acquire::Check-Valid-Until "false"',
          '--customize-hook=rm -f "$1"/etc/hostname "$1"/etc/resolv.conf',
        ],
        // Nothing of it has to outlive a power cut.
        ...['--dpkgopt=force-unsafe-io', '--customize-hook=rm -f "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap'],
        ...[suite, archive, ...(mirror === undefined ? [] : sourcesOf(mirror))],
      ])
      await docker(['import', archive, tag], { seconds: 300 })
    }),
  )
  return tag
}

function sourcesOf({ main, security }: { main: string; security: string }): string[] {
  return [`deb ${main} ${suite} main`, `deb ${main} ${suite}-updates main`, `deb ${security} ${suite}-security main`]
}
