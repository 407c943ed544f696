import { BlockList, isIP, SocketAddress } from 'node:net'

/** An open port, for all or for these addresses only. */
export interface Rule {
  /** `443`, or `6000:6010`. */
  readonly ports: string
  readonly protocol: 'tcp' | 'udp' | 'any'
  readonly from: string | undefined
  /** The only interface that it is open on. */
  readonly on?: string
}

const syntax =
  /^(?<first>\d{1,5})(:(?<last>\d{1,5}))?(\/(?<protocol>tcp|udp))?( on (?<on>[a-zA-Z][\w.-]{0,14}))?( from (?<from>\S+))?$/

export function isRule(text: string): boolean {
  const { first, last = first, protocol, from } = syntax.exec(text)?.groups ?? {}
  const [low, high] = [Number(first), Number(last)]
  if (!(low >= 1 && low <= high && high <= 65_535) || (from !== undefined && !isNetwork(from))) return false
  // ufw needs the protocol of a range.
  return low === high || protocol !== undefined
}

export function parseRule(text: string): Rule {
  const { first, last, protocol, on, from } = syntax.exec(text)?.groups ?? {}
  const ports = last === undefined || Number(last) === Number(first) ? [first] : [first, last]
  return {
    ports: ports.map(Number).join(':'),
    protocol: protocol === 'tcp' || protocol === 'udp' ? protocol : 'any',
    from,
    ...(on !== undefined && { on }),
  }
}

/** An address or a network as ufw stores it: without host bits, IPv6 in its shortest form. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more !== undefined || normal(address) !== address) return false
  if (bits === undefined) return true
  const width = version === 4 ? 32 : 128
  return /^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) < width && hasNoHostBits(address, Number(bits))
}

/** The arguments of ufw that allow this. */
export function allowing({ ports, protocol, from, on }: Rule): string[] {
  const words = protocol === 'any' ? [] : ['proto', protocol]
  if (on !== undefined) {
    const source = from === undefined ? [] : ['from', from]
    return ['allow', 'in', 'on', on, ...words, ...source, 'to', 'any', 'port', ports]
  }
  if (from === undefined) return ['allow', protocol === 'any' ? ports : `${ports}/${protocol}`]
  return ['allow', 'in', ...words, 'from', from, 'to', 'any', 'port', ports]
}

/** A rule as ufw stores it in its files: one tuple for each address family. */
export function tuplesOf({ ports, protocol, from, on }: Rule): string[] {
  const direction = on === undefined ? 'in' : `in_${on}`
  return (['0.0.0.0/0', '::/0'] as const)
    .filter((everywhere) => from === undefined || familyOf(from) === familyOf(everywhere))
    .map((everywhere) => `allow ${protocol} ${ports} ${everywhere} any ${from ?? everywhere} ${direction}`)
}

export type Family = 'ipv4' | 'ipv6'

export function familyOf(address: string): Family {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

/** Whether an address is this address, or is in this network. */
export function isInside(address: string, network: string): boolean {
  // An IPv4 client of an IPv6 socket.
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*/, '')
  const [start = '', bits] = network.split('/')
  if (familyOf(plain) !== familyOf(start)) return false
  const list = new BlockList()
  if (bits === undefined) list.addAddress(start, familyOf(start))
  else list.addSubnet(start, Number(bits), familyOf(start))
  return list.check(plain, familyOf(plain))
}

function normal(address: string): string {
  return new SocketAddress({ address, family: familyOf(address) }).address
}

function hasNoHostBits(address: string, bits: number): boolean {
  return !binary(address).includes('1', bits)
}

function binary(address: string): string {
  if (familyOf(address) === 'ipv4')
    return address
      .split('.')
      .map((byte) => Number(byte).toString(2).padStart(8, '0'))
      .join('')
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => text.split(':').filter(Boolean)
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  return [...groups(head), ...Array(missing).fill('0'), ...groups(tail ?? '')]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('')
}
