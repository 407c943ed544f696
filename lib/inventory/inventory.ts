import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { UsageError } from '../std/errors.ts'
import { startPathsAt } from '../std/local-path.ts'
import { suggest } from '../std/suggest.ts'
import { inventorySchema, type RoleSchema } from './file-schema.ts'
import { type InventoryHost, readHosts } from './hosts.ts'
import { repeatedDomains } from './repeated-domains.ts'
import { checked } from './validate.ts'
import { type Node, readYaml, throwAll } from './yaml.ts'

export type { InventoryHost } from './hosts.ts'

export interface Inventory {
  /** As the operator named it. */
  readonly file: string
  readonly sandbox: boolean
  /** Absolute. */
  readonly sshConfig: string | undefined
  readonly hosts: readonly InventoryHost[]
}

/** Reads the inventory against the roles' schemas. All faults are one error, a line each, with file, line and column. */
export async function readInventory(file: string, roles: readonly RoleSchema[]): Promise<Inventory> {
  return inventoryOf(await readYaml(file), file, roles)
}

/** The inventory that a file with this content is. Its paths are the ones that are looked up from now on. */
export function inventoryOf(root: Node, file: string, roles: readonly RoleSchema[]): Inventory {
  startPathsAt(file)
  const top = checked(root, inventorySchema(roles))
  const { hosts, faults } = readHosts(root, roles)
  throwAll([...top.faults, ...faults, ...repeatedDomains(root)])
  const { sandbox, sshConfig } = top.value
  return { file, sandbox, sshConfig: sshConfigOf(file, sshConfig), hosts }
}

/** The hosts that `--limit` names, each by its own name or by a group; without a limit all of them. */
export function selectHosts(inventory: Inventory, limit: readonly string[]): readonly InventoryHost[] {
  const wanted = limit.flatMap((part) => part.split(',')).map((name) => name.trim())
  if (wanted.length === 0) return inventory.hosts
  const hosts = inventory.hosts.map((host) => host.name)
  const groups = [...new Set(inventory.hosts.flatMap((host) => host.groups))]
  const unknown = wanted.filter((name) => !hosts.includes(name) && !groups.includes(name))
  if (unknown.length > 0) throw new UsageError(unknownNames(inventory.file, unknown, hosts, groups))
  return inventory.hosts.filter((host) => [host.name, ...host.groups].some((name) => wanted.includes(name)))
}

function unknownNames(file: string, unknown: string[], hosts: string[], groups: string[]): string {
  const lines = unknown.map((name) => `--limit: unknown host or group "${name}"${suggest(name, [...hosts, ...groups])}`)
  const known = `hosts ${hosts.join(', ')}${groups.length === 0 ? '' : ` and groups ${groups.join(', ')}`}`
  return [...lines, `${file} has ${known}`].join('\n')
}

/** The ssh_config that an inventory names, absolute; $BOTGARDEN_SSH_CONFIG takes its place, where CI has an operator's inventory. */
export function sshConfigOf(file: string, path: string | undefined): string | undefined {
  const { BOTGARDEN_SSH_CONFIG: ofCi } = process.env
  if (ofCi) return resolve(ofCi)
  if (path === undefined) return undefined
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(dirname(file), path)
}
