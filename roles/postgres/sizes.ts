/** The memory settings of a server that shares its host with bots, by tiers of the host's memory. */
export interface Size {
  /** Memory of the host, in MiB, from which this tier is used. */
  readonly hostMiB: number
  readonly sharedBuffersMB: number
  readonly effectiveCacheMB: number
  readonly workMemMB: number
  readonly maintenanceMB: number
  /** A bot has up to four connections, and up to eight while it is replaced. */
  readonly connections: number
  readonly maxWalMB: number
  /** The limit of the container. */
  readonly memoryMB: number
}

// The usual quarter of the memory is for a dedicated host; here nginx, the engine and the bots need memory as well.
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

/** With so many connections more, and the memory that each of them takes. */
export function withConnections(size: Size, more: number): Size {
  return { ...size, connections: size.connections + more, memoryMB: size.memoryMB + 2 * more }
}
