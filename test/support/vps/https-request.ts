import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { connect } from 'node:tls'

export interface Asked {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends requests to a host by its name, over verified connections: each its own, or with `sockets` at most so many that stay. */
export function asking(target: { address: string; name: string; ca: string }, sockets?: number) {
  const { address, name, ca } = target
  const agent = new Agent(sockets === undefined ? { keepAlive: false } : { keepAlive: true, maxSockets: sockets })
  return (
    path: string,
    { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
  ): Promise<Asked> =>
    new Promise((resolve, reject) => {
      const options = { host: address, servername: name, path, ca, agent, method, timeout: 60_000 }
      const sent = request({ ...options, headers: { host: name, ...headers } }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
        })
      })
      sent.on('timeout', () => sent.destroy(new Error('timeout')))
      sent.on('error', reject)
      sent.end(body)
    })
}

/** A client that asks, with these lines of a header as well, and then reads nothing of the answer, until it is ended. */
export function slowly(
  { address, name, ca }: { address: string; name: string; ca: string },
  path: string,
  more: readonly string[] = [],
): () => void {
  const socket = connect({ host: address, port: 443, servername: name, ca }, () =>
    socket.write([`GET ${path} HTTP/1.1`, `Host: ${name}`, ...more, '', ''].join('\r\n')),
  )
  socket.on('error', () => {})
  socket.pause()
  return () => socket.destroy()
}
