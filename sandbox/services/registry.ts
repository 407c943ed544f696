import { HostError } from '../../lib/std/errors.ts'
import { cached, tagOf } from '../images/cache.ts'
import { registryAnswers } from '../images/debian.ts'
import { imageOf, standInOf, standInTag } from '../images/image.ts'
import { mirror, type StandIn, standIns } from '../images/index.ts'
import { docker, logged, tryDocker } from '../machine/docker-cli.ts'
import { containerOf, label } from '../machine/paths.ts'
import { waitUntil } from '../machine/process.ts'
import { type Progress, step } from '../machine/progress.ts'
import type { Part } from './service.ts'

/** The name server and image registry of this checkout: `mirror.sandbox`, port 5000. */
export function mirrorPart(address: string): Part {
  return { name: 'mirror', image: mirrorImage, address }
}

/** The registry with the stand-ins already in it; empty where Docker can get the official images itself. */
async function mirrorImage(progress: Progress): Promise<string> {
  const empty = await imageOf(mirror, progress)
  const contents: string[] = []
  for (const standIn of standIns) contents.push(standIn.official, await standInTag(standIn))
  return cached(tagOf('mirror-filled', empty, ...contents), progress, async (tag) => {
    if (await registryAnswers()) return void (await docker(['tag', empty, tag]))
    const images: [string, string][] = []
    for (const standIn of standIns) images.push([standIn.official, await checked(standIn, progress)])
    await step(progress, 'filling the image registry', () => fill(empty, images, tag))
  })
}

/** Says so where Debian's packages are of another version than the official image. */
async function checked(standIn: StandIn, progress: Progress): Promise<string> {
  const image = await standInOf(standIn, progress)
  if (standIn.version === undefined) return image
  const { stdout, stderr } = await tryDocker(['run', '--rm', image, ...standIn.version])
  const said = `${stdout}${stderr}`.trim()
  const wanted = /:([\d.]+)/.exec(standIn.official)?.[1] ?? ''
  if (!said.includes(wanted)) progress(`the stand-in for ${standIn.official} is of another version: ${said}`)
  return image
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
