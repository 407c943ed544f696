import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Update } from 'grammy/types'
import type { Intake } from './intake.ts'
import type { Log } from './log.ts'

export interface ServerOptions {
  /** None where updates are polled for. */
  readonly webhook: { readonly path: string; readonly secret: string } | undefined
  readonly take: Intake['take']
  /** Why the bot cannot work at the moment, if so. */
  readonly unready: () => Promise<string | undefined>
  readonly stopping: () => boolean
  readonly log: Log
}

interface Reply {
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The door for Telegram and for health checks. It is not for the internet: TLS ends in front of it. */
export function createBotServer(options: ServerOptions): Server {
  const server = createServer((request, response) => {
    void answer(request, options)
      .catch((error: unknown): Reply => {
        options.log.error({ err: error }, 'a request failed')
        return { status: 500 }
      })
      .then((reply) => write(response, reply, options.stopping()))
  })
  // Longer than the proxy in front keeps its connections, else it may send into one that closes at that moment.
  server.keepAliveTimeout = 65_000
  server.headersTimeout = 66_000
  server.requestTimeout = 66_000
  return server
}

const mostBytes = 1024 * 1024

/** Telegram resends a refused update at once, and then less and less often: this is when we think it is worth it. */
const again: Reply = { status: 503, headers: { 'Retry-After': '2' } }

async function answer(request: IncomingMessage, options: ServerOptions): Promise<Reply> {
  const path = request.url?.split('?')[0]
  if (path === '/healthz') return asked(request, () => ({ status: 200, body: 'up\n' }))
  if (path === '/readyz') return asked(request, () => readiness(options))
  if (options.webhook === undefined || path !== options.webhook.path) return { status: 404 }
  if (request.method !== 'POST') return { status: 405, headers: { Allow: 'POST' } }
  if (!isSame(request.headers['x-telegram-bot-api-secret-token'], options.webhook.secret)) return { status: 401 }
  const body = await read(request)
  if (body === undefined) return { status: 413, headers: { Connection: 'close' } }
  const update = parseUpdate(body)
  if (update === undefined) return { status: 400 }
  // Also where a handler has failed: sent again it would only fail again.
  return (await options.take(update)) === 'done' ? { status: 200 } : again
}

async function asked(request: IncomingMessage, reply: () => Reply | Promise<Reply>): Promise<Reply> {
  const reads = request.method === 'GET' || request.method === 'HEAD'
  return reads ? reply() : { status: 405, headers: { Allow: 'GET, HEAD' } }
}

async function readiness(options: ServerOptions): Promise<Reply> {
  const reason = await options.unready()
  return reason === undefined ? { status: 200, body: 'ready\n' } : { status: 503, body: `${reason}\n` }
}

/** In constant time, of the length as well: how long it takes tells nothing of how much was right. */
function isSame(given: string | string[] | undefined, secret: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return typeof given === 'string' && timingSafeEqual(hash(given), hash(secret))
}

/** Nothing where it is too big; the rest of it is not kept. */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseUpdate(body: string): Update | undefined {
  try {
    const update = JSON.parse(body) as Update | null
    return Number.isSafeInteger(update?.update_id) ? (update as Update) : undefined
  } catch {
    return undefined
  }
}

function write(response: ServerResponse, { status, body = '', headers = {} }: Reply, last: boolean): void {
  // A proxy that keeps the connection would send its next request into a server that is gone.
  response.writeHead(status, { 'Content-Type': 'text/plain', ...headers, ...(last ? { Connection: 'close' } : {}) })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
