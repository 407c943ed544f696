/** From where on something is worth a person's time. Both `status.ts` and alerts go by these. */
export const thresholds = {
  /** Percent of a disk, or of its inodes, in use. */
  disk: { warning: 85, error: 95 },
  /** Percent of the memory of the host that is not available. */
  memory: { warning: 92, error: 98 },
  /** Load of five minutes for each processor. */
  load: { warning: 4 },
  /** Percent of a container's limit, without what the kernel can give back at once. */
  containerMemory: { warning: 90 },
  /** Days until a certificate ends. It is renewed 30 days before, or when a third of its time is left. */
  certificateDays: { warning: 10, error: 3 },
  /** Milliseconds since the last good backup: a day, and two hours for the backup itself. */
  backupAge: 26 * 3_600_000,
  /** So many restarts, the last one within so many milliseconds, are a loop. */
  restartLoop: { restarts: 3, within: 10 * 60_000 },
  /** A container that restarted within this time is told of. In milliseconds. */
  recentRestart: 3_600_000,
  /** How long a container may take to become healthy, in milliseconds. */
  starting: 5 * 60_000,
  /** Updates that wait at Telegram. */
  pending: { warning: 20, error: 200 },
  /** An error of delivery is old news after this, in milliseconds. */
  deliveryError: 10 * 60_000,
  /** Percent of the requests of an hour that failed (5xx), where there were at least so many failures. */
  failedRequests: { percent: 5, least: 5 },
  /** Percent of the connections that the database server allows. */
  connections: { warning: 85 },
  /** How far the clock of the host may be off, in milliseconds. */
  clock: 30_000,
  /** After this a check says little about drift, in milliseconds. */
  checkAge: 7 * 86_400_000,
} as const
