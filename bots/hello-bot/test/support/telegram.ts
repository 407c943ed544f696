import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { afterwards } from './cleanup.ts'

export interface Call {
  readonly method: string
  readonly payload: Readonly<Record<string, unknown>>
}

interface Answer {
  readonly error_code: number
  readonly description?: string
  readonly parameters?: { readonly retry_after: number }
}

const me = { id: 1, is_bot: true, first_name: 'Hello', username: 'hello_bot' }

/** A Bot API server on this machine: says yes to everything, unless an answer was put there. */
export async function fakeTelegram() {
  const calls: Call[] = []
  const answers = new Map<string, Answer[]>()
  const updates: unknown[][] = []
  let delay = 0
  const holds = new Map<string, Promise<unknown>>()
  const server = createServer(async (request, response) => {
    const method = request.url?.split('/').at(-1) ?? ''
    const payload = JSON.parse((await text(request)) || '{}') as Call['payload']
    calls.push({ method, payload })
    const answer = (answers.get(method) ?? answers.get(`${method} ${payload.chat_id}`))?.shift()
    await (holds.get(method) ?? holds.get(`${method} ${payload.chat_id}`))
    if (delay > 0) await pause(delay)
    if (method === 'getUpdates' && updates.length === 0) await pause(20)
    const result = () => (method === 'getUpdates' ? (updates.shift() ?? []) : method === 'getMe' ? me : true)
    const reply = answer === undefined ? { ok: true, result: result() } : { ok: false, description: 'no', ...answer }
    response.writeHead(answer?.error_code ?? 200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(reply))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  afterwards(close)
  return {
    root: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What was called, without what each bot asks at its start. */
    calls: () => calls.filter(({ method }) => !['getMe', 'getUpdates', 'deleteWebhook'].includes(method)),
    all: () => calls,
    texts: () => calls.flatMap(({ payload }) => (typeof payload.text === 'string' ? [payload.text] : [])),
    /** The next answers to a method, or to a method in one chat: `sendMessage 7`. */
    answer: (method: string, ...next: Answer[]) => void answers.set(method, next),
    /** The next answers of getUpdates. */
    updates: (...batches: unknown[][]) => void updates.push(...batches),
    /** Such calls get no answer until then, or ever; a method, or a method in one chat. */
    hold: (until: Promise<unknown> = new Promise(() => {}), method = 'sendMessage') => void holds.set(method, until),
    /** How long each answer takes, in milliseconds. */
    delay: (ms: number) => {
      delay = ms
    },
    close,
  }
}

export type FakeTelegram = Awaited<ReturnType<typeof fakeTelegram>>
