import { registryAnswers } from '../../../sandbox/images/debian.ts'
import { standInOf } from '../../../sandbox/images/image.ts'
import type { StandIn } from '../../../sandbox/images/index.ts'
import { docker, type Result, tryDocker } from '../../../sandbox/machine/docker-cli.ts'
import { containerOf, label } from '../../../sandbox/machine/paths.ts'
import { waitUntil } from '../../../sandbox/machine/process.ts'

const made = { containers: new Set<string>(), volumes: new Set<string>() }

/** Starts a container on this machine's Docker, in place of an earlier one of this name. */
export async function start(name: string, options: readonly string[], image: string, command: readonly string[] = []) {
  const container = containerOf(name)
  made.containers.add(container)
  await tryDocker(['rm', '-f', '-v', container])
  await docker(['run', '-d', '--name', container, '--label', label, ...options, image, ...command])
}

/** Runs a container to its end. */
export function once(options: readonly string[], image: string, command: readonly string[] = []): Promise<Result> {
  return tryDocker(['run', '--rm', '--label', label, ...options, image, ...command])
}

export function inside(name: string, script: string): Promise<Result> {
  return tryDocker(['exec', containerOf(name), 'sh', '-c', script])
}

/** Waits until a command succeeds inside, and shows what the container said when it does not. */
export async function awaitInside(name: string, script: string): Promise<void> {
  if (!(await waitUntil(120, async () => (await inside(name, script)).status === 0))) throw new Error(await logs(name))
}

/** Ends a container by its own signal, as `docker stop` does, and returns its exit code. */
export async function stopped(name: string): Promise<number> {
  await docker(['stop', '-t', '20', containerOf(name)])
  return Number(await docker(['inspect', '-f', '{{.State.ExitCode}}', containerOf(name)]))
}

export async function logs(name: string): Promise<string> {
  const { stdout, stderr } = await tryDocker(['logs', containerOf(name)])
  return `${stdout}${stderr}`
}

export async function volume(name: string): Promise<string> {
  const volume = containerOf(name)
  made.volumes.add(volume)
  await docker(['volume', 'create', '--label', label, volume])
  return volume
}

/** What the image itself says: entry point, user, volumes. */
export async function configOf(image: string): Promise<Record<string, unknown>> {
  return JSON.parse(await docker(['image', 'inspect', '-f', '{{json .Config}}', image]))
}

/** With every right taken away, and nothing to write to. */
export const dropped = ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only']

/** A stand-in, and where a registry is in reach the official image, each with the word for it. */
export async function imagesLike(standIn: StandIn | undefined): Promise<[kind: string, image: string][]> {
  if (standIn === undefined) throw new Error('no such stand-in')
  const image = await standInOf(standIn, () => {})
  if (!(await registryAnswers())) return [['stand-in', image]]
  await docker(['pull', '-q', standIn.official], { seconds: 600 })
  return [
    ['stand-in', image],
    ['official', standIn.official],
  ]
}

export async function removeAll(): Promise<void> {
  if (made.containers.size > 0) await docker(['rm', '-f', '-v', ...made.containers])
  if (made.volumes.size > 0) await docker(['volume', 'rm', '-f', ...made.volumes])
}
