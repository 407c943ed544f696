import { connect, createServer, type Socket } from 'node:net'

/** A way to a port of this machine that takes each packet so long, in milliseconds, in each direction: a host far away. */
export async function far(port: number, milliseconds: number): Promise<{ port: number; close: () => void }> {
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const there = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, there],
      [there, near],
    ] as const) {
      open.add(from.setNoDelay())
      // Timers of one length fire in the order in which they were set.
      from.on('data', (data) => setTimeout(() => to.write(data), milliseconds))
      from.on('end', () => setTimeout(() => to.end(), milliseconds))
      from.on('error', () => to.destroy())
      from.on('close', () => open.delete(from))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
  const close = () => {
    server.close()
    for (const socket of open) socket.destroy()
  }
  return { port: address.port, close }
}
