import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy on loopback that counts how often the direction turns, and can be cut. */
export interface CountingProxy {
  readonly port: number
  /** How often the client sent something after the server had spoken, over all connections so far. */
  turns(): number
  /** From now on drops every byte in both directions, without closing anything: a cable that was pulled. */
  blackhole(): void
  /** Ends every connection when the server has sent so many more bytes; `dead`: and takes no other one. */
  cutAfter(bytes: number, options?: { dead: boolean }): void
  close(): Promise<void>
}

export async function countingProxy(target: number): Promise<CountingProxy> {
  let turns = 0
  let dark = false
  let left = Number.POSITIVE_INFINITY
  let dead = false
  let deadAfterwards = false
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    if (dead) return void client.destroy()
    const upstream = connect(target, '127.0.0.1')
    let serverSpoke = false
    let greeting: Buffer | undefined = Buffer.alloc(0)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        if (dark) return
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes: Buffer) => {
      if (dark) return
      if (serverSpoke) turns++
      serverSpoke = false
      if (greeting === undefined) return void upstream.write(bytes)
      // Both sides greet unasked, and offer their keys upon the other's greeting: whose offer is first would be chance.
      greeting = Buffer.concat([greeting, bytes])
      if (greeting.indexOf('\n') < 0 || greeting.indexOf('\n') === greeting.length - 1) return
      upstream.write(greeting)
      greeting = undefined
    })
    upstream.on('data', (bytes) => {
      if (dark) return
      serverSpoke = true
      client.write(bytes)
      left -= bytes.length
      if (left > 0) return
      left = Number.POSITIVE_INFINITY
      dead = deadAfterwards
      for (const socket of sockets) socket.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
  return {
    port: address.port,
    turns: () => turns,
    blackhole: () => {
      dark = true
    },
    cutAfter: (bytes, options) => {
      left = bytes
      deadAfterwards = options?.dead ?? false
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
