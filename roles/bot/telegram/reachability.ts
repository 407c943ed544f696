import { BlockList, isIPv4 } from 'node:net'
import { HostError } from '../../../lib/std/errors.ts'
import type { Deployment } from '../spec/deployment.ts'

/** Networks that nobody is reached in from outside. */
const closed = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const)
  closed.addSubnet(network, prefix)

/** Telegram delivers to no address of a closed network: said before anything is released. */
export function refuseUnreachable(name: string, deliveries: ReadonlyMap<string, Deployment>): void {
  const [bot] = [...deliveries].find(([, { spec }]) => spec.mode === 'webhook') ?? []
  const isClosed = name === 'localhost' || (isIPv4(name) && closed.check(name))
  if (bot === undefined || !isClosed) return
  const known = name === 'localhost' ? 'no address of its own' : `the private address ${name}`
  throw new HostError(
    `Telegram cannot deliver to ${bot}: this host has ${known}. Put its public IPv4 address, or a domain, as "domain:" of the host in the inventory, or let the bot ask (mode: polling)`,
  )
}
