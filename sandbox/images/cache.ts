import { join } from 'node:path'
import { withLock } from '../../lib/std/file-lock.ts'
import { tryDocker } from '../machine/docker-cli.ts'
import { hashOf, paths } from '../machine/paths.ts'
import type { Progress } from '../machine/progress.ts'
import { sideBySide } from './side-by-side.ts'

/** Every image of ours is `REPOSITORY/NAME:HASH-OF-ITS-DEFINITION`: the tag exists = it is built and current. */
export const repository = 'botgarden-sandbox'

const ensure = sideBySide()

/** The image if its tag exists, else the one that is made now: by one process of this machine at a time. */
export async function cached(tag: string, progress: Progress, make: (tag: string) => Promise<void>): Promise<string> {
  const isThere = () => exists(tag)
  const makeOnce = async () => {
    if (!(await isThere())) await make(tag)
  }
  const lock = join(paths.machine, `${tag.replace(/\W/g, '-')}.lock`)
  const onWait = () => progress(`waiting for another run that builds ${tag}`)
  const name = tag.slice(repository.length + 1).replace(/:.*/, '')
  await ensure({ name, isThere, make: () => withLock(lock, 900, makeOnce, onWait) }, progress)
  return tag
}

export function tagOf(name: string, ...definition: (string | Buffer)[]): string {
  return `${repository}/${name}:${hashOf(...definition).slice(0, 12)}`
}

export function dockerfile(name: string): string {
  return join(import.meta.dirname, `${name}.Dockerfile`)
}

async function exists(tag: string): Promise<boolean> {
  return (await tryDocker(['image', 'inspect', '--format', 'x', tag])).status === 0
}
