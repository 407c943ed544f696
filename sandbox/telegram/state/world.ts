import { EventEmitter, once } from 'node:events'
import type { ApiError } from '../errors.ts'
import type { Contents } from '../files/contents.ts'
import type { Options } from '../options.ts'
import type { Bot, State } from './state.ts'

/** The server in memory: the state, and what does not outlive a restart. */
export interface World {
  readonly options: Options
  readonly state: State
  /** PEM of everyone whose certificates are trusted. */
  readonly authorities: () => Promise<string[]>
  readonly runtimes: Map<Bot, Runtime>
  /** Runs a method that a webhook's answer asks for. */
  readonly execute: (bot: Bot, method: string, args: ReadonlyMap<string, string>) => Promise<unknown>
  readonly save: () => void
  readonly contents: Contents
  /** Milliseconds, as of Date.now(). */
  readonly startedAt: number
}

/** What there is of a bot while the server runs. */
export interface Runtime {
  readonly changes: EventEmitter
  readonly faults: Fault[]
  /** The newest update that the bot got from each chat. */
  readonly handed: Map<number, number>
  readonly lastSent: Map<number, number>
  worker?: { wake(): void; stop(): void } | undefined
  longPoll?: { end(error: ApiError): void } | undefined
  nextConflictAt: number
  nextSetWebhookAt: number
}

/** An error that a method is to answer with, some times. */
export interface Fault {
  readonly method: string
  readonly error: number
  readonly retryAfter: number
  times: number
}

export function runtimeOf(world: World, bot: Bot): Runtime {
  const known = world.runtimes.get(bot)
  if (known !== undefined) return known
  const runtime: Runtime = {
    changes: new EventEmitter().setMaxListeners(0),
    faults: [],
    handed: new Map(),
    lastSent: new Map(),
    nextConflictAt: 0,
    nextSetWebhookAt: 0,
  }
  world.runtimes.set(bot, runtime)
  return runtime
}

/** Saves a change of this bot, and wakes those that wait for one. */
export function changed(world: World, bot: Bot): void {
  world.save()
  runtimeOf(world, bot).changes.emit('change')
}

/** What `look` finds, as soon as it finds something; after so many seconds its last result, which may be empty. */
export async function awaitChange<T>(
  { changes }: Runtime,
  { seconds, signal }: { seconds: number; signal: AbortSignal },
  look: () => T[],
): Promise<T[]> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(Math.max(0, seconds) * 1000))])
  while (seconds > 0 && !end.aborted) {
    const found = look()
    if (found.length > 0) return found
    await once(changes, 'change', { signal: end }).catch(() => {})
  }
  return look()
}

/** Milliseconds of a time of Telegram's own, which tests make shorter. */
export function scaled({ options }: World, seconds: number): number {
  return seconds * 1000 * options.timeScale
}
