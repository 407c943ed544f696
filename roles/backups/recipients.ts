import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Encrypter } from 'age-encryption'
import * as v from 'valibot'
import { InventoryError } from '../../lib/std/errors.ts'

const checkout = resolve(import.meta.dirname, '../..')

/** A public key of age's, or a file that holds some. */
export const recipient = v.pipe(
  v.string(),
  v.nonEmpty(),
  v.check((text) => !text.startsWith('AGE-SECRET-KEY-'), 'the public half, age1…: this is the secret one, take it out'),
  v.check((text) => !text.startsWith('age1') || isRecipient(text), 'a whole age1… as age-keygen prints it'),
  v.description('age1…, or the path of a file with such lines, from the folder of this checkout'),
)

/** All of them, a line each; files are read now, and whatever they hold is checked as well. */
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
    throw new InventoryError(`backups.recipients: ${path}: should hold lines of age1…, and nothing else`)
  return lines
}

function textOf(path: string): string {
  try {
    return readFileSync(resolve(checkout, path), 'utf8')
  } catch (error) {
    throw new InventoryError(`backups.recipients: cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** With the checksum that it carries: a wrong letter would lock everybody out of the backups. */
function isRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text)
    // The host's age knows this kind only.
    return /^age1[02-9ac-hj-np-z]{58}$/.test(text)
  } catch {
    return false
  }
}
