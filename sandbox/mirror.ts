import { join } from 'node:path'
import { HostError } from '../lib/errors.ts'
import { docker, logged, tryDocker } from './docker.ts'
import { cached, definitionOf, imageOf, registryAnswers, standInOf, tagOf } from './image.ts'
import { standIns } from './images/index.ts'
import { withLock } from './lock.ts'
import { containerOf, home, label, network } from './names.ts'
import { waitUntil } from './process.ts'
import { type Progress, step } from './progress.ts'
import { see } from './seen.ts'

const mirror = containerOf('mirror')

/** Makes sure that the name server and image registry of this checkout runs: `mirror.sandbox`, port 5000. */
export async function ensureMirror(address: string, progress: Progress): Promise<void> {
  const image = await mirrorImage(progress)
  await withLock(join(home, 'mirror.lock'), 120, async () => {
    const seen = (await see(['mirror'])).get('mirror')
    if (seen?.running && seen.connected && seen.image === image) return
    // It holds nothing of its own: a stopped or older one is replaced, not mended.
    await tryDocker(['rm', '-f', '-v', mirror])
    await docker([
      ...['run', '-d', '--name', mirror, '--hostname', 'mirror', '--label', label, '--restart', 'unless-stopped'],
      ...['--network', network, '--ip', address, '--network-alias', 'mirror.sandbox', image],
    ])
  })
}

/** The registry with the stand-ins already in it; empty where Docker can get the official images itself. */
async function mirrorImage(progress: Progress): Promise<string> {
  const empty = await imageOf('mirror', 'trixie', progress)
  return cached(tagOf('mirror-filled', empty, ...standIns.map(definitionOf)), progress, async (tag) => {
    if (await registryAnswers()) return void (await docker(['tag', empty, tag]))
    const images: [string, string][] = []
    for (const standIn of standIns) images.push([standIn.name, await standInOf(standIn, progress)])
    await step(progress, 'filling the image registry', () => fill(empty, images, tag))
  })
}

async function fill(empty: string, images: [string, string][], tag: string): Promise<void> {
  const container = `${containerOf('filling')}-${process.pid}`
  await docker(['run', '-d', '--name', container, '--label', label, '-p', '127.0.0.1::5000', empty])
  try {
    const registry = (await docker(['port', container, '5000/tcp'])).split('\n')[0] ?? ''
    const ready = await waitUntil(
      20,
      async () => (await fetch(`http://${registry}/v2/`).catch(() => undefined))?.ok === true,
    )
    if (!ready)
      throw new HostError(`this machine: the image registry does not answer\n${await docker(['logs', container])}`)
    for (const [name, image] of images) {
      const target = `${registry}/library/${name}`
      await docker(['tag', image, target])
      await logged(`push-${name.replace(/\W/g, '-')}`, 300, ['docker', 'push', target])
      await docker(['rmi', target])
    }
    await docker(['stop', '-t', '10', container])
    await docker(['commit', container, tag], { seconds: 300 })
  } finally {
    await docker(['rm', '-f', '-v', container])
  }
}
