import { join } from 'node:path'
import { images } from '../../lib/platform/image-versions.ts'
import { folder, type Piece } from './build.ts'
import { nodePieces } from './node.ts'

/** Debian 13 is what hosts run; forky carries the versions of nginx, PostgreSQL and Pebble that production gets. */
export type Suite = 'trixie' | 'forky'

/** An image of ours: NAME.Dockerfile beside this file, the folder NAME if there is one, and what else goes into its build. */
export interface Image {
  readonly name: string
  readonly from: Suite | StandIn
  readonly pieces?: () => Promise<readonly Piece[]>
}

/** What the sandbox serves under an official image's name where no registry is in reach; a suite: bare Debian itself. */
export interface StandIn {
  /** `docker pull` on a VPS finds it by that. */
  readonly official: string
  readonly image: Suite | Image
  /** Prints the version of what is in it: Debian may be ahead of, or behind, what the name promises. */
  readonly version?: readonly string[]
}

const node: StandIn = {
  official: 'node:26.10-slim',
  image: { name: 'node', from: 'trixie', pieces: nodePieces },
  version: ['node', '--version'],
}

export const standIns: readonly StandIn[] = [
  { official: 'debian:13-slim', image: 'trixie' },
  { official: images.postgres, image: { name: 'postgres', from: 'forky' }, version: ['postgres', '--version'] },
  { official: images.nginx, image: { name: 'nginx', from: 'forky' }, version: ['nginx', '-v'] },
  node,
]

export const vps: Image = { name: 'vps', from: 'trixie' }
export const mirror: Image = { name: 'mirror', from: 'trixie' }
export const pebble: Image = { name: 'pebble', from: 'forky' }
export const telegram: Image = {
  name: 'telegram',
  from: node,
  pieces: async () => [folder(join(import.meta.dirname, '..', 'telegram'), 'telegram')],
}
