import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../../lib/std/errors.ts'

/** The checkout that this sandbox belongs to, and the hash of its path, which keeps two checkouts apart. */
export const checkout = join(import.meta.dirname, '../..')
export const checkoutHash = hashOf(checkout).slice(0, 8)

/** What every container, volume and network of this checkout is found by. */
export const label = `botgarden.checkout=${checkoutHash}`
export const network = `botgarden-${checkoutHash}`

/** The folder of everything that the sandbox writes. */
export const home = join(checkout, '.sandbox')
export const paths = {
  hosts: join(home, 'hosts'),
  key: join(home, 'id_ed25519'),
  sshConfig: join(home, 'ssh_config'),
  knownHosts: join(home, 'known_hosts'),
  inventory: join(home, 'inventory.yaml'),
  /** The root certificate of the HTTPS of the sandbox's certificate authority. */
  acmeCa: join(home, 'acme-ca.pem'),
  /** The names of the further stand-ins that were asked for. */
  standIns: join(home, 'stand-ins.json'),
  /** The root certificate of https://api.telegram.org in the sandbox. */
  telegramCa: join(home, 'telegram-ca.pem'),
  /** The key that opens the backups of the sandbox's hosts, and its public half. */
  backupKey: join(home, 'backup-key.txt'),
  backupRecipient: join(home, 'backup-recipient.txt'),
  logs: join(home, 'logs'),
  /** Shared by every checkout: what is known about a daemon that we started, and the locks. */
  machine: process.getuid?.() === 0 ? '/run/botgarden' : join(homedir(), '.cache', 'botgarden'),
}

/** The container (and the volume) of a VPS or of another part of this sandbox. */
export function containerOf(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) {
    throw new UsageError(`"${name}" cannot be a sandbox host: lower-case letters, digits and dashes, a letter first`)
  }
  return `${network}-${name}`
}

/** The names by which a container is found on this checkout's network: some below its own are for domains of bots. */
export function aliasesOf(host: string): string[] {
  const below = ['www', 'shop', 'app', 'pay', 'late'].map((each) => `${each}.${host}.sandbox`)
  return [host, `${host}.sandbox`, ...below]
}

export function hashOf(...parts: (string | Buffer)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}
