import { entriesOf } from './merge-vars.ts'
import { isList, type Node } from './yaml.ts'

/** Domains that an inventory has twice: of two bots, of one bot, or of a bot and of a host. Each is served by one bot alone. */
export function repeatedDomains(root: Node): string[] {
  const known = new Map<string, { readonly owner: string; readonly where: string }>()
  for (const [host, node] of section(root, 'hosts')) {
    const domain = entriesOf(node).get('domain')
    if (typeof domain?.value === 'string') known.set(domain.value, { owner: `hosts.${host}`, where: domain.where })
  }
  const faults: string[] = []
  for (const [bot, node] of section(root, 'bots'))
    for (const [i, { value, where }] of domainNodes(node).entries()) {
      if (typeof value !== 'string') continue
      const owner = `bots.${bot}`
      const first = known.get(value)
      if (first === undefined) known.set(value, { owner, where })
      else faults.push(`${where}: ${owner}.domains[${i}]: ${value} ${inUse(owner, first)}`)
    }
  return faults
}

function inUse(owner: string, first: { readonly owner: string; readonly where: string }): string {
  if (first.owner === owner) return `is listed twice, see ${first.where}: leave one out`
  const [what] = first.owner.split('.')
  if (what === 'hosts')
    return `is the name of ${first.owner} already, see ${first.where}: a bot needs a name of its own`
  return `is a domain of ${first.owner} already, see ${first.where}: a domain is served by one bot`
}

function domainNodes(bot: Node): readonly Node[] {
  const domains = entriesOf(bot).get('domains')
  return domains !== undefined && isList(domains.value) ? domains.value : []
}

function section(root: Node, name: string) {
  return entriesOf(entriesOf(root).get(name) ?? { ...root, value: null })
}
