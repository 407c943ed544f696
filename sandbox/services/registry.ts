import { HostError } from '../../lib/std/errors.ts'
import { cached, tagOf } from '../images/cache.ts'
import { registryAnswers } from '../images/debian.ts'
import { imageOf, imageTag, standInOf, standInTag } from '../images/image.ts'
import { debian, furtherStandIns, mirror, type StandIn, standIns } from '../images/index.ts'
import { docker, logged, tryDocker } from '../machine/docker-cli.ts'
import { containerOf, label } from '../machine/paths.ts'
import { waitUntil } from '../machine/process.ts'
import type { Progress } from '../machine/progress.ts'
import { together } from '../machine/together.ts'
import { askedStandIns } from './asked-stand-ins.ts'
import type { Part } from './service.ts'

/** The name server and image registry of this checkout: `mirror.sandbox`, port 5000. */
export function mirrorPart(address: string): Part {
  return { name: 'mirror', image: mirrorImage, address }
}

/** The registry with the stand-ins already in it; empty where Docker can get the official images itself. */
async function mirrorImage(progress: Progress): Promise<string> {
  const empty = { tag: await imageTag(mirror), make: () => imageOf(mirror, progress) }
  const filled = await filledImage('mirror-filled', empty, standIns, progress)
  const further = askedStandIns().flatMap((name) => furtherStandIns[name] ?? [])
  if (further.length === 0) return filled
  return filledImage(mirrorName(), { tag: filled, make: async () => filled }, further, progress)
}

/** The name of the registry's image says which further stand-ins are in it. */
export function mirrorName(): string {
  return ['mirror', ...(askedStandIns().length === 0 ? ['filled'] : askedStandIns())].join('-')
}

interface Start {
  readonly tag: string
  readonly make: () => Promise<string>
}

/** A registry that has these stand-ins beside what it starts with. */
async function filledImage(name: string, start: Start, added: readonly StandIn[], progress: Progress): Promise<string> {
  const contents: string[] = []
  for (const standIn of added) contents.push(standIn.official, await standInTag(standIn))
  return cached(tagOf(name, start.tag, ...contents), progress, async (tag) => {
    if (await registryAnswers()) await docker(['tag', await start.make(), tag])
    else await fill(tag, start.make(), added, progress)
  })
}

/** Each stand-in is pushed as soon as it is built; none before bare Debian, whose layer is in all of them and is sent once. */
async function fill(tag: string, start: Promise<string>, added: readonly StandIn[], progress: Progress): Promise<void> {
  const container = `${containerOf('filling')}-${process.pid}`
  const registry = start.then((image) => startRegistry(container, image))
  const push = async (standIn: StandIn, after?: Promise<void>) => {
    const image = await checked(standIn, progress)
    await after
    await pushTo(await registry, image, standIn.official)
  }
  const first = added.includes(debian) ? push(debian) : Promise.resolve()
  const others = added.filter((each) => each !== debian).map((each) => push(each, first))
  try {
    await together<unknown>([registry, first, ...others])
    await docker(['stop', '-t', '10', container])
    await docker(['commit', container, tag], { seconds: 300 })
  } finally {
    await tryDocker(['rm', '-f', '-v', container])
  }
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

/** Where it is reached from this machine. */
async function startRegistry(container: string, image: string): Promise<string> {
  await docker(['run', '-d', '--name', container, '--label', label, '-p', '127.0.0.1::5000', image])
  const registry = (await docker(['port', container, '5000/tcp'])).split('\n')[0] ?? ''
  const answers = async () => (await fetch(`http://${registry}/v2/`).catch(() => undefined))?.ok === true
  if (await waitUntil(20, answers)) return registry
  throw new HostError(`this machine: the image registry does not answer\n${await docker(['logs', container])}`)
}

async function pushTo(registry: string, image: string, name: string): Promise<void> {
  const target = `${registry}/${name.includes('/') ? name : `library/${name}`}`
  await docker(['tag', image, target])
  await logged(`push-${name.replace(/\W/g, '-')}`, 300, ['docker', 'push', target])
  await docker(['rmi', target])
}
