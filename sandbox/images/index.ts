import { join } from 'node:path'
import { images } from '../../lib/platform/image-versions.ts'
import { folder, type Piece } from './build.ts'
import { nodePieces } from './node.ts'

/** An image of ours: NAME.Dockerfile beside this file, the folder NAME if there is one, and what else goes into its build. */
export interface Image {
  readonly name: string
  /** Whose Dockerfile and folder it is built from; left out: its own. */
  readonly builtLike?: string
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

/** By the words of `up --with`: what only some bots build on, and is built when it is asked for. */
export const furtherStandIns: Readonly<Record<string, StandIn>> = {
  python: { official: 'python:3.13-slim', image: { name: 'python' }, version: ['python', '--version'] },
  valkey: { official: images.valkey, image: { name: 'valkey' }, version: ['valkey-server', '--version'] },
  node20: olderNode('20', '20.20.2', '10.9.9'),
  node22: olderNode('22', '22.23.3', '10.9.9'),
  node24: olderNode('24', '24.21.0', '11.21.2'),
  postgres17: {
    official: 'postgres:17.6',
    image: { name: 'postgres17', pieces: async () => [folder(join(import.meta.dirname, 'postgres'), 'postgres')] },
    version: ['postgres', '--version'],
  },
}

function olderNode(major: string, version: string, npm: string): StandIn {
  return {
    official: `node:${major}-slim`,
    image: { name: `node${major}`, builtLike: 'node', pieces: () => nodePieces({ version, npm }) },
    version: ['node', '--version'],
  }
}

export const vps: Image = { name: 'vps' }
export const mirror: Image = { name: 'mirror' }
export const pebble: Image = { name: 'pebble' }
export const telegram: Image = {
  name: 'telegram',
  from: node,
  pieces: async () => [folder(join(import.meta.dirname, '..', 'telegram'), 'telegram')],
}
