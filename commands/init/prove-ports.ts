import { connect } from 'node:net'
import { sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { stream } from '../../lib/ssh/exec.ts'

const functions = shellFile(new URL('listen.sh', import.meta.url))

/** How long the host listens, and how long one connection may take, in seconds. */
const listening = 15
const patience = 8

/**
 * What keeps this machine from these ports of the host, a sentence for each that it does not reach. Where nothing listens there
 * yet, the host listens itself for some seconds.
 */
export async function proveReached(
  address: string,
  ports: readonly number[],
  connection: Connection,
): Promise<readonly string[]> {
  const reached = new Map<number, boolean>()
  let said = ''
  let probing: Promise<unknown> | undefined
  const script = sh`
    ${functions}
    listen ${listening} ${ports}`
  await stream(connection, script, (bytes) => {
    said += bytes
    if (!said.includes('ready\n')) return
    probing ??= Promise.all(ports.map(async (port) => reached.set(port, await isReached(address, port))))
  })
  await probing
  return ports.filter((port) => reached.get(port) !== true).map((port) => closed(address, port))
}

function closed(address: string, port: number): string {
  return `port ${port} of ${address} cannot be reached from here: open it in the provider's firewall (its panel, «security group»); the host's own is opened by site.ts`
}

/** What is behind it does not matter here: a refusal comes where nothing listens, or from a firewall. */
function isReached(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(patience * 1000, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
