import * as v from 'valibot'
import { layoutOf } from './layout.ts'

/**
 * Which host may serve a bot that was moved: both hosts have this as `place.json`. The number only grows; the higher one is right.
 * A host that has a record of a release (`current.json`) serves, whatever else is written.
 */
export interface Place {
  readonly number: number
  /** The host that may serve, by its name in the inventory. */
  readonly serves: string
  /** The host that it came from. */
  readonly from: string
  /** When, as ISO 8601 in UTC. */
  readonly at: string
}

/** Files of a bot that was moved, on its host. */
export function placeLayout(bot: string) {
  const { state } = layoutOf(bot)
  return {
    place: `${state}/place.json`,
    /** The record of the release that served here until the bot was moved away. */
    released: `${state}/released.json`,
    /** While a bot is moved: how the record of its release begins, and a line for each container that was stopped. */
    stopped: `${state}/stopped`,
  }
}

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]{0,200}$/))
const schema = v.object({
  number: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e9)),
  serves: name,
  from: name,
  at: v.pipe(v.string(), v.isoTimestamp()),
})

/** Undefined where there is none, or it is not valid. */
export function parsePlace(text: string): Place | undefined {
  try {
    const { success, output } = v.safeParse(schema, JSON.parse(text))
    return success ? output : undefined
  } catch {
    return undefined
  }
}
