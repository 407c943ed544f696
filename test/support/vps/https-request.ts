import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
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

/** A client that asks, and then reads nothing of the answer, until it is ended. */
export function slowly({ address, name, ca }: { address: string; name: string; ca: string }, path: string): () => void {
  const socket = connect({ host: address, port: 443, servername: name, ca }, () =>
    socket.write([`GET ${path} HTTP/1.1`, `Host: ${name}`, '', ''].join('\r\n')),
  )
  socket.on('error', () => {})
  socket.pause()
  return () => socket.destroy()
}

export interface WebSocketTo {
  /** Sends a text of at most 125 characters, and returns what is sent back. */
  say(text: string): Promise<string>
  end(): void
}

/** A websocket over a verified connection; rejects with the status where it is refused. */
export function webSocketTo(
  { address, name, ca }: { address: string; name: string; ca: string },
  path: string,
): Promise<WebSocketTo> {
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
  const headers = { host: name, ...upgrade, 'sec-websocket-key': randomBytes(16).toString('base64') }
  return new Promise((resolve, reject) => {
    const sent = request({ host: address, servername: name, path, ca, headers, agent: false })
    sent.on('response', ({ statusCode }) => reject(new Error(String(statusCode))))
    sent.on('error', reject)
    sent.on('upgrade', (_, socket) => {
      socket.on('error', () => {})
      const say = async (text: string) => {
        // One whole frame of text; what a client sends has a mask, here of zeros.
        socket.write(Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0, ...Buffer.from(text)]))
        const [frame] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])])
        return frame === undefined ? 'closed' : String(frame.subarray(2))
      }
      resolve({ say, end: () => socket.destroy() })
    })
    sent.end()
  })
}
