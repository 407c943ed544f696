import type { Report } from './control/report.ts'
import type { UserAction } from './people/act.ts'
import type { Launch } from './people/mini-app.ts'
import type { Entry } from './state/state.ts'

export type { Entry, Launch, Report, UserAction }

export interface Identity {
  readonly name: string
  readonly token: string
  readonly id: number
  readonly username: string
}

export interface FaultOrder {
  readonly method: string
  readonly error: number
  readonly retryAfter?: number
  readonly times?: number
}

/** A client of the sandbox's Telegram, for tests and operators. */
export interface TelegramClient {
  bots(): Promise<Identity[]>
  /** Makes the bot, or returns the one of that name. */
  ensureBot(name: string): Promise<Identity>
  revoke(name: string): Promise<Identity>
  report(name: string): Promise<Report>
  /** A person writes or presses a button: the id of the update, null when the bot does not want that kind. */
  act(name: string, act: UserAction): Promise<number | null>
  actAll(name: string, acts: readonly UserAction[]): Promise<(number | null)[]>
  /** What was said in a chat after an entry's `seq`, waiting so many seconds for something new. */
  chat(name: string, chat: number, options?: { after?: number; wait?: number; signal?: AbortSignal }): Promise<Entry[]>
  /** What is in a file that was sent to or by the bot. */
  file(name: string, fileId: string): Promise<Buffer>
  /** The URL by which a Telegram app opens a Mini App, with valid launch data. */
  openApp(name: string, launch: Launch): Promise<string>
  block(name: string, chat: number, blocked: boolean): Promise<void>
  fault(name: string, fault: FaultOrder): Promise<void>
  /** Forgets messages, updates and deliveries; bots, tokens and webhooks stay. */
  reset(): Promise<void>
}

/** A client of the control port, `http://127.0.0.1:PORT`. */
export function telegramAt(baseUrl: string): TelegramClient {
  const get = <T>(path: string, signal?: AbortSignal) => ask<T>(`${baseUrl}${path}`, { ...(signal && { signal }) })
  const post = <T>(path: string, body: unknown = {}) =>
    ask<T>(`${baseUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const pathOf = (name: string) => `/bots/${encodeURIComponent(name)}`
  return {
    bots: () => get('/bots'),
    ensureBot: (name) => post('/bots', { name }),
    revoke: (name) => post(`${pathOf(name)}/revoke`),
    report: (name) => get(pathOf(name)),
    act: async (name, act) => (await post<{ update_id: number | null }>(`${pathOf(name)}/updates`, act)).update_id,
    actAll: async (name, updates) =>
      (await post<{ update_ids: (number | null)[] }>(`${pathOf(name)}/updates`, { updates })).update_ids,
    chat: (name, chat, { after = 0, wait = 0, signal } = {}) =>
      get(`${pathOf(name)}/chats/${chat}/messages?after=${after}&wait=${wait}`, signal),
    file: async (name, fileId) =>
      Buffer.from((await get<{ content: string }>(`${pathOf(name)}/file/${fileId}`)).content, 'base64'),
    openApp: async (name, launch) => (await post<{ url: string }>(`${pathOf(name)}/webapp`, launch)).url,
    block: (name, chat, blocked) => post(`${pathOf(name)}/block`, { chat, blocked }),
    fault: (name, fault) => post(`${pathOf(name)}/fault`, fault),
    reset: () => post('/reset'),
  }
}

/** What the server did not do, and why. */
export class Refused extends Error {
  readonly reason: string

  constructor(message: string, reason = message) {
    super(message)
    this.reason = reason
  }
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, init)
  const answer = (await response.json()) as T & { error?: string }
  if (!response.ok) throw new Refused(`${url}: ${response.status}: ${answer.error}`, answer.error)
  return answer
}
