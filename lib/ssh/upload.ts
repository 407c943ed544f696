import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { sh } from '../shell/sh.ts'
import { HostError } from '../std/errors.ts'
import type { Connection } from './connection.ts'
import { ask } from './exec.ts'

/** Bytes of one request: enough that latency does not matter, few enough to keep in memory. */
const piece = 4 * 2 ** 20

/** Writes a file on the host from a stream of any length, and compares the checksum there. Its folder is root's alone. */
export async function upload(
  connection: Connection,
  path: string,
  source: AsyncIterable<Buffer>,
  progress: (bytes: number) => void = () => {},
): Promise<void> {
  const hash = createHash('sha256')
  let sent = 0
  await ask(connection, sh`umask 077; mkdir -p ${posix.dirname(path)}; : >${path}`)
  for await (const bytes of pieces(source)) {
    hash.update(bytes)
    await ask(connection, sh`printf %s ${bytes.toString('base64')} | base64 -d >>${path}`)
    sent += bytes.length
    progress(sent)
  }
  const arrived = (await ask(connection, sh`sha256sum <${path} | cut -c 1-64`)).trim()
  if (arrived === hash.digest('hex')) return
  await ask(connection, sh`rm -f ${path}`)
  throw new HostError(
    `${path}: what arrived is not what was sent: is its disk full? See df -h and df -i ${posix.dirname(path)} there`,
  )
}

async function* pieces(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let kept: Buffer[] = []
  let length = 0
  for await (const bytes of source) {
    kept.push(bytes)
    length += bytes.length
    if (length < piece) continue
    yield Buffer.concat(kept)
    kept = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(kept)
}
