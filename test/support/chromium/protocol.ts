import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

export type Fields = Record<string, unknown>

/** A connection to a browser's DevTools. What it sends on its own goes to `heard`. */
export interface Protocol {
  send<T = Fields>(method: string, params?: Fields, session?: string): Promise<T>
  heard(method: string, listener: (params: Fields, session: string) => void): void
  /** Ends the browser, and waits for that. */
  end(): Promise<void>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Fields
  readonly result?: Fields
  readonly error?: { readonly message: string }
  readonly sessionId?: string
}

/** Starts a browser that is driven by two pipes: it listens on no port, and ends when this process does. */
export function startBrowser(program: string, args: readonly string[]): Protocol {
  const child = spawn(program, ['--remote-debugging-pipe', ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  })
  const [, , errors, orders, answers] = child.stdio as unknown as [null, null, Readable, Writable, Readable]
  const waiting = new Map<number, { resolve: (value: Fields) => void; reject: (error: Error) => void }>()
  const listeners = new Map<string, (params: Fields, session: string) => void>()
  let lastWords = ''
  errors.on('data', (chunk: Buffer) => {
    lastWords = `${lastWords}${chunk}`.slice(-2000)
  })
  const ended = new Promise<void>((resolve) => child.once('close', resolve))
  child.once('close', () => {
    for (const { reject } of waiting.values()) reject(new Error(`the browser has ended: ${lastWords}`))
  })
  orders.on('error', () => {})
  let rest = ''
  answers.setEncoding('utf8').on('data', (chunk: string) => {
    const texts = `${rest}${chunk}`.split('\0')
    rest = texts.pop() ?? ''
    for (const text of texts) take(JSON.parse(text))
  })

  function take({ id, method, params = {}, result = {}, error, sessionId = '' }: Message): void {
    if (id === undefined) {
      listeners.get(method ?? '')?.(params, sessionId)
      return
    }
    const asked = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(error.message))
  }

  let last = 0
  return {
    send: <T>(method: string, params: Fields = {}, sessionId?: string) =>
      new Promise<T>((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve: (value) => resolve(value as T), reject })
        orders.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`)
      }),
    heard: (method, listener) => void listeners.set(method, listener),
    end: async () => {
      orders.end()
      child.kill()
      await ended
    },
  }
}
