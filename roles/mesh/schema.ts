import * as v from 'valibot'
import { ipv4Network, ipv4Number, overlaps } from '../../lib/model/ipv4.ts'
import { addressIn, takenFault } from './address.ts'

const address = v.pipe(
  v.string(),
  v.check((text) => ipv4Number(text) !== undefined, 'an IPv4 address'),
  v.description('an IPv4 address'),
)
const network = v.pipe(
  v.string(),
  v.regex(/^[\d.]+\/(1[6-9]|2\d)$/, 'NETWORK/BITS with 16 to 29 bits'),
  v.check((text) => ipv4Network(text) !== undefined, 'a network without host bits, like 10.214.0.0/16'),
  v.check(isPrivate, 'a private network, like 10.214.0.0/16'),
  v.description('a private network like 10.214.0.0/16'),
)
const number = (least: number, most: number, what: string) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most), v.description(what)))

export const vars = v.strictObject({
  /** A host is in the mesh of this network; all hosts that have the same one are its peers. Left out: it is in none. */
  network: v.optional(network),
  /** Its own address in the mesh. Left out: made from its name. */
  address: v.optional(address),
  /** Where the others reach it. Left out: the address of `ssh`, where that is one, or of its default route. */
  endpoint: v.optional(address),
  /** The port of UDP that it listens on. Left out: 51820. */
  port: number(1, 65_535, 'a port'),
  /** In bytes, of what goes through the mesh. Left out: 1420. */
  mtu: number(1280, 8920, 'a number of bytes from 1280 to 8920'),
  /** Seconds after which it sends something to each peer, for a host behind a router that forgets. Left out: never. */
  keepalive: number(1, 3600, 'a number of seconds from 1 to 3600'),
})
export type MeshVars = v.InferOutput<typeof vars>

/** Contradictions between keys that are each valid. */
export function faultsOf({ network, address, ...others }: MeshVars, name: string): string[] {
  if (network === undefined) {
    const given = Object.keys({ ...(address !== undefined && { address }), ...others })
    return given.length === 0 ? [] : [`mesh.network: missing: without it mesh.${given[0]} says nothing`]
  }
  const taken = takenFault(network)
  if (taken !== undefined) return [`mesh.network: ${taken}`]
  const [whole, own] = [ipv4Network(network), ipv4Number(addressIn(network, { name, address }))]
  if (whole === undefined || own === undefined || (own > whole.first && own < whole.last)) return []
  return [`mesh.address: ${address} is not one for a host of ${network}`]
}

function isPrivate(text: string): boolean {
  const wanted = ipv4Network(text)
  const ranges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].flatMap(
    (each) => ipv4Network(each) ?? [],
  )
  return wanted === undefined || ranges.some((range) => overlaps(range, wanted))
}
