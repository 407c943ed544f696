import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

/** A certificate with its chain, and its key, as PEM. */
export interface Tls {
  readonly cert: string
  readonly key: string
}

/** Starts an HTTP server, or one of HTTPS, and waits until it listens. */
export async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { host, port, tls }: { host: string; port: number; tls?: Tls },
): Promise<Server> {
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch((error) => {
      process.stderr.write(`${request.method} ${request.url}: ${error.stack}\n`)
      if (!response.headersSent) sendJson(response, 500, { ok: false, error_code: 500, description: String(error) })
      else response.destroy()
    })
  }
  const server = tls === undefined ? createServer(onRequest) : createTlsServer({ ...tls }, onRequest)
  // Clients keep connections open longer than Node's 5 s, and a request sent into one that closes is lost.
  server.keepAliveTimeout = 75_000
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

export function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
  return address.port
}

/** The whole body; undefined where it is longer than the limit. */
export async function bodyOf(request: IncomingMessage, limit = 8 * 2 ** 20): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request) {
    length += part.length
    if (length <= limit) parts.push(part)
  }
  return length <= limit ? Buffer.concat(parts) : undefined
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

/** Aborts when the other side hangs up before it has its answer. */
export function hangUp(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
