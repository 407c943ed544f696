import * as v from 'valibot'
import type { BotEntry, HostEntry } from '../model/role.ts'
import { suggest } from '../std/suggest.ts'
import { type RoleSchema, varsSchema } from './file-schema.ts'
import { disagreements, entriesOf, type Group, layered } from './merge-vars.ts'
import { checked } from './validate.ts'
import { isList, type Node, plain } from './yaml.ts'

export interface InventoryHost extends HostEntry {
  /** An alias of ssh_config, or user@host:port. */
  readonly ssh: string
  readonly groups: readonly string[]
  /** One entry per role, checked, defaults filled in. */
  readonly vars: Record<string, unknown>
}

/** The hosts, each with its merged vars. Accepts a file with faults elsewhere, so that all faults are found at once. */
export function readHosts(root: Node, roles: readonly RoleSchema[]): { hosts: InventoryHost[]; faults: string[] } {
  const groups = [...section(root, 'groups')].map(([name, node]) => ({ name, node, vars: rolesIn(node, roles) }))
  const all = rolesIn(entriesOf(root).get('vars') ?? root, roles)
  const read = [...section(root, 'hosts')].map(([name, node]) => readHost(name, node, root, all, groups, roles))
  const inUse = new Set(read.flatMap(({ host }) => host.groups))
  const unused = groups.filter((group) => !inUse.has(group.name))
  const faults = unused.map((group) => `${group.node.key}: groups.${group.name}: no host is in this group`)
  const names = read.map(({ host }) => host.name)
  return {
    hosts: read.map(({ host }) => host),
    faults: [...faults, ...read.flatMap((each) => each.faults), ...unknownHosts(root, names)],
  }
}

/** What the file says of a host, level by level, the weakest first. Each level's vars are under their roles' names. */
export function levelsOf(root: Node, host: string, roles: readonly RoleSchema[]): Group[] {
  const node = section(root, 'hosts').get(host)
  const listed = node === undefined ? [] : listedGroups(node)
  const groups = [...section(root, 'groups')].filter(([name]) => listed.some(({ value }) => value === name))
  return [
    { name: 'vars', vars: rolesIn(entriesOf(root).get('vars') ?? root, roles) },
    ...groups.map(([name, group]) => ({ name: `group ${name}`, vars: rolesIn(group, roles) })),
    ...(node === undefined ? [] : [{ name: `host ${host}`, vars: rolesIn(node, roles) }]),
  ]
}

function readHost(
  name: string,
  node: Node,
  root: Node,
  all: Node,
  groups: readonly Group[],
  roles: readonly RoleSchema[],
) {
  const own = rolesIn(node, roles)
  const listed = listedGroups(node)
  const mine = groups.filter((group) => listed.some(({ value }) => value === group.name))
  const { value, faults } = checked(withEveryRole(layered(all, mine, own), roles), varsSchema(roles))
  const domain = entriesOf(node).get('domain')?.value
  const host: InventoryHost = {
    name,
    ...(domain !== undefined && { domain: String(domain) }),
    bots: botsOf(root, name, roles),
    httpsPort: Number(entriesOf(node).get('httpsPort')?.value ?? 443),
    ssh: String(entriesOf(node).get('ssh')?.value ?? name),
    groups: [...new Set(listed.map((group) => String(group.value)))],
    vars: value,
  }
  const inconsistencies = faults.length > 0 ? [] : inconsistenciesOf(host, node, roles)
  return {
    host,
    faults: [...faults, ...inconsistencies, ...disagreements(mine, own), ...unknownGroups(name, listed, groups)],
  }
}

/** The bots of a host: those that name it, or all where there is no other. */
function botsOf(root: Node, host: string, roles: readonly RoleSchema[]): BotEntry[] {
  const schema = roles.find((role) => role.bots !== undefined)?.bots
  const only = section(root, 'hosts').size === 1
  return [...section(root, 'bots')].flatMap(([name, node]) => {
    const { host: named, ...settings } = plain({ ...node, value: node.value ?? new Map() }) as Record<string, unknown>
    if (schema === undefined || (named === undefined ? !only : named !== host)) return []
    const parsed = v.safeParse(schema, settings)
    return [{ name, where: node.key, settings: parsed.output }]
  })
}

function unknownHosts(root: Node, hosts: readonly string[]): string[] {
  const unknown = (node: Node, key: string) =>
    typeof node.value !== 'string' || hosts.includes(node.value)
      ? []
      : [`${node.where}: bots.${key}: unknown host "${node.value}"${suggest(node.value, hosts)}`]
  return [...section(root, 'bots')].flatMap(([name, node]) => {
    const several = entriesOf(node).get('hosts')
    const listed = several !== undefined && isList(several.value) ? several.value : []
    return [...unknownHost(name, node), ...listed.flatMap((each) => unknown(each, `${name}.hosts`))]
  })

  function unknownHost(name: string, node: Node): string[] {
    const host = entriesOf(node).get('host')
    if (host === undefined)
      return hosts.length > 1 ? [`${node.key}: bots.${name}: missing: host, one of ${hosts.join(', ')}`] : []
    return unknown(host, `${name}.host`)
  }
}

/** Reported for the host as a whole: two values contradict each other, and either may be the wrong one. */
function inconsistenciesOf(host: InventoryHost, node: Node, roles: readonly RoleSchema[]): string[] {
  return roles.flatMap((role) =>
    (role.faults?.(host.vars[role.name], host) ?? []).map((fault) => `${node.key}: hosts.${host.name}: ${fault}`),
  )
}

function unknownGroups(host: string, listed: readonly Node[], groups: readonly Group[]): string[] {
  const names = groups.map((group) => group.name)
  return listed
    .filter(({ value }) => typeof value === 'string' && !names.includes(value))
    .map(
      ({ where, value }) => `${where}: hosts.${host}.groups: unknown group "${value}"${suggest(String(value), names)}`,
    )
}

function listedGroups(host: Node): readonly Node[] {
  const groups = entriesOf(host).get('groups')
  return groups !== undefined && isList(groups.value) ? groups.value : []
}

function section(root: Node, name: string) {
  return entriesOf(entriesOf(root).get(name) ?? { ...root, value: null })
}

/** Only the values under roles' names. A role without anything (`docker:`) is one with no vars. */
function rolesIn(level: Node, roles: readonly RoleSchema[]): Node {
  const held = roles.flatMap(({ name }) => {
    const node = entriesOf(level).get(name)
    return node === undefined ? [] : [[name, node.value === null ? emptied(node) : node] as const]
  })
  return { ...level, value: new Map(held) }
}

/** Absent roles get their schema's defaults; what they lack is reported as missing in the host. */
function withEveryRole(vars: Node, roles: readonly RoleSchema[]): Node {
  const absent = { ...vars, where: vars.key, value: new Map() }
  return { ...vars, value: new Map(roles.map(({ name }) => [name, entriesOf(vars).get(name) ?? absent])) }
}

function emptied(node: Node): Node {
  return { ...node, value: new Map() }
}
