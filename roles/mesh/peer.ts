/** What a host is told of its mesh. */
export interface Mesh {
  readonly network: string
  /** Its own address. */
  readonly address: string
  readonly port: number
  readonly mtu: number
  readonly keepalive: number | undefined
  readonly peers: readonly Peer[]
}

export interface Peer {
  readonly name: string
  readonly address: string
  /** `ADDRESS:PORT`. */
  readonly endpoint: string
  /** Its public key; undefined where this run makes it: only a check is told so. */
  readonly key: string | undefined
}

/** 32 bytes as base64 has them. */
const key = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw480]=$/

export function isPublicKey(text: string): boolean {
  return key.test(text)
}
