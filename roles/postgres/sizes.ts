/** What a server may take of a host that it shares with bots: by tiers of memory, since formulas fit nobody. */
export interface Size {
  /** Of the host, in MiB: the first tier that it does not reach is the one above. */
  readonly hostMiB: number
  readonly sharedBuffersMB: number
  readonly effectiveCacheMB: number
  readonly workMemMB: number
  readonly maintenanceMB: number
  /** Bots hold up to three connections each, and up to six while one is replaced. */
  readonly connections: number
  readonly maxWalMB: number
  /** The limit of the container. */
  readonly memoryMB: number
}

// A quarter of the memory is for a host of its own; here nginx, the engine and the bots are to have room as well.
const sizes: readonly Size[] = [
  {
    hostMiB: 0,
    sharedBuffersMB: 96,
    effectiveCacheMB: 256,
    workMemMB: 2,
    maintenanceMB: 32,
    connections: 60,
    maxWalMB: 256,
    memoryMB: 288,
  },
  {
    hostMiB: 1800,
    sharedBuffersMB: 256,
    effectiveCacheMB: 768,
    workMemMB: 4,
    maintenanceMB: 64,
    connections: 100,
    maxWalMB: 512,
    memoryMB: 576,
  },
  {
    hostMiB: 3600,
    sharedBuffersMB: 512,
    effectiveCacheMB: 1536,
    workMemMB: 8,
    maintenanceMB: 128,
    connections: 150,
    maxWalMB: 1024,
    memoryMB: 1152,
  },
  {
    hostMiB: 7400,
    sharedBuffersMB: 1024,
    effectiveCacheMB: 4096,
    workMemMB: 16,
    maintenanceMB: 256,
    connections: 200,
    maxWalMB: 2048,
    memoryMB: 2304,
  },
]

export function sizeFor(memoryMiB: number): Size {
  return sizes.findLast(({ hostMiB }) => memoryMiB >= hostMiB) as Size
}
