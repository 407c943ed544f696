/** A network of IPv4 addresses: its first and its last one, as numbers. */
export interface Ipv4Network {
  readonly first: number
  readonly last: number
}

/** The network that a text like `10.214.0.0/16` is; an address alone is one of itself. Undefined where it is none, or has host bits. */
export function ipv4Network(text: string): Ipv4Network | undefined {
  const [, address = '', bits = '32'] = /^([\d.]+)(?:\/(\d{1,2}))?$/.exec(text) ?? []
  const first = ipv4Number(address)
  const size = 2 ** (32 - Number(bits))
  if (first === undefined || Number(bits) > 32 || first % size !== 0) return undefined
  return { first, last: first + size - 1 }
}

/** `192.0.2.1` as a number, without a leading zero in any part; undefined where it is no address. */
export function ipv4Number(text: string): number | undefined {
  const parts = text.split('.')
  const isPart = (part: string) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256
  if (parts.length !== 4 || !parts.every(isPart)) return undefined
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function ipv4Text(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}

export function overlaps(one: Ipv4Network, other: Ipv4Network): boolean {
  return one.first <= other.last && other.first <= one.last
}
