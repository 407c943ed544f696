import { createHash } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { Decrypter } from 'age-encryption'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import type { BackupPart } from '../../roles/backups/manifest.ts'

/** The operator's secret keys, in a file of age-keygen. They never leave this machine. Throws a `UsageError`. */
export async function identitiesIn(file: string): Promise<readonly Secret[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`--identity ${file}: cannot be read: ${error.message}`, { cause: error })
  })
  const keys = text.split('\n').flatMap((line) => /^\s*(AGE-SECRET-KEY-1[A-Z0-9]+)\s*$/.exec(line)?.[1] ?? [])
  if (keys.length === 0)
    throw new UsageError(`--identity ${file}: has no line AGE-SECRET-KEY-1… as age-keygen writes it`)
  return keys.map((key) => new Secret(key))
}

/**
 * The decrypted content of a part, in chunks. Throws a `HostError` where it does not match the manifest, at the end at the
 * latest: until then nothing that was made of it may be kept.
 */
export async function* decryptPart(
  folder: string,
  part: BackupPart,
  identities: readonly Secret[],
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const other = new HostError(`${part.file}: its decrypted content does not match the manifest`)
  let size = 0
  try {
    for await (const chunk of decryptFile(join(folder, part.file), identities)) {
      // The host has checked its free space for this size.
      size += chunk.length
      if (size > part.size) throw other
      hash.update(chunk)
      yield chunk
    }
  } catch (error) {
    if (error === other || error instanceof HostError) throw error
    throw new HostError(`${part.file}: ${(error as Error).message}`, { cause: error })
  }
  if (size !== part.size || hash.digest('hex') !== part.sha256) throw other
}

/** The decrypted content of a file, in chunks. Throws a `HostError` for one that these keys do not open, or that was changed. */
export async function* decryptFile(path: string, identities: readonly Secret[]): AsyncGenerator<Buffer> {
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity.reveal())
  try {
    const plain = await decrypter.decrypt((await openAsBlob(path)).stream())
    for await (const chunk of Readable.fromWeb(plain as Parameters<typeof Readable.fromWeb>[0])) yield chunk as Buffer
  } catch (error) {
    throw new HostError(`${basename(path)}: ${reasonOf(error as Error)}`, { cause: error })
  }
}

function reasonOf({ message }: Error): string {
  if (/no identity matched/i.test(message))
    return 'none of these identities can decrypt it: it was encrypted for another key'
  return `cannot be decrypted: ${message}`
}
