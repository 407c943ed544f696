import { join } from 'node:path'
import { images } from '../../lib/platform/image-versions.ts'
import { folder, type Piece } from './build.ts'
import { nodePieces } from './node.ts'

/** An image of ours: NAME.Dockerfile beside this file, the folder NAME if there is one, and what else goes into its build. */
export interface Image {
  readonly name: string
  /** Left out: bare Debian 13, which is what hosts run. */
  readonly from?: StandIn
  readonly pieces?: () => Promise<readonly Piece[]>
}

/** What the sandbox serves under an official image's name where no registry is in reach; without an image: bare Debian itself. */
export interface StandIn {
  /** `docker pull` on a VPS finds it by that. */
  readonly official: string
  readonly image?: Image
  /** Prints the version of what is in it: Debian may be ahead of, or behind, what the name promises. */
  readonly version?: readonly string[]
}

export const debian: StandIn = { official: 'debian:13-slim' }

const node: StandIn = {
  official: 'node:26.10-slim',
  image: { name: 'node', pieces: nodePieces },
  version: ['node', '--version'],
}

export const standIns: readonly StandIn[] = [
  debian,
  { official: images.postgres, image: { name: 'postgres' }, version: ['postgres', '--version'] },
  { official: images.nginx, image: { name: 'nginx' }, version: ['nginx', '-v'] },
  node,
]

export const vps: Image = { name: 'vps' }
export const mirror: Image = { name: 'mirror' }
export const pebble: Image = { name: 'pebble' }
export const telegram: Image = {
  name: 'telegram',
  from: node,
  pieces: async () => [folder(join(import.meta.dirname, '..', 'telegram'), 'telegram')],
}
