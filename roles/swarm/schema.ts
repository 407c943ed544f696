import * as v from 'valibot'
import { ipv4Network } from '../../lib/model/ipv4.ts'

/** The addresses of the networks of replicas: behind those of bots, of Docker's pool, of databases and of the usual mesh. */
const defaultNetwork = '10.216.0.0/16'

const network = 'a private IPv4 network of 12 to 20 bits: 10.216.0.0/16'

export const vars = v.strictObject({
  /** The addresses of the networks that replicas have, the same for all hosts of a mesh. They are given for good when the swarm begins. */
  network: v.optional(v.pipe(v.string(), v.check(isNetwork, network), v.description(network)), defaultNetwork),
})
export type SwarmVars = v.InferOutput<typeof vars>

function isNetwork(text: string): boolean {
  const bits = Number(text.split('/')[1])
  const found = ipv4Network(text)
  return found !== undefined && bits >= 12 && bits <= 20 && /^(10|172|192)\./.test(text)
}
