import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { checkout, home } from './machine/paths.ts'

const standard = join(checkout, 'inventory', 'sandbox.yaml')

/** The default inventory for as many hosts: each has what its one host has, under a name of its own. */
export function inventoryFor(names: readonly string[]): string {
  const { hosts, ...shared } = parse(readFileSync(standard, 'utf8'), besideUs)
  const like = (name: string) => JSON.parse(JSON.stringify(hosts.vps1).replaceAll('vps1', name))
  const inventory = { ...shared, hosts: Object.fromEntries(names.map((name) => [name, like(name)])) }
  return `# yaml-language-server: $schema=../inventory/schema.json
# Written by playbooks/sandbox.ts up --hosts ${names.length}.
${stringify(inventory)}`
}

/** Paths that begin with `..` are relative to the inventory, and this one is in another folder. */
function besideUs(_key: unknown, value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('../')) return value
  return relative(home, resolve(dirname(standard), value))
}
