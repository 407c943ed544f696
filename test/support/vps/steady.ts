import { Agent, request } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'

export interface Steady {
  /** Ends it, and says how often each answer came: `404`, or what went wrong. */
  stop(): Promise<Record<string, number>>
}

/** Sends requests at a steady rate, each over a connection of its own, until it is stopped; never more than 3000. */
export function steadily(
  perSecond: number,
  target: { address: string; name: string; path: string; ca: string; port?: number },
): Steady {
  const answers: Record<string, number> = {}
  const count = (answer: string) => {
    answers[answer] = (answers[answer] ?? 0) + 1
  }
  const under: Promise<void>[] = []
  let going = true
  const ended = (async () => {
    const start = performance.now()
    for (let sent = 0; going && sent < 3000; sent++) {
      under.push(once(target).then(count))
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
export function once(target: {
  address: string
  name: string
  path: string
  ca: string
  port?: number
}): Promise<string> {
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
