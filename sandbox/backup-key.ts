import { existsSync } from 'node:fs'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { paths } from './machine/paths.ts'
import { writeAtomic } from './machine/write-atomic.ts'

/** The key that the sandbox's backups are encrypted for: an operator makes another one, by age-keygen. */
export async function ensureBackupKey(): Promise<void> {
  if (hasBackupKey()) return
  const identity = await generateX25519Identity()
  writeAtomic(paths.backupKey, `${identity}\n`)
  // The public half last: a run that is cut leaves no half pair.
  writeAtomic(paths.backupRecipient, `${await identityToRecipient(identity)}\n`)
}

export function hasBackupKey(): boolean {
  return existsSync(paths.backupRecipient)
}
