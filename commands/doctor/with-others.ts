import type { Session } from '../../lib/cli/session.ts'
import type { Commands } from '../../lib/health/finding.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { replicasIn } from '../../roles/bot/spec/replicas/index.ts'
import type { BotSettings } from '../../roles/bot/spec/schema.ts'
import { listensTo, postgresPort } from '../../roles/postgres/network/remote.ts'
import { serverNetwork } from '../mesh/database.ts'
import { pairOf } from '../mesh/pair.ts'
import { commandsFor } from '../status/host-status.ts'

/** The bots of other hosts whose replicas this one may run. */
export function guestsOf({ name: own }: InventoryHost, hosts: readonly InventoryHost[]): string[] {
  return hosts.flatMap(({ name: home, bots }) =>
    bots
      .filter(({ settings }) => home !== own && replicasIn((settings ?? {}) as BotSettings)?.hosts.includes(own))
      .map(({ name }) => name),
  )
}

/** The bots of whose containers a host may have some: its own, their replicas, and where it is a standby those of its primary. */
export function knownBots(host: InventoryHost, hosts: readonly InventoryHost[]): string[] {
  const pair = pairOf(host, hosts)
  const kept = pair?.is === 'standby' ? pair.other.host.bots : []
  return [...[...host.bots, ...kept].map(({ name }) => name), ...guestsOf(host, hosts)]
}

/** Where the database server listens for other hosts, as `ADDRESS:PORT`; undefined where it listens for none. */
export function meshPortOf(host: InventoryHost, hosts: readonly InventoryHost[]): string | undefined {
  const network = listensTo(serverNetwork(host, hosts))
  return network && `${network.address}:${postgresPort}`
}

/** The commands of a host of a pair, and those of the other one. */
export function pairCommands(session: Session, host: InventoryHost, own: Commands): Commands & { other: Commands } {
  const other = pairOf(host, session.inventory.hosts)?.other.host ?? host
  return { ...own, other: commandsFor(session, other) }
}
