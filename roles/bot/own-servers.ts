import type { Facts } from '../../lib/model/facts.ts'
import type { Resource } from '../../lib/model/resource.ts'
import type { BotEntry, HostEntry } from '../../lib/model/role.ts'
import { domainServer, nothingHere } from '../../lib/platform/domain-server.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import { siteFile } from '../../lib/platform/site-file.ts'

/** The servers of a bot's own domains, which are there before it is released. */
export function ownServers(entry: BotEntry, { httpsPort }: HostEntry, { ipv6 }: Facts): Resource[] {
  const domains = domainsOf(entry)
  if (domains.length === 0) return []
  const servers = domains.map((domain) => domainServer({ domain, httpsPort, ipv6, inner: nothingHere }))
  const head = '# Written by botgarden; changes made here are overwritten.\n'
  return [siteFile(entry.name, head + servers.join('\n'))]
}
