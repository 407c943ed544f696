import { Agent, request } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

export interface Steady {
  /** Ends it, and says how often each answer came: `404`, or what went wrong. */
  stop(): Promise<Record<string, number>>
}

interface Target {
  readonly address: string
  readonly name: string
  readonly path: string
  readonly ca: string
  readonly port?: number
}

/**
 * Sends requests at a steady rate until it is stopped, never more than 3000: to a target, each over a connection of its own, or
 * as a function does that returns what was answered.
 */
export function steadily(perSecond: number, target: Target | (() => Promise<string>)): Steady {
  const ask = typeof target === 'function' ? target : () => once(target)
  const answers: Record<string, number> = {}
  const count = (answer: string) => {
    answers[answer] = (answers[answer] ?? 0) + 1
  }
  const under: Promise<void>[] = []
  let going = true
  const ended = (async () => {
    const start = performance.now()
    for (let sent = 0; going && sent < 3000; sent++) {
      under.push(ask().then(count))
      await pause(Math.max(0, start + ((sent + 1) * 1000) / perSecond - performance.now()))
    }
  })()
  return {
    stop: async () => {
      going = false
      await ended
      await Promise.all(under)
      return answers
    },
  }
}

/** The status of one GET over a verified connection, or the error's code. */
export function once(target: Target): Promise<string> {
  const { address, name, path, ca, port = 443 } = target
  const agent = new Agent({ keepAlive: false })
  return new Promise((resolve) => {
    const options = { host: address, port, servername: name, path, ca, agent, headers: { host: name }, timeout: 10_000 }
    const sent = request(options, (response) => {
      response.resume()
      response.on('end', () => resolve(String(response.statusCode)))
    })
    sent.on('timeout', () => sent.destroy(new Error('timeout')))
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    sent.end()
  })
}
