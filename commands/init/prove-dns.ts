import { lookup, resolve4, resolve6 } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Facts } from '../../lib/model/facts.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'

/** Where a domain leads, and what is wrong with that. */
export interface DnsProof {
  readonly addresses: readonly string[]
  /** A sentence with what to do; undefined: it leads to the host alone. */
  readonly fault?: string
}

/** Asks DNS from here, or from the host where this machine knows no such name. `reached`: by what address ssh came there. */
export async function proveDns(domain: string, reached: string | undefined, connection: Connection): Promise<DnsProof> {
  const own = new Set([...connection.facts.addresses, ...(reached === undefined ? [] : [reached])])
  const found = isIP(domain) > 0 ? [domain] : await addressesOf(domain, connection)
  const fault = faultIn(domain, found, own, connection.facts)
  return { addresses: found, ...(fault !== undefined && { fault }) }
}

/** The address that ssh goes to for this name; undefined where it has none. */
export async function addressOf(name: string): Promise<string | undefined> {
  if (isIP(name) > 0) return name
  return (await lookup(name).catch(() => undefined))?.address
}

function faultIn(domain: string, found: readonly string[], own: ReadonlySet<string>, facts: Facts): string | undefined {
  const should = facts.address || [...own].find((address) => isIP(address) === 4) || 'its address'
  if (found.length === 0)
    return `${domain} leads nowhere: give it an A record with ${should}, and wait until DNS knows it`
  const strange = found.filter((address) => !own.has(address))
  if (strange.length === 0) return undefined
  const records = strange.map((address) => `${isIP(address) === 6 ? 'AAAA' : 'A'} ${address}`).join(', ')
  return `${domain} leads to an address that is not the host's (${records}): its A record should be ${should}, with no other beside it; a proxy in between keeps the certificate and Telegram from coming through`
}

async function addressesOf(domain: string, connection: Connection): Promise<string[]> {
  const asked = await Promise.all([resolve4(domain).catch(() => []), resolve6(domain).catch(() => [])])
  const here = asked.flat()
  if (here.length > 0) return here
  const there = await ask(connection, sh`getent ahosts ${domain} | sed 's/ .*//' | sort -u`)
  return there.split('\n').filter((address) => isIP(address) > 0)
}
