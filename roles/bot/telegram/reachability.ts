import { BlockList, isIPv4 } from 'node:net'
import { HostError } from '../../../lib/std/errors.ts'
import type { Deployment } from '../spec/deployment.ts'

/** Networks that cannot be reached from the internet. */
const privateNetworks = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const)
  privateNetworks.addSubnet(network, prefix)

/** Throws a `HostError` where Telegram could not reach the webhook of a bot, before anything is released. */
export function refuseUnreachable(name: string, deployments: ReadonlyMap<string, Deployment>): void {
  const [bot] = [...deployments].find(([, { spec }]) => spec.mode === 'webhook') ?? []
  const isClosed = name === 'localhost' || (isIPv4(name) && privateNetworks.check(name))
  if (bot === undefined || !isClosed) return
  const known = name === 'localhost' ? 'no public address' : `the private address ${name}`
  throw new HostError(
    `Telegram cannot deliver to ${bot}: this host has ${known}. Set "domain:" of the host in the inventory to its public IPv4 address or to a domain, or set "mode: polling" for the bot`,
  )
}
