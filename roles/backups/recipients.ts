import { readFileSync } from 'node:fs'
import { bech32 } from '@scure/base'
import * as v from 'valibot'
import { InventoryError } from '../../lib/std/errors.ts'
import { localPath } from '../../lib/std/local-path.ts'

/** A public key of age, or the path of a file with public keys. */
export const recipient = v.pipe(
  v.string(),
  v.nonEmpty(),
  v.check((text) => !text.startsWith('AGE-SECRET-KEY-'), 'a public key, age1…: this is a secret key, remove it'),
  v.check((text) => !text.startsWith('age1') || isRecipient(text), 'a complete age1… key as age-keygen prints it'),
  v.description('age1…, or a file with such lines, by its path relative to the inventory, or to this checkout'),
)

/** All public keys, sorted. Reads the files. Throws an `InventoryError` where a file cannot be read or has other lines. */
export function recipientsOf(wanted: readonly string[]): string[] {
  const all = wanted.flatMap((each) => (each.startsWith('age1') ? [each] : linesOf(each)))
  return [...new Set(all)].sort()
}

function linesOf(path: string): string[] {
  const lines = textOf(path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const wrong = lines.find((line) => !isRecipient(line))
  if (wrong !== undefined || lines.length === 0)
    throw new InventoryError(`backups.recipients: ${path}: should contain only lines with age1… keys`)
  return lines
}

function textOf(path: string): string {
  try {
    return readFileSync(localPath(path), 'utf8')
  } catch (error) {
    throw new InventoryError(`backups.recipients: cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * Checks the checksum of the key as well: with a wrong letter nobody could open the backups. Of the kinds of recipients the age of
 * the host supports this one only: X25519, 32 bytes. The library that encrypts is not asked, since it takes 50 ms to load.
 */
function isRecipient(text: string): boolean {
  const decoded = bech32.decodeUnsafe(text)
  return (
    decoded?.prefix === 'age' && text === text.toLowerCase() && bech32.fromWordsUnsafe(decoded.words)?.length === 32
  )
}
