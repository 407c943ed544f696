import { chmodSync, mkdirSync } from 'node:fs'
import { imageOf } from '../images/image.ts'
import { vps } from '../images/index.ts'
import { ensureEngine } from '../machine/docker-daemon.ts'
import { home } from '../machine/paths.ts'
import type { Progress } from '../machine/progress.ts'
import { together } from '../machine/together.ts'
import { ensureParts } from '../services/index.ts'
import { ensureNetwork } from './network.ts'

/** What a VPS needs before it can be made: the image, and the address of its name server. */
export interface Prerequisites {
  readonly image: string
  readonly nameServer: string
}

export async function preparePrerequisites(progress: Progress): Promise<Prerequisites> {
  mkdirSync(home, { recursive: true })
  chmodSync(home, 0o700)
  await ensureEngine(progress)
  const nameServer = await ensureNetwork()
  const image = imageOf(vps, progress)
  await together<unknown>([image, ensureParts(nameServer, progress)])
  return { image: await image, nameServer }
}
