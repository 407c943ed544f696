import { lookup } from 'node:dns/promises'
import { BlockList, isIP, isIPv4 } from 'node:net'
import { badRequest } from '../errors.ts'

/** What Telegram calls reserved: no webhook can be there, except in the networks of `allow`. */
const reserved = listOf([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
])

/** The address of a host, by the system's resolver: one that will not do only if there is no IPv4 one. */
export async function resolve(host: string): Promise<string> {
  const bare = host.replace(/^\[|\]$/g, '')
  const found = isIP(bare) ? [{ address: bare }] : await lookup(bare, { all: true }).catch(() => [])
  const best = found.find(({ address }) => isIPv4(address)) ?? found[0]
  if (best === undefined) throw badWebhook('Failed to resolve host: Name or service not known')
  return best.address
}

export function checkAddress(address: string, allow: readonly string[]): void {
  if (!isIP(address)) throw badWebhook('Invalid IP address specified')
  if (!isIPv4(address)) throw badWebhook('IPv6-only addresses are not allowed')
  if (reserved.check(address) && !listOf(allow).check(address)) throw badWebhook(`IP address ${address} is reserved`)
}

export function badWebhook(what: string) {
  return badRequest(`bad webhook: ${what}`)
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    list.addSubnet(address, Number(bits))
  }
  return list
}
