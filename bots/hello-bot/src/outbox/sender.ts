import { type Api, GrammyError } from 'grammy'
import { isPassing } from '../faults.ts'
import type { Log } from '../log.ts'
import { loggedCall } from '../logged.ts'
import { rest, type Signal } from '../telegram.ts'
import { createLimits } from './limits.ts'
import type { Row } from './table.ts'

export interface Sender {
  /** Makes the calls, those of one chat after each other, in this order. */
  add(rows: readonly Row[]): void
  /** Makes what can be made at once, `limitMs` at most, and leaves the rest. */
  close(limitMs: number): Promise<void>
}

export interface SenderOptions {
  readonly api: Api
  readonly log: Log
  /** Whether the call is still this process's to make. */
  readonly isOurs: (row: Row) => boolean
  /** It has been made, or refused for good. */
  readonly done: (row: Row) => void
  readonly secondsToSend?: number | undefined
}

/** How many calls wait for Telegram at once: each has a socket of its own. */
const width = 100

/** A reply of yesterday is of no use. */
const dayMs = 86_400_000

export function createSender({ api, log, isOurs, done, secondsToSend = 20 }: SenderOptions): Sender {
  const queues = new Map<string, Row[]>()
  const limits = createLimits()
  const stopping = new AbortController()
  const cut = new AbortController()
  const turns: (() => void)[] = []
  let busy = 0
  let emptied = () => {}

  function add(rows: readonly Row[]): void {
    for (const row of rows) {
      const queue = queues.get(row.chat)
      if (queue === undefined) void drain(row.chat, [row])
      else queue.push(row)
    }
  }

  async function drain(chat: string, queue: Row[]): Promise<void> {
    queues.set(chat, queue)
    for (let failures = 0, row = queue[0]; row !== undefined; row = queue[0]) {
      const wait = isOurs(row) ? await inTurn(row, failures) : 0
      failures = wait > 0 ? failures + 1 : 0
      if (wait === 0) queue.shift()
      else await rest(wait, stopping.signal)
      if (wait > 0 && stopping.signal.aborted) break
    }
    queues.delete(chat)
    if (queues.size === 0) emptied()
  }

  async function inTurn(row: Row, failures: number): Promise<number> {
    if (busy === width) await new Promise<void>((resolve) => turns.push(resolve))
    else busy++
    try {
      return limits.pause() || (await attempt(row, failures))
    } finally {
      const next = turns.shift()
      if (next === undefined) busy--
      next?.()
    }
  }

  /** Returns how many milliseconds to wait before it is tried again: none when it is done. */
  async function attempt(row: Row, failures: number): Promise<number> {
    try {
      if (Date.now() - row.at > dayMs) throw new Error('not taken by Telegram for a day, or restored from a backup')
      await call(row)
      limits.passed()
    } catch (error) {
      const seconds = retryAfter(error)
      if (seconds === undefined) limits.passed()
      else limits.refused(row.chat, seconds)
      if (isPassing(error)) {
        if (!cut.signal.aborted) log.warn(loggedCall(row, error), 'a call to Telegram failed: trying again')
        return (seconds ?? Math.min(2 ** failures, 30)) * 1_000
      }
      log.warn(loggedCall(row, error), 'a call to Telegram was refused')
    }
    done(row)
    return 0
  }

  async function call({ method, payload }: Row): Promise<void> {
    const signal = AbortSignal.any([cut.signal, AbortSignal.timeout(secondsToSend * 1_000)]) as Signal
    // Named by what a feature has called before.
    const make = api.raw[method as 'sendMessage'] as (payload: object, signal: Signal) => Promise<unknown>
    await make(payload, signal)
  }

  async function close(limitMs: number): Promise<void> {
    stopping.abort()
    const clock = setTimeout(() => cut.abort(), limitMs)
    if (queues.size > 0) await new Promise<void>((resolve) => (emptied = resolve))
    clearTimeout(clock)
  }

  return { add, close }
}

function retryAfter(error: unknown): number | undefined {
  return error instanceof GrammyError && error.error_code === 429 ? (error.parameters.retry_after ?? 1) : undefined
}
