import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** The checksum of a file of any size, in hexadecimal. */
export async function checksumOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}
