import type { Facts } from '../model/facts.ts'
import type { HostEntry } from '../model/role.ts'

/** What the world reaches a host by: its domain, or the address that it reaches the world from. */
export function publicName({ domain }: HostEntry, { address }: Pick<Facts, 'address'>): string {
  return domain ?? (address || 'localhost')
}
