import type { Facts } from './facts.ts'
import type { HostEntry } from './role.ts'

/** What the world reaches a host by: its domain, or the first of its IPv4 addresses. */
export function publicName({ domain }: HostEntry, { addresses }: Pick<Facts, 'addresses'>): string {
  // Docker's bridges come last, but a host with no address at all has only them.
  return domain ?? addresses.find((address) => /^\d+(\.\d+){3}$/.test(address)) ?? 'localhost'
}
