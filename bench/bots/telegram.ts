import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

const me = { id: 1, is_bot: true, first_name: 'Hello', username: 'hello_bot' }

export type Telegram = Awaited<ReturnType<typeof telegram>>

/** Both sides of Telegram: the API that a bot calls, and what sends updates to its webhook. Every update has a chat of its own. */
export async function telegram(connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const webhookPort = 20_000 + (process.pid % 10_000)
  const began = new Map<number, number>()
  const state = {
    delay: 0,
    /** From an update to its reply, in milliseconds: one for each reply. */
    latencies: [] as number[],
    webhookPort,
    root: '',
    flood,
    steady,
    quiet,
    close,
  }
  let id = 0

  const server = createServer(async (incoming, response) => {
    const method = incoming.url?.split('/').at(-1)
    const payload = JSON.parse((await text(incoming)) || '{}') as { chat_id?: number }
    if (method === 'sendMessage' && state.delay > 0) await pause(state.delay)
    const from = began.get(payload.chat_id ?? 0)
    if (method === 'sendMessage' && from !== undefined) {
      state.latencies.push(performance.now() - from)
      began.delete(payload.chat_id ?? 0)
    }
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(
      JSON.stringify({ ok: true, result: method === 'getMe' ? me : { message_id: 1, date: 1, chat: { id: 1 } } }),
    )
  })
  // Longer than any pause between two phases, so that a kept connection is not closed under a call.
  server.keepAliveTimeout = 75_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  state.root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return state

  /** As fast as they are taken. */
  async function flood(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1_000
    const one = async () => {
      while (performance.now() < end) await deliver()
    }
    await Promise.all(Array.from({ length: connections }, one))
  }

  async function steady(rate: number, seconds: number): Promise<void> {
    const start = performance.now()
    const all: Promise<void>[] = []
    for (let n = 0; n < rate * seconds; n++) {
      await pause(Math.max(0, start + (n * 1_000) / rate - performance.now()))
      all.push(deliver())
    }
    await Promise.all(all)
  }

  /** Until each update has been answered: nobody is fast for not doing the work. */
  async function quiet(): Promise<void> {
    for (let tries = 0; began.size > 0; tries++) {
      if (tries > 300) throw new Error(`${began.size} updates have no reply after 30 s`)
      await pause(100)
    }
  }

  async function deliver(): Promise<void> {
    const n = ++id
    began.set(n, performance.now())
    const from = { id: n, is_bot: false, first_name: 'Anna', language_code: 'en' }
    const entities = [{ type: 'bot_command', offset: 0, length: 6 }]
    const message = { message_id: n, date: 1, chat: { id: n, type: 'private' }, from, text: '/start', entities }
    for (;;) {
      // A connection that is kept open may be closed by the other side just now.
      const answer = await post(JSON.stringify({ update_id: n, message })).catch(() => undefined)
      if (answer?.statusCode === 200) return
      // It will be resent, as Telegram does; at once would be no test of anything but this loop.
      await pause(100)
    }
  }

  function post(body: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
      const options = { agent, port: state.webhookPort, host: '127.0.0.1', path: '/webhook', method: 'POST' }
      const sending = request(
        { ...options, headers: { ...headers, 'X-Telegram-Bot-Api-Secret-Token': 'secret' } },
        (answer) => {
          answer.resume()
          answer.on('end', () => resolve(answer))
        },
      )
      sending.on('error', reject)
      sending.end(body)
    })
  }

  function close(): void {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  }
}
