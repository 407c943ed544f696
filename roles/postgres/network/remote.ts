import { meshDoor } from '../../../lib/model/mesh.ts'

/** Who of another host of the mesh may log in here: one role, from one host. */
export interface Remote {
  readonly role: string
  /** The database that it may connect to; left out: none, it replicates. */
  readonly database?: string
  /** The address of its host in the mesh. */
  readonly from: string
}

/** What the server of a host has to know of the mesh that it listens in. */
export interface ServerNetwork {
  /** The host's own address in the mesh. */
  readonly address: string
  /** Nobody else is let in. Where it is empty the server has no network. */
  readonly remotes: readonly Remote[]
  /** Connections that these may have, beyond those of the host itself. */
  readonly connections?: number
}

export const postgresPort = 5432

/** The bridge of the server. The rules of the ufw role match bridges of containers by the first three letters. */
export const serverBridge = 'br-db-mesh'

/** The server listens in the mesh where somebody may come from there. */
export function listensTo(network: ServerNetwork | undefined): ServerNetwork | undefined {
  return network === undefined || network.remotes.length === 0 ? undefined : network
}

/** The doors of the firewall that these need, one for each of their hosts. */
export function doorsFor(remotes: readonly Remote[]): string[] {
  return [...new Set(remotes.map(({ from }) => from))].sort().map((from) => meshDoor(postgresPort, { from }))
}

/** The lines of pg_hba.conf: by TLS and by password, from this one address. In quotes, since a bot may be called `all`. */
export function remoteLines(remotes: readonly Remote[]): string[] {
  const lines = remotes.map(
    ({ role, database, from }) =>
      `hostssl  ${database === undefined ? 'replication' : `"${database}"`}  "${role}"  ${from}/32  scram-sha-256`,
  )
  return [...new Set(lines)].sort()
}
