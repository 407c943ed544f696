import { parseReadings, readText } from '../../lib/engine/read.ts'
import type { Reading, State } from '../../lib/model/reading.ts'
import { Untold } from '../../lib/model/reading.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { collecting } from '../../lib/ssh/sections.ts'

/** What was read in one request; `get` is undefined for what the host cannot tell. */
export interface Readings {
  get<S>(reading: Reading<S>): S | undefined
  /** How long the answer was under way, and when it was here, in milliseconds. */
  readonly took: number
  readonly at: number
}

/** Reads all of these in one request. */
export async function readAll(connection: Connection, readings: readonly Reading[]): Promise<Readings> {
  const sections = collecting()
  const began = Date.now()
  await connection.request((nonce) => readText(readings, nonce), sections.handlers)
  const state: State = parseReadings(readings, sections.sections())
  const at = Date.now()
  return {
    get: <S>(reading: Reading<S>) => {
      const value = state.get(reading.key)
      return value instanceof Untold ? undefined : (value as S)
    },
    ...{ took: at - began, at },
  }
}
