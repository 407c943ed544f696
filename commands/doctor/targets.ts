import type { Facts } from '../../lib/model/facts.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { replicasLayout } from '../../roles/bot/release/replicas/layout.ts'
import { cachePort } from '../../roles/bot/spec/cache.ts'
import { layoutOf, uidOf } from '../../roles/bot/spec/layout.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import type { Place } from './attempts.ts'
import type { Container } from './container-reading.ts'
import { metadataAddresses } from './metadata.ts'

/** A bot that serves, as its host has it. */
export interface Serving {
  readonly name: string
  readonly number: number
  readonly release: Release
}

/** What is tried from where a bot is, by what it would break. */
export interface BotTargets {
  readonly place: Place
  /** A port that it must reach: else nothing is proved by what it does not reach. */
  readonly control: string
  /** By target: what it is, in words. */
  readonly bots: ReadonlyMap<string, string>
  readonly host: ReadonlyMap<string, string>
  readonly metadata: ReadonlyMap<string, string>
  readonly databases: ReadonlyMap<string, string>
  /** Networks that its container is on, and that are not its own. */
  readonly foreign: readonly string[]
  /** Its own database, by its own password; left out where it has none. */
  readonly own?: string
}

/** Ports of a host that nobody but its own programs may reach, besides those that listen. */
const hostPorts = [22, 25, 111, 2375, 2376, 3306, 5432, 6379, 9090, 9100]

/** What a bot is to try. Undefined where its container does not run: there is no place to stand in. */
export function targetsOf(
  bot: Serving,
  serving: readonly Serving[],
  containers: readonly Container[],
  { facts, listening, web }: { facts: Facts; listening: readonly number[]; web: readonly number[] },
): BotTargets | undefined {
  const { name, number, release } = bot
  const container = containers.find((each) => each.name === layoutOf(name).container(release.colour) && each.running)
  const own = container?.networks[layoutOf(name).network]
  if (container === undefined || own === undefined || own === '') return undefined
  const gateway = own.replace(/\.\d+$/, '.1')
  const addresses = [...new Set([gateway, facts.address].filter(Boolean))]
  const ports = [...new Set([...hostPorts, facts.sshPort, ...listening])].filter((port) => !web.includes(port))
  const database = release.spec.database ? databaseTargets(bot, serving, containers) : undefined
  const targets: Omit<BotTargets, 'place'> = {
    control: `${gateway}/${web.at(-1) ?? 443}`,
    bots: new Map(serving.filter((each) => each.name !== name).flatMap((each) => portsOf(each, containers))),
    host: new Map(
      addresses.flatMap((address) => ports.map((port) => [`${address}/${port}`, `port ${port} of its host`])),
    ),
    metadata: new Map(metadataAddresses.map((address) => [`${address}/80`, address])),
    databases: new Map([...(database?.forbidden ?? []), ...serversOfOthers(name, containers)]),
    foreign: foreignNetworks(name, container),
    ...(database && { own: database.own }),
  }
  const { control, bots, host, metadata, databases } = targets
  const all = [bots, host, metadata, databases].flatMap((each) => [...each.keys()])
  const controls = [control, ...(targets.own === undefined ? [] : [targets.own])]
  return {
    ...targets,
    place: {
      bot: name,
      uid: uidOf(number),
      container: container.name,
      database: release.spec.database,
      controls,
      targets: all,
    },
  }
}

/** The ports of another bot: its own, those of its processes, and that of its cache. */
function portsOf(
  { name, release: { spec } }: Serving,
  containers: readonly Container[],
): (readonly [string, string])[] {
  const ports = [
    ...new Set([spec.port, ...Object.values(spec.processes ?? {}).flatMap(({ port }) => port ?? []), cachePort]),
  ]
  return containers
    .filter((each) => each.running && ownerOf(each) === name)
    .flatMap((each) =>
      Object.values(each.networks)
        .filter(Boolean)
        .flatMap((address) => ports.map((port) => [`${address}/${port}`, `port ${port} of ${each.name}`] as const)),
    )
}

/** The networks of a container that are not those of its bot. */
export function foreignNetworks(bot: string, { networks }: Pick<Container, 'networks'>): string[] {
  const { network, databaseNetwork } = layoutOf(bot)
  const own = [network, databaseNetwork, replicasLayout(bot).network, 'none']
  return Object.keys(networks).filter((name) => !own.includes(name))
}

/** The bot that a container belongs to. */
export function ownerOf({ labels }: Pick<Container, 'labels'>): string | undefined {
  return labels['botgarden.bot'] ?? labels['botgarden.cache']
}

/** The database server on the networks that it shares with others. */
function serversOfOthers(name: string, containers: readonly Container[]): (readonly [string, string])[] {
  const server = containers.find((each) => each.name === postgresContainer && each.running)
  return Object.entries(server?.networks ?? {})
    .filter(([network, address]) => address !== '' && network !== layoutOf(name).databaseNetwork)
    .map(([network, address]) => [`${address}/5432`, `the database server on the network ${network}`] as const)
}

/** Its own role may not enter other databases, and no other role lets it in without its password. */
function databaseTargets(
  { name, release: { spec } }: Serving,
  serving: readonly Serving[],
  containers: readonly Container[],
) {
  const role = databaseName(name)
  const others = serving.filter((each) => each.name !== name && each.release.spec.database)
  const server = containers.find((each) => each.name === postgresContainer)
  const byTcp = spec.tcp ? server?.networks[layoutOf(name).databaseNetwork] : undefined
  const hosts = ['/run/postgresql', ...(byTcp ? [byTcp] : [])]
  const forbidden = hosts.flatMap((host) => [
    [`sql=${host},postgres,postgres`, 'the superuser, without a password'] as const,
    [`sql=${host},${role},postgres`, 'the database postgres, as its own role'] as const,
    ...others.flatMap((other) => {
      const database = databaseName(other.name)
      return [
        [`sql=${host},${role},${database}`, `the database of ${other.name}, as its own role`] as const,
        [`sql=${host},${database},${database}`, `the role of ${other.name}, without a password`] as const,
      ]
    }),
  ])
  return { forbidden, own: `sql=${byTcp ?? hosts[0]},${role},${role}` }
}
