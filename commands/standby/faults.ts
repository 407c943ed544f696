import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { serverVars } from '../../roles/postgres/server.ts'
import { membersOf } from '../mesh/members.ts'
import { standbyVars } from '../mesh/pair.ts'

/** Settings of the server that we make for a pair. */
const ours = [
  ...['wal_level', 'max_wal_senders', 'max_replication_slots', 'max_slot_wal_keep_size', 'hot_standby'],
  ...['primary_conninfo', 'primary_slot_name', 'synchronous_standby_names', 'listen_addresses', 'port', 'ssl'],
]

/** Settings that a standby must have as its primary has them, or it does not start. */
const equal = [...['max_connections', 'max_worker_processes', 'max_prepared_transactions', 'max_locks_per_transaction']]

/** What does not fit together where a host names its standby, a line each. */
export function standbyFaults(hosts: readonly InventoryHost[]): string[] {
  return hosts.flatMap((host) => {
    const { standby, synchronous } = standbyVars(host)
    if (standby === undefined)
      return synchronous === undefined
        ? []
        : [`hosts.${host.name}: postgres.synchronous: says nothing without postgres.standby`]
    return faultsOf(host, standby, hosts).map((fault) => `hosts.${host.name}: postgres.standby: ${fault}`)
  })
}

function faultsOf(host: InventoryHost, name: string, hosts: readonly InventoryHost[]): string[] {
  if (name === host.name)
    return ['a host is not its own standby: set it on the host with the primary, not in a group of both']
  const standby = hosts.find((each) => each.name === name)
  const names = hosts.map((each) => each.name)
  if (standby === undefined) return [`unknown host "${name}"${suggest(name, names)}`]
  const others = hosts.filter((each) => each !== host && standbyVars(each).standby === name)
  const [own, other] = [membersOf([host])[0], membersOf([standby])[0]]
  return [
    ...(own === undefined || own.network !== other?.network
      ? [`${host.name} and ${name} are not in one mesh: give both the same mesh.network`]
      : []),
    ...(standbyVars(standby).standby === undefined
      ? []
      : [
          `${name} has a standby itself, ${standbyVars(standby).standby}: of a pair only the primary names the other one`,
        ]),
    ...(host.domain === undefined || host.domain !== standby.domain
      ? []
      : [
          `${name} has the domain of ${host.name}, ${host.domain}: give it one of its own, where Telegram can deliver to`,
        ]),
    ...others.slice(0, 1).map((each) => `${name} is the standby of ${each.name} already: it follows one server`),
    ...(standby.bots.length === 0
      ? []
      : [
          `a standby serves no database, and ${standby.bots.map((bot) => bot.name).join(', ')} ${standby.bots.length === 1 ? 'is' : 'are'} to run on ${name}: set host: ${host.name}, or take another host as the standby`,
        ]),
    ...settingFaults(host, standby),
  ]
}

function settingFaults(host: InventoryHost, standby: InventoryHost): string[] {
  const [one, other] = [serverVars(host), serverVars(standby)]
  return [
    ...(one.image === other.image
      ? []
      : [
          `postgres.image is ${one.image} on ${host.name} and ${other.image} on ${standby.name}: a copy needs the same one`,
        ]),
    ...ours
      .filter((name) => name in one.settings || name in other.settings)
      .map((name) => `sets postgres.settings.${name} itself: leave it out there`),
    ...equal
      .filter((name) => one.settings[name] !== other.settings[name])
      .map((name) => `postgres.settings.${name} differs on ${host.name} and ${standby.name}: give both the same`),
  ]
}
