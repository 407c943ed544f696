import type { BotManifest } from './schema.ts'
import { megabytes } from './size.ts'

/** The server that a bot has as its cache. */
export interface Cache {
  readonly server: 'valkey' | 'redis'
  /** The limit of its container, in MiB. */
  readonly memoryMB: number
  /** What it holds outlives its container. */
  readonly persist?: true
}

/** The name by which a bot reaches its cache. */
export const cacheHost = 'redis'
export const cachePort = 6379

/** What a manifest says of its cache; undefined where it has none. */
export function cacheIn({ cache }: Pick<BotManifest, 'cache'>): Cache | undefined {
  if (cache === undefined) return undefined
  const { server = 'valkey', memory = '32m', persist = false } = typeof cache === 'string' ? { server: cache } : cache
  return { server, memoryMB: megabytes(memory), ...(persist && { persist }) }
}
