import type { Catalog } from '../../../lib/platform/postgres-catalog.ts'

/** The connections to the database that a version of a bot may have that says nothing of them: a pool of four. */
export const defaultConnections = 4

/** What the superuser, backups and people may need beside all bots. */
export const reservedConnections = 8

/** The connections that the bots of a host may have between two releases: half of what their roles are limited to. */
export function connectionsOf({ roles }: Catalog, except = ''): number {
  const limits = Object.entries(roles).map(([name, { connectionLimit }]) => (name === except ? 0 : connectionLimit))
  return limits.reduce((sum, limit) => sum + Math.max(0, limit) / 2, 0)
}
