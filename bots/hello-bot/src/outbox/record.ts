import type { Transformer } from 'grammy'
import type { Call } from './table.ts'

/** The calls of one update as data. */
export interface Recorder {
  /** To be installed last: it takes calls before anything else sees them. */
  readonly transformer: Transformer
  /** Runs what makes calls, one after another, and returns the calls, none of which has been made. */
  record(makers: readonly (() => Promise<unknown>)[]): Promise<Call[]>
}

/** `chat` is for calls that name none, such as the answer to a press of a button. */
export function createRecorder(chat: string): Recorder {
  let calls: Call[] | undefined

  const transformer: Transformer = async (prev, method, payload, signal) => {
    if (calls === undefined) return prev(method, payload, signal)
    const { chat_id = chat } = payload as { chat_id?: unknown }
    calls.push({ chat: String(chat_id), method, payload: asData(method, payload) })
    return { ok: true, result: noAnswer(method) as never }
  }

  async function record(makers: readonly (() => Promise<unknown>)[]): Promise<Call[]> {
    calls = []
    try {
      for (const make of makers) await make()
      return calls
    } finally {
      calls = undefined
    }
  }

  return { transformer, record }
}

/** As it will come back from the database. */
function asData(method: string, payload: object): Call['payload'] {
  try {
    return JSON.parse(JSON.stringify(payload)) as Call['payload']
  } catch (cause) {
    const advice = 'send a file_id or a URL, or make the call directly, without ctx.send'
    throw new TypeError(`${method}: a file to upload cannot wait in the outbox: ${advice}`, { cause })
  }
}

/** Fails where it is looked into, and not where it is only passed on. */
function noAnswer(method: string): object {
  const get = (_: object, key: string | symbol) => {
    if (key === 'then' || typeof key === 'symbol') return undefined
    const advice = 'to use its answer make the call directly, without ctx.send'
    throw new TypeError(`${method} has no .${key} here, since it is called after the commit: ${advice}`)
  }
  return new Proxy({}, { get })
}
