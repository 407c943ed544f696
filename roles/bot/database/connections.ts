import { fromReading, refuseWhen } from '../../../lib/model/combinators.ts'
import { type Resource, resource } from '../../../lib/model/resource.ts'
import { databaseName } from '../../../lib/platform/database-name.ts'
import { databaseRole, ident, sql } from '../../../lib/platform/postgres.ts'
import {
  type Catalog,
  catalogBecomes,
  known,
  postgresCatalog,
  refused,
} from '../../../lib/platform/postgres-catalog.ts'
import { connectionsOf, defaultConnections, reservedConnections } from '../spec/connections.ts'
import { layoutOf } from '../spec/layout.ts'
import { currentRelease, parseRelease } from '../spec/release-record.ts'

/**
 * The role of a bot. It may have the connections of two versions, since both run while it is replaced; the migration has ended
 * by then. While an older version serves, the limit is not below what that one may have. Without `connections` it is what the
 * release that serves has recorded. The plan throws a `HostError` where the server has not as many.
 */
export function databaseRoleOf(
  bot: string,
  target: { readonly connections: number | undefined } | undefined,
): Resource {
  const role = databaseName(bot)
  const whole = fromReading(currentRelease(bot), undefined, (text) => {
    const serving = parseRelease(text)?.spec.connections
    const most = target === undefined ? (serving ?? defaultConnections) : (target.connections ?? defaultConnections)
    return databaseRole(role, {
      passwordFile: `${layoutOf(bot).secrets}/database-password`,
      connectionLimit: 2 * Math.max(most, text === undefined ? 0 : (serving ?? defaultConnections)),
      settings: { statement_timeout: '30s', lock_timeout: '10s', idle_in_transaction_session_timeout: '30s' },
    })
  })
  const asked = target?.connections
  if (asked === undefined) return whole
  return refuseWhen([postgresCatalog], (read) => tooMany(role, asked, read(postgresCatalog)), whole)
}

/** The limit of the version that serves now, which may be lower than that of the one before. */
export function fewerConnections(bot: string, connections = defaultConnections): Resource {
  const role = databaseName(bot)
  const limit = 2 * connections
  return resource({
    id: `postgres-connections:${role}`,
    wants: limit,
    reads: { catalog: postgresCatalog },
    plan: ({ catalog }) => {
      const state = known(catalog).roles[role]
      if (state === undefined || state.connectionLimit <= limit) return []
      return [
        {
          summary: `connection limit ${state.connectionLimit} → ${limit}`,
          script: sql(`alter role ${ident(role)} connection limit ${limit};`),
          predicts: [
            catalogBecomes((now) => ({
              ...now,
              roles: { ...now.roles, [role]: { ...state, connectionLimit: limit } },
            })),
          ],
        },
      ]
    },
  })
}

/** Why a bot may not have so many; undefined where it may. */
function tooMany(role: string, asked: number, catalog: Catalog | typeof refused | undefined): string | undefined {
  if (catalog === undefined || catalog === refused || catalog.maxConnections === undefined) return undefined
  const { maxConnections } = catalog
  const others = connectionsOf(catalog, role)
  const left = maxConnections - reservedConnections - others
  if (2 * asked <= left) return undefined
  return `database.connections: ${asked} are ${2 * asked} while the bot is replaced, and of the ${maxConnections} of this host's server ${Math.max(0, left)} are left: ${others} are for other bots, ${reservedConnections} for backups and people: set at most ${Math.max(0, Math.floor(left / 2))}, or raise postgres.settings.max_connections in the inventory (2 MB of the server's memory each)`
}
