import type { Bot } from '../state/state.ts'
import type { World } from '../state/world.ts'
import type { Arguments } from './arguments.ts'

/** One call of a method of the Bot API. */
export interface Call extends Arguments {
  readonly world: World
  readonly bot: Bot
  /** Aborted when the caller has hung up. */
  readonly signal: AbortSignal
}

export interface Answer {
  readonly result: unknown
  readonly description?: string
}

export function answer(result: unknown, description?: string): Answer {
  return { result, ...(description !== undefined && { description }) }
}
