import { existsSync, rmSync } from 'node:fs'
import { closeKept } from '../lib/ssh/connection.ts'
import { repository } from './images/cache.ts'
import { isInstalled } from './machine/apt.ts'
import { docker, tryDocker } from './machine/docker-cli.ts'
import { answers, ensureEngine, releaseEngine } from './machine/docker-daemon.ts'
import { home, label, paths } from './machine/paths.ts'
import { type Progress, step } from './machine/progress.ts'
import { knownHosts } from './vps/ssh-access.ts'

/** Ends this checkout's sandbox and removes all of it; the images stay for the next one unless said otherwise. */
export async function down({ images = false, progress }: { images?: boolean; progress: Progress }): Promise<void> {
  for (const name of knownHosts()) {
    await closeKept({ name, ssh: name, sshConfig: paths.sshConfig, acceptNew: false })
  }
  // Containers outlive a daemon that was killed: without one they could not be removed.
  if (!(await answers()) && existsSync(paths.hosts) && (await isInstalled('dockerd'))) await ensureEngine(progress)
  if (await answers()) {
    await removeAll(progress)
    if (images) await removeImages(progress)
  }
  await releaseEngine(progress)
  rmSync(home, { recursive: true, force: true })
}

async function removeAll(progress: Progress): Promise<void> {
  const ours = ['--filter', `label=${label}`]
  const containers = words(await docker(['ps', '-aq', ...ours]))
  if (containers.length > 0) {
    await step(progress, `removing ${containers.length} containers`, () =>
      docker(['rm', '-f', '-v', ...containers], { seconds: 180 }),
    )
  }
  const volumes = words(await docker(['volume', 'ls', '-q', ...ours]))
  if (volumes.length > 0) await docker(['volume', 'rm', '-f', ...volumes], { seconds: 180 })
  const networks = words(await docker(['network', 'ls', '-q', ...ours]))
  if (networks.length > 0) await docker(['network', 'rm', ...networks])
}

/** Images are shared by all checkouts: one that another checkout's container needs stays. */
async function removeImages(progress: Progress): Promise<void> {
  const tags = words(
    await docker(['images', '--filter', `reference=${repository}/*`, '--format', '{{.Repository}}:{{.Tag}}']),
  )
  const { stderr } = await tryDocker(['rmi', ...tags], { seconds: 180 })
  if (stderr !== '') progress(`some images stay: ${stderr}`)
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
